"""Spin of the face-cubic model: it points along one of the six half axes of a cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.ir.domains.base import Finite

AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])


@dataclass(frozen=True)
class CubicSpin(Finite):
    """k = 0, 1, ..., 5, which stands for +x, -x, +y, -y, +z, -z."""

    kind = "cubic_spin"
    label = "CubicSpin"

    @property
    def values(self) -> tuple[float, ...]:
        """All values, in ascending order."""
        return tuple(float(k) for k in range(len(AXES)))

    def attributes(self, variable: Any) -> dict[str, Any]:
        """``vector``: the unit vector, of shape (sites, 3)."""
        import pytensor.tensor as pt

        return {"vector": pt.as_tensor(AXES)[variable]}

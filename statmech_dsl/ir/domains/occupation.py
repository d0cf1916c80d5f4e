"""Occupation number of a lattice gas, or a binary unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.domains.base import Finite


@dataclass(frozen=True)
class Occupation(Finite):
    """n = 0 or 1."""

    kind = "occupation"
    label = "Occupation"

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return (0.0, 1.0)

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """-1 or +1."""
        return (2 * x - 1)[..., None]

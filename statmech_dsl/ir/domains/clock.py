"""Clock (planar Potts) variable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.ir.domains.base import Finite, require_count


@dataclass(frozen=True)
class Clock(Finite):
    """k = 0, 1, ... or q-1, which stands for the angle 2 pi k / q."""

    kind = "clock"
    label = "Clock"
    q: int

    def __post_init__(self) -> None:
        require_count(self.label, self.q)

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return tuple(float(k) for k in range(self.q))

    @property
    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Reflections ``k -> c - k``.

        For even q the axes of even c go through directions, those of odd c between them.
        """
        axes = range(self.q) if self.q > 2 else (1,)  # for q = 2, c = 0 moves nothing
        return tuple(tuple((c - k) % self.q for k in range(self.q)) for c in axes)

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """(cos, sin) of 2 pi k / q."""
        angle = (2.0 * math.pi / self.q) * x
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def attributes(self, variable: Any) -> dict[str, Any]:
        """``angle``: 2 pi k / q."""
        return {"angle": (2.0 * math.pi / self.q) * variable}

"""Potts color."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from statmech_dsl.ir.domains.base import Finite, require_count


@dataclass(frozen=True)
class Potts(Finite):
    """s = 0, 1, ... or q-1; the numbers are names only."""

    kind = "potts"
    label = "Potts"
    q: int

    def __post_init__(self) -> None:
        require_count(self.label, self.q)

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return tuple(float(k) for k in range(self.q))

    @property
    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Exchanges of two colors."""
        return tuple(
            tuple(b if k == a else a if k == b else k for k in range(self.q))
            for a, b in combinations(range(self.q), 2)
        )

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """Unit vectors to the corners of a simplex: s . s' is 1 or -1 / (q - 1)."""
        centered = np.eye(self.q) - 1.0 / self.q  # the corners, in q dimensions instead of q - 1
        return (centered * (self.q / (self.q - 1)) ** 0.5)[x]

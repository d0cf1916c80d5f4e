"""Draws by their energies: what depends on the energy alone is done once for all draws that have the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Levels:
    """The energies that draws have, and which of them each has; where few are equal, every draw has its own."""

    values: Array
    """Energies."""
    counts: Array
    """Number of draws of each."""
    index: NDArray[np.intp] | None
    """Which one a draw has; None if each has its own."""

    @classmethod
    def of(cls, energy: Array) -> Levels:
        """Find the levels of draws.

        Examples
        --------
        >>> levels = Levels.of(np.array([4.0, -4.0, 4.0, 4.0, 0.0, 0.0]))
        >>> levels.values, levels.counts, levels.sum(np.arange(6.0))
        (array([-4.,  0.,  4.]), array([1., 2., 3.]), array([1., 9., 5.]))
        """
        values, index, counts = np.unique(energy, return_inverse=True, return_counts=True)
        if 2 * len(values) > len(energy):
            return cls(energy, np.ones(len(energy)), None)
        return cls(values, counts.astype(float), index)

    def sum(self, x: Array) -> Array:
        """Sum, over the draws of each level, of x (draws, ...)."""
        if self.index is None:
            return x
        n = len(self.index)
        draws = csc_array((np.ones(n), self.index, np.arange(n + 1)), (len(self.values), n))
        return draws @ x

    def spread(self, x: Array) -> Array:
        """What each draw has, from x (levels, ...)."""
        return x if self.index is None else x[self.index]

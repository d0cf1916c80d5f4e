"""Thresholds of many temperatures, computed once: tempering hands the same ones around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statmech_dsl.ir.bits import threshold


class Limits:
    """Thresholds of a pass, one for each class, as a function of inverse temperatures."""

    def __init__(self, energies: Sequence[float]) -> None:
        self.energies = energies
        self._beta = np.zeros(1)
        self._known = self._compute(self._beta)

    def __call__(self, beta: np.ndarray) -> np.ndarray:
        """Thresholds [class, replica] at the inverse temperatures of replicas."""
        where = np.minimum(np.searchsorted(self._beta, beta), len(self._beta) - 1)
        if not np.array_equal(self._beta[where], beta):
            self._beta, where = np.unique(beta, return_inverse=True)
            self._known = self._compute(self._beta)
        return self._known[:, where]

    def _compute(self, beta: np.ndarray) -> np.ndarray:
        limits = [[threshold(float(b), e) for b in beta] for e in self.energies]
        return np.array(limits, np.uint64).reshape(len(self.energies), len(beta))

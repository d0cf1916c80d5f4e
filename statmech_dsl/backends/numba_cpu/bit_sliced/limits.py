"""Thresholds of many temperatures, computed once: tempering hands the same ones around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.ir.bits import threshold


class Limits:
    """Thresholds of a pass, one for each class, as a function of inverse temperatures."""

    def __init__(self, energies: Sequence[float]) -> None:
        self.energies = energies
        self._beta, self._known = np.zeros(0), np.zeros((len(energies), 0), np.uint64)

    def __call__(self, beta: np.ndarray) -> np.ndarray:
        """Thresholds [class, replica] at the inverse temperatures of replicas."""
        out = np.empty((len(self.energies), len(beta)), np.uint64)
        if not _look_up(self._beta, self._known, beta, out):
            self._beta = np.unique(beta)
            limits = [[threshold(float(b), e) for b in self._beta] for e in self.energies]
            self._known = np.array(limits, np.uint64).reshape(len(self.energies), -1)
            _look_up(self._beta, self._known, beta, out)
        return out


@compiled
def _look_up(known_beta, known, beta, out):
    """Fill in what is known, and say whether that was all."""
    for r in range(len(beta)):
        k = np.searchsorted(known_beta, beta[r])
        if k == len(known_beta) or known_beta[k] != beta[r]:
            return False
        for m in range(len(known)):
            out[m, r] = known[m, k]
    return True

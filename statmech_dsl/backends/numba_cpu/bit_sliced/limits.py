"""Thresholds of many temperatures, computed once: tempering hands the same ones around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from statmech_dsl.backends.numba_cpu.bit_sliced.words import Slots
from statmech_dsl.ir.bits import threshold


class Limits:
    """Thresholds of a pass, one for each class, as a function of inverse temperatures."""

    def __init__(self, energies: Sequence[float]) -> None:
        self.energies = energies
        self._beta, self._known = np.zeros(0), np.zeros((len(energies), 0), np.uint64)

    def lanes(self, beta: np.ndarray, slots: Slots) -> np.ndarray:
        """Thresholds [chunk, class, lane] at the inverse temperatures of replicas."""
        n_lanes = 1 if slots.fold is not None else 64 * slots.words
        out = np.zeros((len(slots.groups), len(self.energies), n_lanes), np.uint64)
        if not _look_up(self._beta, self._known, beta, slots.lane, out):
            self._beta = np.unique(beta)
            limits = [[threshold(float(b), e) for b in self._beta] for e in self.energies]
            self._known = np.array(limits, np.uint64).reshape(len(self.energies), -1)
            _look_up(self._beta, self._known, beta, slots.lane, out)
        return out


@njit(nogil=True, cache=True)
def _look_up(known_beta, known, beta, lane, out):
    """Fill in what is known, and say whether that was all."""
    for r in range(len(beta)):
        k = np.searchsorted(known_beta, beta[r])
        if k == len(known_beta) or known_beta[k] != beta[r]:
            return False
        c, place = divmod(lane[r], out.shape[2])
        for m in range(len(known)):
            out[c, m, place] = known[m, k]
    return True

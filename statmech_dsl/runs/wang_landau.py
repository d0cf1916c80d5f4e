"""Weights that make all energies equally likely, learned by the walkers that they steer."""

from __future__ import annotations

from typing import Any

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State
from statmech_dsl.runs.energy_bins import Bins
from statmech_dsl.runs.exploring import Explored
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.tuning import BLOCK, retune

WALL = 50.0
"""By how much the log weight falls from bin to bin outside of the window, at least."""
EVEN = 2.0
"""Visits of a bin, in units of their mean over bins, beyond which walkers are caught there."""
LOOK = 100
"""Sweeps between two looks at the histogram."""


class WangLandau:
    """The estimate of ln g that walkers share: ``first``, and how it has changed.

    Each walker adds ``step`` to the bin where a sweep leaves it [1]_. The step is halved when every bin that is
    known has been visited since the last time, and falls as 1/t once that is slower, t being the visits per
    bin [2]_. It is not halved while walkers are caught in a bin: one that is hard to find falls behind all
    others meanwhile, and has to come up with them in steps as large as theirs were.

    References
    ----------
    .. [1] F. Wang and D. P. Landau, Phys. Rev. Lett. 86, 2050 (2001).
    .. [2] R. E. Belardinelli and V. D. Pereyra, Phys. Rev. E 75, 046701 (2007).
    """

    def __init__(self, bins: Bins, seen: np.ndarray, first: np.ndarray) -> None:
        self.bins, self.first, self.change = bins, first, np.zeros(bins.n)
        self.wall = WALL + float(np.abs(np.diff(first)).max(initial=0.0))
        index = bins.index(seen)
        self.known = np.zeros(bins.n, bool)
        self.known[index[(index >= 0) & (index < bins.n)]] = True
        self.known &= bins.beyond == 0
        self.visits = np.zeros(bins.n, np.int64)
        self.step, self.total, self.late = 1.0, 0, False

    @property
    def log_law(self) -> np.ndarray:
        """Log weight of a state in each bin; a bin that was never seen has changed as little as any other."""
        change = np.where(self.known, self.change, self._least)
        beyond = self.bins.beyond
        within = np.flatnonzero(beyond == 0)
        # Outside the law falls from where it is at the end of the window, wherever that has got to.
        nearest = np.clip(np.arange(self.bins.n), within[0], within[-1])
        return -(self.first + change)[nearest] - self.wall * beyond

    @property
    def _least(self) -> float:
        return float(self.change[self.known].min()) if self.known.any() else 0.0

    def cover(self, energy: np.ndarray) -> None:
        """Add bins until all energies have one."""
        before = self.bins.n
        self.bins, front = self.bins.covering(energy)
        around = (front, self.bins.n - before - front)
        self.first = np.pad(self.first, around, mode="edge")
        self.change, self.known = np.pad(self.change, around), np.pad(self.known, around)
        self.visits = np.pad(self.visits, around)

    def visit(self, energy: np.ndarray) -> None:
        """Count where the walkers are, all of which have a bin."""
        counts = np.bincount(self.bins.index(energy), minlength=self.bins.n)
        counts[self.bins.beyond > 0] = 0
        new = (counts > 0) & ~self.known
        if new.any():
            self.change[new] = self._least
            self.known |= new
        self.change += self.step * counts
        self.visits += counts
        self.total += int(counts.sum())

    def refine(self) -> None:
        """Make the step smaller where it is time to."""
        per_bin = self.total / max(int(self.known.sum()), 1)
        if self.late:
            self.step = 1.0 / per_bin
            return
        visits = self.visits[self.known]
        if visits.size and visits.min() > 0 and visits.max() <= EVEN * visits.mean():
            self.step /= 2.0
            self.visits[:] = 0
            self.late = self.step <= 1.0 / per_bin


def learn(
    sampler: Sampler, state: State, bins: Bins, explored: Explored, sweeps: int, advance: Advance
) -> tuple[State, WangLandau]:
    """Walk for some sweeps, and give the state the law and the widths that were learned."""
    kernels = sampler.kernels
    walk = WangLandau(bins, explored.energies, explored.log_g(bins.levels))
    packed = kernels.pack(state)
    walk.cover(kernels.energy(packed)[0])
    for n in range(sweeps):
        if sampler.params and n % BLOCK == 0 and n:
            packed = retune(sampler, packed, BLOCK, n // BLOCK)
        if walk.bins.n > len(state.law_table) or n == 0:
            state, packed = _under(sampler, kernels.unpack(packed), walk)
        state.law_table[:] = walk.log_law
        kernels.sweep(packed, 1)
        energy = kernels.energy(packed)[0]
        walk.cover(energy)
        walk.visit(energy)
        walk.refine()
        if n % LOOK == LOOK - 1:
            advance(LOOK, f"step {walk.step:.1e}")
    return _under(sampler, kernels.unpack(packed), walk)[0], walk


def _under(sampler: Sampler, state: State, walk: WangLandau) -> tuple[State, Any]:
    """Put a state under the law of the bins that there are now; its table may then be changed in place."""
    state.law_table, state.law_range = walk.log_law, (walk.bins.low, walk.bins.width)
    return state, sampler.kernels.pack(state)

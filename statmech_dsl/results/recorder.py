"""Collects what a run records: energies at once, observables in blocks of draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from statmech_dsl.backends.collective import Composed
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ImproperDistributionError

BLOCK_BYTES = 32_000_000
"""States that wait for their observables take at most about this much, as 64-bit numbers."""


class Recorder:
    """Draws of one run; arrays come out as (replica, draw, ...).

    Of every draw it keeps energies and sums, from which observables follow; states only for those
    observables that are no functions of sums.
    """

    def __init__(self, sampler: Sampler, draws: int, n_replicas: int, store: Sequence[str]) -> None:
        self.sampler, self.store, self.n_replicas = sampler, tuple(store), n_replicas
        self.energy = np.empty((n_replicas, draws))
        self.fixed = np.empty((n_replicas, draws))
        self.stored: dict[str, np.ndarray] = {}
        self.observed: dict[str, list[np.ndarray]] = {n: [] for n in sampler.measured.names}
        self.reports: dict[str, list[np.ndarray]] = {n: [] for n, _ in sampler.program.reports}
        self.n = 0
        unpacked = sampler.unpacked
        self._watched = unpacked.needed
        n_sums = sum(s.size for s in sampler.measured.ir.sums)
        rows = n_sums + sum(int(np.prod(unpacked.shapes[v])) for v in self._watched)
        self._block = max(1, min(draws, BLOCK_BYTES // (8 * max(rows, 1) * n_replicas)))
        self._sums = np.empty((self._block, n_replicas, n_sums))
        self._states: dict[str, list[np.ndarray]] = {v: [] for v in self._watched}
        self._waiting = 0
        for v in sampler.program.model.variables:
            if v.name in self.store:
                shape = (n_replicas, draws, int(np.prod(v.shape)))
                self.stored[v.name] = np.empty(shape, v.domain.storage_dtype)

    @property
    def room(self) -> int:
        """Draws that can be recorded at once: one where states are kept."""
        return 1 if self.stored or self._watched else self._block - self._waiting

    def record(
        self, packed: Any, draws: int, thin: int, rows: np.ndarray | slice = slice(None)
    ) -> None:
        """Record draws of every replica, each after ``thin`` sweeps; at most ``room`` of them.

        Place k of the arrays takes what replica ``rows[k]`` has: tempering moves temperatures from one
        replica to another.
        """
        kernels = self.sampler.kernels
        now = slice(self.n, self.n + draws)
        tempered, fixed, sums = kernels.record(packed, draws, thin)
        self.energy[:, now], self.fixed[:, now] = tempered.T[rows], fixed.T[rows]
        self._sums[self._waiting : self._waiting + draws] = sums[:, rows]
        if isinstance(kernels, Composed):
            for name, x in kernels.reported().items():
                self.reports[name].append(np.moveaxis(x[:, rows], 0, 1))
        for name, out in self.stored.items():
            out[:, self.n] = kernels.values(packed, name)[rows]
        for name in self._watched:
            self._states[name].append(np.array(kernels.values(packed, name)[rows]))
        self.n += draws
        self._waiting += draws
        if self._waiting == self._block:
            self._evaluate()

    def _evaluate(self) -> None:
        if not np.isfinite(self.energy[:, : self.n]).all():
            raise_improper(self.sampler)
        n = self._waiting
        if n == 0:
            return
        states = {k: np.concatenate(v) for k, v in self._states.items()}
        sums = self._sums[:n].reshape(n * self.n_replicas, -1)
        for name, x in (self.sampler.measured(sums) | self.sampler.unpacked(states)).items():
            blocks = x.reshape(n, self.n_replicas, *x.shape[1:])
            self.observed[name].append(np.moveaxis(blocks, 0, 1))
        for waiting in self._states.values():
            waiting.clear()
        self._waiting = 0

    def statistics(self) -> dict[str, np.ndarray]:
        """What moves told of the states on the way to each draw."""
        return {
            name: np.concatenate(parts, axis=1)[:, : self.n] for name, parts in self.reports.items()
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything recorded so far: ``energy``, observables, stored variables."""
        self._evaluate()
        out = {"energy": self.energy[:, : self.n]}
        out |= {k: np.concatenate(v, axis=1) for k, v in self.observed.items() if v}
        shapes = {k: self.sampler.program.model.variable(k).shape for k in self.stored}
        return out | {
            k: v[:, : self.n].reshape(self.n_replicas, self.n, *shapes[k])
            for k, v in self.stored.items()
        }


def raise_improper(sampler: Sampler) -> None:
    """Name the variables whose values ran away."""
    names = ", ".join(v.name for v in sampler.program.model.variables if v.domain.values is None)
    raise ImproperDistributionError(
        "the energy became NaN or infinite: the weights exp(-E/T) cannot be normalized",
        where=f"variables {names}" if names else None,
        mend="bind every direction of a Field from below (a mass term, a quartic term)",
    )

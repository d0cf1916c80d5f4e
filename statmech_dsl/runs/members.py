"""The members of a population: how they move from one temperature to the next."""

from __future__ import annotations

import math

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators.families import (
    block_of,
    log_mean_error,
    log_mean_exp,
    n_blocks,
    shares,
)
from statmech_dsl.results import Recorder
from statmech_dsl.results.population import Step
from statmech_dsl.runs.resampling import copies, generator, in_place
from statmech_dsl.runs.tuning import BLOCK, retune


class Members:
    """Members of several runs, their families and free energies."""

    def __init__(self, sampler: Sampler, seed: int, runs: int, size: int) -> None:
        self.sampler, self.kernels, self.seed, self.size = sampler, sampler.kernels, seed, size
        self.families = np.tile(np.arange(size), (runs, 1))
        model = sampler.program.model
        volumes = [v.domain.log_volume * len(sampler.tables[v.free]) for v in model.variables]
        log_volume = math.fsum(volumes)
        self.proper = math.isfinite(log_volume)
        """Whether there is an infinite temperature."""
        self.exact_start = self.proper and all(f.tempered for f in model.energy_families)
        self.log_z = np.full(runs, log_volume if self.exact_start else 0.0)
        self.errors, self.error = np.zeros(runs), 0.0
        self.beta, self.moved = 0.0, 0
        self.packed = self.kernels.pack(sampler.start_population(seed, runs, size))
        self.kernels.sweep(self.packed, 0)  # compiled before the clock runs

    @property
    def T(self) -> float:
        """Temperature."""
        return math.inf if self.beta == 0 else 1 / self.beta

    def begin(self, beta: float, sweeps: int) -> None:
        """Bring members to their first temperature where its states cannot be drawn."""
        if self.exact_start:
            return
        self.beta = beta
        self.kernels.set_beta(self.packed, np.full(self.families.size, beta))
        for step, n in enumerate([BLOCK] * (sweeps // BLOCK) + [sweeps % BLOCK]):
            self.kernels.sweep(self.packed, n)
            self._retune(n, step)

    def measure(self, sweeps: int) -> Step:
        """Sweep; then energies and observables."""
        n_runs = len(self.log_z)
        recorder = Recorder(self.sampler, 1, self.families.size, ())
        recorder.record(self.packed, 1, sweeps)
        arrays = {
            name: x[:, 0].reshape(n_runs, self.size, *x.shape[2:])
            for name, x in recorder.arrays().items()
        }
        self._retune(sweeps, self.moved)
        self.energy = arrays.pop("energy")
        return Step(
            self.beta,
            self.energy,
            arrays,
            self.families,
            self.log_z.copy(),
            self.errors,
            self.error,
        )

    def _retune(self, sweeps: int, step: int) -> None:
        if self.sampler.params and sweeps:
            self.packed = retune(self.sampler, self.packed, sweeps, step)

    def move(self, beta: float) -> None:
        """Go to another temperature: weigh, and resample each run for itself."""
        log_weights = -(beta - self.beta) * self.energy
        share = shares(log_weights)
        self.log_z = self.log_z + log_mean_exp(log_weights)
        first = np.arange(len(share))[:, None] * self.size  # number of the first member of a run
        pairs = list(zip(share, self.families, strict=True))
        n, block = n_blocks(self.size), block_of(self.families, self.size)
        self.errors = np.array([log_mean_error(*x, n) for x in zip(share, block, strict=True)])
        of_all = (shares(self.log_z)[:, None] * share).ravel()
        block = block + np.arange(len(share))[:, None] * n
        self.error = log_mean_error(of_all, block.ravel(), n * len(share))
        self.moved += 1
        marks = generator(self.seed, self.moved).random(len(share))
        rows = [in_place(copies(*pair, u)) for pair, u in zip(pairs, marks, strict=True)]
        self.families = np.take_along_axis(self.families, np.stack(rows), 1)
        self.kernels.take(self.packed, (np.stack(rows) + first).ravel())
        self.beta = beta
        self.kernels.set_beta(self.packed, np.full(share.size, beta))

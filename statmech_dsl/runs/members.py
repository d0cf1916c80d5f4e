"""The members of a population: how they move from one temperature to the next."""

from __future__ import annotations

import math

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators import LogWeights
from statmech_dsl.results import Recorder
from statmech_dsl.results.population import Step
from statmech_dsl.results.recorder import raise_improper
from statmech_dsl.runs.masses import refuse_masses
from statmech_dsl.runs.resampling import copies, generator, in_place
from statmech_dsl.runs.tuning import BLOCK, retune


class Members:
    """Members of several runs, their families and free energies."""

    def __init__(self, sampler: Sampler, seed: int, runs: int, size: int) -> None:
        refuse_masses(sampler)
        self.sampler, self.kernels, self.seed, self.size = sampler, sampler.kernels, seed, size
        model = sampler.program.model
        volumes = [v.domain.log_volume * len(sampler.tables[v.free]) for v in model.variables]
        log_volume = math.fsum(volumes)
        self.proper = math.isfinite(log_volume)
        """Whether there is an infinite temperature."""
        self.exact_start = self.proper and all(f.tempered for f in model.energy_families)
        self.weights = LogWeights(size, runs, log_volume if self.exact_start else 0.0)
        self.beta, self.moved = 0.0, 0
        self.packed = self.kernels.pack(sampler.start_population(seed, runs, size))
        self.kernels.sweep(self.packed, 0)  # compiled before the clock runs

    @property
    def T(self) -> float:
        """Temperature."""
        return math.inf if self.beta == 0 else 1 / self.beta

    def begin(self, beta: float, sweeps: int) -> None:
        """Bring members to their first temperature where its states cannot be drawn."""
        if not self.exact_start:
            self.settle(beta, sweeps)

    def settle(self, beta: float, sweeps: int) -> None:
        """Forget the first states at a temperature; log Z is relative to it from here on."""
        self.beta = beta
        self.kernels.set_beta(self.packed, np.full(self.weights.families.size, beta))
        for step, n in enumerate([BLOCK] * (sweeps // BLOCK) + [sweeps % BLOCK]):
            self.kernels.sweep(self.packed, n)
            self._retune(n, step)

    def sweep(self, sweeps: int) -> None:
        """Sweep; then energies alone."""
        energy = self.kernels.swept_energy(self.packed, sweeps)
        self._retune(sweeps, self.moved)
        if not np.isfinite(energy).all():
            raise_improper(self.sampler)
        self.energy = energy.reshape(self.weights.families.shape)

    def measure(self, sweeps: int) -> Step:
        """Sweep; then energies and observables."""
        n_runs = len(self.weights.families)
        recorder = Recorder(self.sampler, 1, n_runs * self.size, ())
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
            self.weights.families,
            self.weights.log_partition,
            self.weights.errors,
            self.weights.error,
        )

    def _retune(self, sweeps: int, step: int) -> None:
        if self.sampler.params and sweeps:
            self.packed = retune(self.sampler, self.packed, sweeps, step)

    def move(self, beta: float) -> None:
        """Go to another temperature: weigh, and resample each run for itself."""
        self.weigh(beta)
        self.resample()

    def weigh(self, beta: float) -> None:
        """Go to another temperature; what the members are worth changes by what that does to their energies."""
        self.weights.add(-(beta - self.beta) * self.energy)
        self.beta = beta
        self.kernels.set_beta(self.packed, np.full(self.weights.families.size, beta))

    def resample(self) -> None:
        """Copy members as often as they are worth, each run for itself."""
        share, families = self.weights.share, self.weights.families
        first = np.arange(len(share))[:, None] * self.size  # number of the first member of a run
        self.moved += 1
        marks = generator(self.seed, self.moved).random(len(share))
        each = zip(share, families, marks, strict=True)
        rows = np.stack([in_place(copies(*one)) for one in each])
        self.weights.resample(rows)
        self.kernels.take(self.packed, (rows + first).ravel())

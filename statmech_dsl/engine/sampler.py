"""The sampler: all that the arrangements of chains in `runs` see of a compiled model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl import rng
from statmech_dsl.backends.base import Backend, Kernels
from statmech_dsl.engine.composition import conserved
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.params import Param
from statmech_dsl.ir.state import State
from statmech_dsl.lower.observables import Observables
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.lower.reductions import Measured

Init = str | Mapping[str, Any]
"""``"hot"``, ``"cold"``, ``"both"``, or states by variable name."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """A compiled model.

    ``clamped`` holds for each partly or fully clamped variable the mask over its sites and the values.
    ``measured`` are the observables; those that are no functions of sums are ``unpacked``.
    """

    program: Program
    tables: Tables
    analyses: tuple[SiteAnalysis, ...]
    clamped: Mapping[str, tuple[np.ndarray, np.ndarray]]
    backend: Backend
    kernels: Kernels
    measured: Measured
    unpacked: Observables
    content_hash: str

    @property
    def n_sites(self) -> dict[str, int]:
        """Sites of each variable."""
        return {v.name: v.n_sites for v in self.program.model.variables}

    @property
    def params(self) -> tuple[tuple[int, Param], ...]:
        """Tuned parameters with the number of their step: the first rows of ``State.params``."""
        return tuple((n, q) for n, p in enumerate(self.program.steps) for q in p.params)

    @property
    def param_names(self) -> tuple[str, ...]:
        """Unique names of the tuned parameters."""
        names: list[str] = []
        for number, q in self.params:
            name = f"{self.program.steps[number].variable}.{q.name}"
            names.append(f"{name}.{names.count(name) + 1}" if name in names else name)
        return tuple(names)

    @property
    def moves(self) -> np.ndarray:
        """How many moves a sweep tries in each step."""
        steps = self.program.steps
        return np.array(
            [
                p.times * (p.moves if isinstance(p, Collective) else len(self.tables[p.order]))
                for p in steps
            ],
            np.int64,
        )

    @property
    def conserved(self) -> tuple[str, ...]:
        """Variables whose updates only exchange values."""
        return conserved(self.program)

    @property
    def tempered(self) -> bool:
        """Whether T divides anything."""
        return any(f.tempered for f in self.program.model.energy_families)

    def start(
        self, seed: int, chains: np.ndarray, index_of_T: np.ndarray, beta: np.ndarray, init: Init
    ) -> State:
        """First state of replicas that are numbered by their chain and the index of their T."""
        numbers = rng.replica_id(np.asarray(chains), np.asarray(index_of_T))
        if isinstance(init, Mapping) and (unknown := set(init) - set(self.n_sites)):
            raise ArgumentError(
                f"init= names {', '.join(map(repr, sorted(unknown)))}, which is no variable of the model",
                mend=f"its variables are {', '.join(self.n_sites)}",
            )
        values = {
            v.name: np.stack(
                [
                    self._initial(k, init, seed, int(number), int(c))
                    for number, c in zip(numbers, chains, strict=True)
                ]
            )
            for k, v in enumerate(self.program.model.variables)
        }
        return self._state(values, numbers, beta, seed)

    def start_population(self, seed: int, runs: int, size: int) -> State:
        """First states of populations at infinite temperature.

        Member m of run k has the number of chain m at the temperature with index k. All members of a run are
        drawn from one stream, as they are many.
        """
        numbers = rng.replica_id(np.arange(size), np.arange(runs)[:, None])
        values = {}
        for k, v in enumerate(self.program.model.variables):
            streams = [rng.initial_generator(seed, int(number), k) for number in numbers[:, 0]]
            x = np.concatenate([v.domain.hot(stream, size * v.n_sites) for stream in streams])
            x = x.reshape(runs * size, v.n_sites, -1).astype(v.domain.storage_dtype)
            if v.name in self.clamped:
                mask, given = self.clamped[v.name]
                x[:, mask] = given.reshape(v.n_sites, -1)[mask]
            values[v.name] = x.reshape(runs * size, -1)
        return self._state(values, numbers.reshape(-1), np.zeros(runs * size), seed)

    def _state(
        self, values: dict[str, np.ndarray], numbers: np.ndarray, beta: np.ndarray, seed: int
    ) -> State:
        n, masses = len(numbers), self.program.mass_rows.values()
        starts = [q.start for _, q in self.params] + [1.0] * sum(x.stop - x.start for x in masses)
        return State(
            values,
            numbers.astype(np.uint32),
            np.asarray(beta, float),
            seed,
            0,
            np.tile(np.array(starts)[:, None], n),
            np.zeros((len(self.program.steps) + len(self.program.counts), n), np.int64),
        )

    def _initial(self, k: int, init: Init, seed: int, number: int, chain: int) -> np.ndarray:
        v = self.program.model.variables[k]
        start = ("hot", "cold")[chain % 2] if init == "both" else init
        if isinstance(start, Mapping) and v.name in start:
            x = self._given(v, np.asarray(start[v.name]), chain)
        elif isinstance(start, Mapping) or start == "hot":
            x = v.domain.hot(rng.initial_generator(seed, number, k), v.n_sites)
        elif start == "cold":
            x = v.domain.cold(v.n_sites)
        else:
            raise ArgumentError(
                f"init={init!r} is unknown", mend="use 'hot', 'cold', 'both' or {variable: states}"
            )
        x = x.reshape(v.n_sites, -1).astype(v.domain.storage_dtype)
        if v.name in self.clamped:
            mask, values = self.clamped[v.name]
            x[mask] = values.reshape(v.n_sites, -1)[mask]
        return x.reshape(-1)

    def _given(self, v, states: np.ndarray, chain: int) -> np.ndarray:
        if states.shape == v.shape:
            x = states
        elif states.shape[1:] == v.shape and chain < len(states):
            x = states[chain]
        else:
            raise ArgumentError(
                f"init= of {v.name!r} has shape {states.shape}",
                mend=f"give one state of shape {v.shape}, or one for each chain along a first axis",
            )
        flat = x.reshape(v.n_sites, *v.shape[len(v.shape) - (v.domain.components > 1) :])
        if not v.domain.contains(flat).all():
            raise ArgumentError(f"init= of {v.name!r} holds values that {v.domain.label} has not")
        return flat

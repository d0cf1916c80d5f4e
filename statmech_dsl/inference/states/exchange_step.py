"""The exchange algorithm as a step of PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
from pymc.step_methods.compound import BlockedStep, StepMethodState
from pymc.step_methods.state import dataclass_state

from statmech_dsl.inference.states.equilibration import Equilibration
from statmech_dsl.inference.states.proposals import AdaptiveNormal
from statmech_dsl.inference.states.replicas import Replicas
from statmech_dsl.runs.pymc_points import PointFunction
from statmech_dsl.solvers.system import Values

Point = Mapping[str, np.ndarray]

PROPOSALS, MOST_PROPOSALS = 4, 20
"""Proposals of a step for each parameter, and at most."""
PILOTS = (0.1, 0.4, 0.6, 0.8, 1.0)
"""Where in tuning the autocorrelation time of auxiliary states is measured."""
CHECKED = 5
"""Every so many steps one is checked."""


@dataclass_state
class ExchangeState(StepMethodState):
    """Randomness alone: all else begins anew with a chain."""


class Exchange(BlockedStep):
    """Move parameters of energies by the exchange algorithm, whatever log Z is.

    Parameters
    ----------
    vars : sequence of variables
        Values of the parameters that the couplings depend on.
    replicas : Replicas
        The states without terms that T does not divide.
    couplings : mapping of str to TensorVariable
        The coupling tables of energies in terms of the parameters.
    states : dict of str to ndarray
        The data, one state in each column; hidden ones may be others at each step.
    model : Model
        The model of the parameters, without the energies of the data.
    """

    name = "exchange"
    stats_dtypes_shapes = {"accept": (np.float64, []), "auxiliary_sweeps": (np.int64, [])}
    _state_class = ExchangeState

    def __init__(
        self,
        vars: Any,
        *,
        replicas: Replicas,
        couplings: Mapping[str, Any],
        states: Values,
        model: pm.Model,
        blocked: bool = True,
    ) -> None:
        self.vars = list(vars)
        self._replicas, self._states = replicas, states
        self._tables = PointFunction(model, couplings, None)
        self._log_prior = model.compile_logp()
        self._proposals = min(PROPOSALS * self._size(model.initial_point()), MOST_PROPOSALS)
        self.chains: list[Equilibration] = []
        self.rng = np.random.default_rng()

    def setup_chain(self, rng: Any, tune: int, draws: int) -> None:
        """Begin a chain."""
        super().setup_chain(rng, tune, draws)
        self._replicas.reset(int(self.rng.integers(2**63)))
        self._pilots = {round(p * tune) for p in PILOTS}
        self._walk: AdaptiveNormal | None = None
        self._done, self.tune = 0, tune > 0

    def step(self, point: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[dict]]:
        """Propose some times, each time with auxiliary states of its own."""
        now = dict(point)
        self._data = self._replicas.pack(self._states)
        if self._walk is None:
            self._walk = AdaptiveNormal(self._flat(now))
            self.chains.append(Equilibration([]))
        if self._done in self._pilots:
            self._pilot(now)
        log_prior, accepted = self._log_prior(now), 0
        for _ in range(self._proposals):
            new = self._moved(now, self._flat(now) + self._walk.step(self.rng))
            new_prior = self._log_prior(new)
            taken = bool(np.log(self.rng.random()) < new_prior - log_prior + self._ratio(now, new))
            if taken:
                now, log_prior, accepted = new, new_prior, accepted + 1
            if self.tune:
                self._walk.adapt(self._flat(now), taken)
        if self.tune:
            self._adapt_sites(now)
        elif self._done % CHECKED == 0:
            self._check(now)
        self._done += 1
        stats = {
            "accept": accepted / self._proposals,
            "auxiliary_sweeps": self.chains[-1].sweeps,
        }
        return now, [stats]

    def _ratio(self, now: Point, new: Point) -> float:
        """Log of the ratio of weights of data and auxiliary states; those are drawn at the new parameters."""
        tables = self._tables(new)
        if not all(np.isfinite(x).all() for x in tables.values()):
            return -np.inf
        self._replicas.follow(tables)
        auxiliary = self._replicas.pack(self._states)
        self._replicas.sweep(auxiliary, self.chains[-1].sweeps)
        after = self._replicas.energy(auxiliary).sum() - self._replicas.energy(self._data).sum()
        self._replicas.follow(self._tables(now))
        before = self._replicas.energy(auxiliary).sum() - self._replicas.energy(self._data).sum()
        return float(after - before)

    def _pilot(self, point: Point) -> None:
        """Measure how long auxiliary states take to forget the data; look along the axes known by now."""
        assert self._walk is not None
        center, seen = self._walk.mean, self.chains[-1]
        seen.around = [
            (
                self._tables(self._moved(point, center - v)),
                self._tables(self._moved(point, center + v)),
            )
            for v in self._walk.axes
        ]
        seen.measure_time(self._replicas, self._replicas.pack(self._states), self._tables(point))

    def _adapt_sites(self, point: Point) -> None:
        """Adapt the proposals of continuous sites at these parameters."""
        self._replicas.follow(self._tables(point))
        self._replicas.adapt(self._replicas.pack(self._states))

    def _check(self, point: Point) -> None:
        """Compare auxiliary states that started hot with those that started at the data."""
        seen, tables = self.chains[-1], self._tables(point)
        found = []
        for start in (self._states, self._replicas.scrambled(self._states, self.rng)):
            packed = self._replicas.pack(start)
            self._replicas.follow(tables)
            self._replicas.sweep(packed, seen.sweeps)
            found.append(seen.entering(self._replicas, packed).sum(axis=1))
        seen.shifts.append(found[1] - found[0])

    def _flat(self, point: Point) -> np.ndarray:
        return np.concatenate([np.ravel(point[str(v.name)]) for v in self.vars])

    def _size(self, point: Point) -> int:
        return len(self._flat(point))

    def _moved(self, point: Point, flat: np.ndarray) -> dict[str, np.ndarray]:
        """The point with other values of our parameters."""
        new, first = dict(point), 0
        for v in self.vars:
            old = np.asarray(point[str(v.name)])
            new[str(v.name)] = flat[first : first + old.size].reshape(old.shape)
            first += old.size
        return new

"""A step of PyMC that moves hidden states and leaves the parameters as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
from pymc.step_methods.compound import BlockedStep, StepMethodState
from pymc.step_methods.state import dataclass_state

from statmech_dsl.inference.problem.parameter_model import coefficients
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.states.hidden import Hidden
from statmech_dsl.runs.pymc_points import PointFunction
from statmech_dsl.solvers.system import Values


@dataclass_state
class SweepState(StepMethodState):
    """Randomness alone: all else begins anew with a chain."""


class SweepHidden(BlockedStep):
    """Sweep over hidden states; the parameters stay, but their likelihood becomes another one.

    Parameters
    ----------
    vars : sequence of variables
        Values of parameters: PyMC wants a step to have some.
    posed : Posed
        The model with data.
    hidden : Hidden
        The states.
    follow : sequence of callables
        What is told the new states after each step.
    store : sequence of str
        Variables whose states are kept at each draw.
    model : Model
        The model of the parameters.
    """

    name = "sweep_hidden"
    _state_class = SweepState

    def __init__(
        self,
        vars: Any,
        *,
        posed: Posed,
        hidden: Hidden,
        follow: Sequence[Callable[[Values], None]],
        store: Sequence[str],
        model: pm.Model,
        blocked: bool = True,
    ) -> None:
        self.vars, self._hidden, self._follow, self._store = list(vars), hidden, follow, store
        self._variables = [v for v in posed.recovered.ir.variables if v.name in posed.hidden]
        graphs = coefficients(posed, posed.recovered.random, model)
        self._tables = PointFunction(model, graphs, None)
        self.marginals: list[dict[str, np.ndarray]] = []
        self.states: list[dict[str, list[np.ndarray]]] = []
        self.rng = np.random.default_rng()

    def setup_chain(self, rng: Any, tune: int, draws: int) -> None:
        """Begin a chain."""
        super().setup_chain(rng, tune, draws)
        self._hidden.start(self.rng)
        self.tune, self._n = tune > 0, 0
        self.marginals.append({v.name: np.zeros(()) for v in self._variables})
        self.states.append({name: [] for name in self._store})

    def step(self, point: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[dict]]:
        """Sweep at the parameters of a point, which stays as it is."""
        self._hidden.sweep(self._tables(point), self.tune)
        for tell in self._follow:
            tell(self._hidden.values)
        if not self.tune:
            self._n += 1
            for v in self._variables:
                mean, x = self.marginals[-1], self._hidden.values[v.name]
                now = x if v.domain.values is None else np.equal.outer(x, v.domain.values)
                mean[v.name] = mean[v.name] + (now - mean[v.name]) / self._n
            for name, kept in self.states[-1].items():
                kept.append(self._hidden.values[name].astype(np.float32))
        return dict(point), [{}]

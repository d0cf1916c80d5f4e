"""What a method of inference is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.compile.maker import function

from statmech_dsl.inference.problem.interpreted import INTERPRETED
from statmech_dsl.inference.problem.parameter_model import coefficients, parameter_model
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.smooth import Smooth, graph_of
from statmech_dsl.inference.states.completed import Completed
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.slopes import is_linear
from statmech_dsl.solvers.system import Values

NOT_LINEAR = "the energy is no linear function of its couplings"
SHORT = 2000
"""Iterations of all chains together up to which a run is short."""


@dataclass(frozen=True)
class Run:
    """How long to sample parameters, and how."""

    draws: int
    tune: int
    chains: int
    seed: int
    threads: int | None
    progressbar: bool
    store: tuple[str, ...] = ()
    """Hidden variables whose states are kept at every draw."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A method that is compiled for data of one form, all of which was seen.

    Attributes
    ----------
    model : Model
        The model of the parameters.
    step : step of PyMC
        What moves them.
    take : callable
        What makes other data of the same form those that are inferred from.
    """

    model: pm.Model
    step: Any
    take: Callable[[Posed], None]


class Method(ABC):
    """A way to get at the posterior of parameters."""

    name: str
    """What users call it."""
    assumes: str
    """In one sentence for results and docs: what it takes for granted, and what is exact about it."""
    automatic: bool = True
    """Whether ``"auto"`` may take it."""

    @abstractmethod
    def refuse(self, posed: Posed) -> str | None:
        """Why this method cannot serve a problem; None if it can."""

    @abstractmethod
    def infer(self, posed: Posed, run: Run) -> xr.DataTree:
        """Sample the posterior: groups ``posterior`` and ``sample_stats``; what a user should know in attrs."""

    @abstractmethod
    def prepare(self, posed: Posed, run: Run) -> Prepared:
        """Compile once for many data."""


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The logarithm of a likelihood, as a function of the vector of all couplings.

    Attributes
    ----------
    total : callable
        That of all states, with its gradient.
    each : callable
        That of each state.
    attrs : dict
        What a user should know of it.
    """

    total: Smooth
    each: Callable[[np.ndarray], np.ndarray]
    attrs: dict[str, Any] = field(default_factory=dict)


class LikelihoodMethod(Method):
    """A method that has a likelihood with a gradient, so that NUTS can do the rest."""

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        if posed.recovered.random - set(posed.couplings):
            return "a term that is no energy depends on both states and random parameters"
        if posed.hidden:
            return f"{', '.join(map(repr, posed.hidden))} was not seen, or not everywhere"
        if not is_linear(posed.recovered.ir, posed.couplings):
            return NOT_LINEAR
        return None

    @abstractmethod
    def likelihood(self, posed: Posed, run: Run) -> Likelihood:
        """Prepare the likelihood."""

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        return sample_likelihood(posed, self.likelihood(posed, run), run)

    def prepare(self, posed: Posed, run: Run) -> Prepared:  # noqa: D102
        model, now = parameter_model(posed), [self.likelihood(posed, run)]
        with model:
            graph = graph_of(lambda c: now[0].total(c), couplings(posed, model))
            pm.Potential("log_likelihood", graph)
        step = pm.NUTS(model.value_vars, model=model)

        def take(other: Posed) -> None:
            now[0] = self.likelihood(other, run)

        return Prepared(model, step, take)


class PartitionMethod(LikelihoodMethod):
    """A method that has log Z as a function of couplings; hidden states are sampled along."""

    def refuse(self, posed: Posed) -> str | None:  # noqa: D102
        return None if is_linear(posed.recovered.ir, posed.couplings) else NOT_LINEAR

    @abstractmethod
    def log_partition(self, posed: Posed, run: Run) -> tuple[Smooth, dict[str, Any]]:
        """Log Z of one state with its gradient, -<S>, and what a user should know of it."""

    def likelihood(self, posed: Posed, run: Run) -> Likelihood:  # noqa: D102
        partition, attrs = self.log_partition(posed, run)
        return from_partition(posed, partition, attrs)

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        if not posed.hidden and posed.recovered.random == set(posed.couplings):
            return super().infer(posed, run)
        return sample_completed(posed, *self.log_partition(posed, run), run)


def from_partition(posed: Posed, partition: Smooth, attrs: dict[str, Any]) -> Likelihood:
    """The likelihood -E - log Z of states that were seen whole."""
    n = posed.n_states
    rest, S = statistics(posed)
    total, of_all = S.sum(axis=0), rest.sum()

    def log_likelihood(c: np.ndarray) -> tuple[float, np.ndarray]:
        log_Z, slope = partition(c)
        return -(of_all + total @ c) - n * log_Z, -total - n * slope

    return Likelihood(log_likelihood, lambda c: -(rest + S @ c) - partition(c)[0], attrs)


def statistics(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """E_0 of each state, and its statistics S, [state, entry of all coupling tables]."""
    r, states = posed.recovered, posed.states()
    bare = r.tables | {name: np.zeros_like(r.tables[name]) for name in posed.couplings}
    return energies(r.ir, bare, states)[0], posed.statistics_of(states)


def sample_likelihood(posed: Posed, likelihood: Likelihood, run: Run) -> xr.DataTree:
    """Sample the parameters by NUTS, and note the likelihood of each state at each draw."""
    model = parameter_model(posed)
    with model:
        pm.Potential("log_likelihood", graph_of(likelihood.total, couplings(posed, model)))
    tree = sample_parameters(model, run)
    each = np.array([likelihood.each(c) for c in couplings_of_draws(posed, model, tree)])
    shape = tree.posterior.sizes["chain"], tree.posterior.sizes["draw"], posed.n_states
    name = "_".join(posed.data)
    columns = {name: (("chain", "draw", "state"), each.reshape(shape))}
    tree["log_likelihood"] = xr.DataTree(
        xr.Dataset(columns, coords={k: tree.posterior[k] for k in ("chain", "draw")})
    )
    tree.attrs.update(likelihood.attrs)
    return tree


def sample_completed(
    posed: Posed, partition: Smooth, attrs: dict[str, Any], run: Run
) -> xr.DataTree:
    """Sample the parameters by NUTS, and in between the states that were not seen."""
    completed = Completed(posed, run)
    model, n = completed.model, posed.n_states
    statistics = np.zeros(sum(len(posed.recovered.tables[name]) for name in posed.couplings))

    def follow(states: Values) -> None:
        statistics[:] = posed.statistics_of(states).sum(axis=0)

    def log_likelihood(c: np.ndarray) -> tuple[float, np.ndarray]:
        log_Z, slope = partition(c)
        return float(-(statistics @ c) - n * log_Z), -statistics - n * slope

    follow(completed.states)
    completed.follow.append(follow)
    with model:
        graph = graph_of(log_likelihood, couplings(posed, model))
        pm.Potential("log_likelihood_of_couplings", graph)
        steps = [*completed.sweep(), pm.NUTS(model.value_vars, model=model)]
    tree = sample_parameters(model, run, steps)
    completed.add_to(tree)
    tree.attrs.update(attrs)
    return tree


def couplings(posed: Posed, within: pm.Model) -> Any:
    """All coupling tables, one after the other, as a graph of the parameters of another model."""
    tables = coefficients(posed, posed.couplings, within)
    return pt.concatenate([tables[name] for name in posed.couplings])


def couplings_of_draws(posed: Posed, model: pm.Model, tree: xr.DataTree) -> np.ndarray:
    """The vector of all couplings at all draws, chain by chain."""
    rvs = [model[str(v.name)] for v in posed.of_couplings]
    graph = couplings(posed, model)
    f = function(rvs, graph, mode=INTERPRETED, on_unused_input="ignore")
    values = [tree.posterior[v.name].values for v in rvs]
    flat = [x.reshape(-1, *x.shape[2:]) for x in values]
    return np.array([f(*point) for point in zip(*flat, strict=True)])


def sample_parameters(model: pm.Model, run: Run, step: Any = None) -> xr.DataTree:
    """Sample the parameters of a model that has the likelihood of the states."""
    short = (run.draws + run.tune) * run.chains <= SHORT
    with model:
        return pm.sample(  # type: ignore[return-value]
            draws=run.draws,
            tune=run.tune,
            chains=run.chains,
            cores=1,
            step=step,
            random_seed=run.seed,
            progressbar=run.progressbar,
            compile_kwargs={"mode": INTERPRETED} if short else None,
        )

"""What a method of inference is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pymc as pm
import xarray as xr

from statmech_dsl.inference.parameter_model import coefficients, linear_energy, parameter_model
from statmech_dsl.inference.posed import Posed
from statmech_dsl.solvers.slopes import slopes

Partition = Callable[[Mapping[str, Any]], Any]
"""Graph of log Z of one state, as a function of the graphs of the coupling tables; it has a gradient."""


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


class Method(ABC):
    """A way to get at the posterior of parameters."""

    name: str
    """What users call it."""
    assumes: str
    """In one sentence for results and docs: what it takes for granted, and what is exact about it."""

    @abstractmethod
    def refuse(self, posed: Posed) -> str | None:
        """Why this method cannot serve a problem; None if it can."""

    @abstractmethod
    def infer(self, posed: Posed, run: Run) -> xr.DataTree:
        """Sample the posterior: groups ``posterior`` and ``sample_stats``; what a user should know in attrs."""


class PartitionMethod(Method):
    """A method that gives log Z as a function of the couplings, so that NUTS can do the rest."""

    @abstractmethod
    def log_partition(self, posed: Posed, run: Run) -> tuple[Partition, dict[str, Any]]:
        """Log Z, and what a user should know of how it was got."""

    def infer(self, posed: Posed, run: Run) -> xr.DataTree:  # noqa: D102
        partition, attrs = self.log_partition(posed, run)
        model = parameter_model(posed)
        tables = coefficients(posed, posed.couplings, model)
        r = posed.recovered
        each = slopes(r.ir, r.tables, posed.states(), posed.couplings)
        total = {name: s.sum(axis=0) for name, s in each.items()}
        with model:
            energy = linear_energy(total, tables)
            pm.Potential("log_likelihood", -energy - posed.n_states * partition(tables))
        return sample_parameters(model, run).assign_attrs(attrs)


def sample_parameters(model: pm.Model, run: Run, step: Any = None) -> xr.DataTree:
    """Sample the parameters of a model that has the likelihood of the states."""
    with model:
        return pm.sample(  # type: ignore[return-value]
            draws=run.draws,
            tune=run.tune,
            chains=run.chains,
            cores=1,
            step=step,
            random_seed=run.seed,
            progressbar=run.progressbar,
        )

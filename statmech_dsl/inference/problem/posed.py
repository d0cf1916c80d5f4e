"""A model with data: what is known, what is hidden, and which parameters are wanted.

The weight of the states x of n independent copies of a model, given its parameters theta, is

    p(x_1 ... x_n | theta) = exp(-sum_k E(x_k, theta)) / Z(theta)^n,

at T = 1. Energies alone make up Z. Other terms of the log-density that depend on states, such as the
likelihood of pixels, come on top, and ordinary priors too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
from numpy.typing import ArrayLike
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.inference.problem.observations import Observations, observe
from statmech_dsl.ir.marks import VariableMark, mark_of
from statmech_dsl.lower.recovery import Recovered, recover
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import Values


@dataclass(frozen=True, eq=False)
class Posed:
    """An inference problem.

    Attributes
    ----------
    model : Model
        As the user wrote it.
    recovered : Recovered
        Its terms; ``recovered.random`` are the coefficient tables that depend on parameters, and
        ``recovered.parameters`` their graphs.
    data : dict of str to Observations
        What was seen, by variable.
    """

    model: pm.Model
    recovered: Recovered
    data: dict[str, Observations]

    @property
    def n_states(self) -> int:
        """Number of independent states; one that is seen through other variables of the model only."""
        return next((x.n_states for x in self.data.values()), 1)

    @cached_property
    def parameters(self) -> tuple[Any, ...]:
        """All free random variables that are no states."""
        ours = {m.name for m in marks_of(self.model).values()}
        ours |= {f"{name}_unobserved" for name in ours}
        return tuple(v for v in self.model.free_RVs if v.name not in ours)

    @cached_property
    def couplings(self) -> tuple[str, ...]:
        """Coefficient tables of energies that depend on parameters: Z is a function of these."""
        read = {
            c.array
            for f in self.recovered.ir.families
            if f.tempered
            for c in f.columns
            if c.kind == "coefficient"
        }
        return tuple(sorted(read & self.recovered.random))

    @cached_property
    def of_couplings(self) -> tuple[Any, ...]:
        """The parameters that energies depend on."""
        behind = set(ancestors([self.recovered.parameters[name] for name in self.couplings]))
        return tuple(v for v in self.parameters if v in behind)

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """Variables with sites that were not seen in some state, and that are not clamped."""
        free = {v.name: self.recovered.tables[v.free] for v in self.recovered.ir.variables}
        return tuple(
            name
            for name, sites in free.items()
            if len(sites) and not (name in self.data and self.data[name].known[:, sites].all())
        )

    def tables_of(self, couplings: np.ndarray) -> dict[str, np.ndarray]:
        """Coupling tables, from all of them one after the other."""
        ends = np.cumsum([len(self.recovered.tables[name]) for name in self.couplings])[:-1]
        parts = np.split(np.array(couplings, float), ends)
        return dict(zip(self.couplings, parts, strict=True))

    def statistics_of(self, states: Values) -> np.ndarray:
        """Statistics S of states, [state, coupling], the couplings of all tables one after the other."""
        r = self.recovered
        each = slopes(r.ir, r.tables, states, self.couplings)
        return np.concatenate([each[name] for name in self.couplings], axis=1)

    def states(self) -> Values:
        """Rows of each variable that was seen or is clamped, one column for each state.

        Hidden sites hold zeros.
        """
        out = {}
        for v in self.recovered.ir.variables:
            x = np.zeros((self.n_states, v.n_sites, v.domain.components))
            if v.name in self.recovered.clamped:
                mask, values = self.recovered.clamped[v.name]
                x[:, mask] = values.reshape(v.n_sites, -1)[mask]
            if v.name in self.data:
                seen = self.data[v.name]
                known = seen.known
                x[known] = seen.values.reshape(x.shape)[known]
            out[v.name] = x.reshape(self.n_states, -1).T
        return out


def pose(model: pm.Model, data: Mapping[str, ArrayLike] | None) -> Posed:
    """Put a model and data together.

    Data may be left out where a likelihood in the model, such as that of pixels, tells of hidden states.

    Raises
    ------
    ModelError
        No energy depends on a parameter that is random, or such a parameter is discrete.
    ArgumentError, DomainError
        The data do not fit.
    """
    by_name = {m.name: m for m in marks_of(model).values()}
    recovered = recover(model)
    likelihood = any(not f.tempered for f in recovered.ir.energy_families)
    seen = {} if data is None and likelihood else observe(by_name, data or {})
    posed = Posed(model, recovered, seen)
    if not posed.parameters or not posed.recovered.random:
        raise ModelError(
            "no energy depends on a random variable: there is nothing to infer",
            mend="give a coupling a prior, such as J = pm.Normal('J', 0, 1)",
        )
    discrete = [
        str(v.name) for v in posed.parameters if v.dtype.startswith(("int", "uint", "bool"))
    ]
    if discrete:
        raise ModelError(
            f"the parameter {', '.join(discrete)} is discrete",
            mend="infer parameters that are real numbers, and compare models by sm.free_energy",
        )
    return posed


def marks_of(model: pm.Model) -> dict[Any, VariableMark]:
    """The variables of ours, and their marks."""
    return {
        v: mark for v in model.named_vars.values() if isinstance(mark := mark_of(v), VariableMark)
    }

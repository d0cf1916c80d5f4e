"""The model of the parameters given states that are whole, because what is hidden is sampled along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.compile.sharedvalue import shared as shared_variable
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.inference.problem.parameter_model import coefficients, parameter_model
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.term_graphs import energy_graph
from statmech_dsl.inference.states.hidden import Hidden
from statmech_dsl.inference.states.sweep_step import SweepHidden
from statmech_dsl.solvers.system import Values


class Completed:
    """A problem whose hidden states are sampled along.

    Parameters
    ----------
    posed : Posed
        The model with data.
    run : Run
        How long to sample.

    Attributes
    ----------
    model : Model
        The parameters, their priors, and terms that T does not divide given the states of the moment; energies
        and log Z are left to a method.
    moved : list of TensorVariable
        Values of the parameters that energies depend on.
    states : dict of str to ndarray
        The states of the moment, one in each column.
    follow : list of callables
        What is told new states.
    """

    def __init__(self, posed: Posed, run: Any) -> None:
        self.posed, self._run = posed, run
        self.model = parameter_model(posed)
        missing = [str(v.name) for v in posed.parameters if v.name not in self.model.named_vars]
        if missing:
            raise ModelError(
                f"the parameter {', '.join(missing)} depends on states",
                mend="give it a prior of its own, and let a likelihood or an energy tie it to states",
            )
        self.hidden = Hidden(posed, run.threads) if posed.hidden else None
        self.states: Values = self.hidden.values if self.hidden else posed.states()
        couplings = coefficients(posed, posed.couplings, self.model)
        behind = set(ancestors(self.model.replace_rvs_by_values(list(couplings.values()))))
        self.moved = [v for v in self.model.value_vars if v in behind]
        self.follow: list[Callable[[Values], None]] = []
        self._add_other_terms()
        self._step: SweepHidden | None = None

    def sweep(self) -> list[Any]:
        """The step that moves what is hidden, if anything is."""
        if self.hidden is None:
            return []
        step: Any = SweepHidden(
            self.moved,
            posed=self.posed,
            hidden=self.hidden,
            follow=self.follow,
            store=self._run.store,
            model=self.model,
        )
        self._step = step
        return [step]

    def add_to(self, tree: xr.DataTree) -> None:
        """Put marginals of what was hidden into group ``hidden``, stored states into ``posterior``."""
        if self._step is None:
            return
        marginals, states = {}, {}
        for v in self.posed.recovered.ir.variables:
            chains = [found[v.name] for found in self._step.marginals if v.name in found]
            if not chains:
                continue
            shape, dims = v.shape, [f"{v.name}_dim_{k}" for k in range(len(v.shape))]
            x = np.moveaxis(np.array(chains), 2, 1)
            more = x.shape[3:]
            marginals[v.name] = xr.DataArray(
                x.reshape(len(chains), -1, *shape, *more),
                dims=["chain", "state", *dims, *([f"{v.name}_value"] if more else [])],
                coords={f"{v.name}_value": list(v.domain.values or ())} if more else {},
            )
            if v.name in self._run.store:
                kept = np.array([found[v.name] for found in self._step.states])
                kept = np.moveaxis(kept, 3, 2).reshape(*kept.shape[:2], -1, *shape)
                states[v.name] = (["chain", "draw", "state", *dims], kept)
        tree["hidden"] = xr.DataTree(xr.Dataset(marginals))
        if states:
            tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().assign(states))

    def _add_other_terms(self) -> None:
        """Terms of states and parameters that T does not divide, such as the likelihood of pixels."""
        r = self.posed.recovered
        random = r.random - set(self.posed.couplings)
        families = tuple(
            f
            for f in r.ir.energy_families
            if not f.tempered and any(c.array in r.random for c in f.columns)
        )
        if not families:
            return
        shared = {name: shared_variable(x, name) for name, x in self.states.items()}
        graphs = coefficients(self.posed, random | set(self.posed.couplings), self.model)
        with self.model:
            energy = energy_graph(r.ir, r.tables, families, shared, graphs)
            pm.Potential("other_terms_of_states", -energy)

        def follow(values: Values) -> None:
            for name, x in values.items():
                shared[name].set_value(x)

        self.follow.append(follow)

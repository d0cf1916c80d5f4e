"""Points of PyMC: dictionaries of the (transformed) values of all free random variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
from pymc.pytensorf import compile as compile_graphs
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.marks import VariableMark, mark_of
from statmech_dsl.lang.random_variable import TRANSFORMS, DomainRV


@dataclass(frozen=True, eq=False)
class Place:
    """Where a variable of ours lies in a point.

    ``declared`` is what the user holds, ``rv`` the free random variable, which has only the sites
    that are not clamped, and ``value`` its value in a point; ``transformed`` says whether that is
    another than the value of the sites.
    """

    mark: VariableMark
    declared: Any
    rv: Any
    value: Any
    transformed: bool

    @property
    def name(self) -> str:
        """Name of the variable in a program."""
        return self.mark.name

    @property
    def key(self) -> str:
        """Name of the value in a point."""
        return self.value.name

    @cached_property
    def rows(self) -> Any:
        """Rows of a state that the value holds."""
        if self.mark.clamped is None:
            return slice(None)
        return np.flatnonzero(np.repeat(~self.mark.clamped, self.mark.domain.components))


def places(model: pm.Model) -> list[Place]:
    """The variables of ours that have free sites.

    Raises
    ------
    ModelError
        A transform makes that moving one of them would move something else, too.
    """
    found = []
    for v in model.named_vars.values():
        if not isinstance(mark := mark_of(v), VariableMark):
            continue
        rv = v if v in model.free_RVs else model.named_vars.get(f"{v.name}_unobserved")
        if rv is None:
            continue
        transform = model.rvs_to_transforms[rv]
        # Of these a value is also the value of its own transform: none is needed on the way back.
        if transform not in TRANSFORMS.values():
            raise ModelError(
                f"the transform of {v.name} is {transform}, which sm.LocalGibbs does not know",
                mend="leave variables of statmech_dsl their own transforms",
            )
        found.append(Place(mark, v, rv, model.rvs_to_values[rv], transform is not None))
    _refuse_bound(model, found)
    return found


def _refuse_bound(model: pm.Model, ours: Sequence[Place]) -> None:
    """Raise for variables whose values in a point mean something else when ours move."""
    values = {p.value for p in ours}
    others = [v for v in model.free_RVs if v not in {p.rv for p in ours}]
    for rv, natural in zip(others, model.replace_rvs_by_values(others), strict=True):
        if bound := values.intersection(ancestors([natural])):
            names = ", ".join(sorted(p.mark.name for p in ours if p.value in bound))
            raise ModelError(
                f"the bounds of {rv.name} depend on {names}, so that both would move at once",
                mend="give it bounds that do not depend on states, and scale or shift the result",
            )


def choose(model: pm.Model, wanted: Sequence[Any] | None) -> list[Any]:
    """The free random variables that a user or PyMC names; None: all discrete ones.

    Raises
    ------
    ModelError
        A variable is not free, is of another model, or has values between whole numbers and is not
        ours.
    """
    discrete = [model.values_to_rvs[v] for v in model.discrete_value_vars]
    wanted = discrete if wanted is None else wanted
    found = []
    for v in wanted if isinstance(wanted, Sequence) else [wanted]:
        rv: Any = model.values_to_rvs.get(v, v)
        if rv in model.deterministics:  # of a partly observed variable, what PyMC joins again
            rv = model.named_vars.get(f"{rv.name}_unobserved")
        if rv not in model.free_RVs:
            names = ", ".join(str(x.name) for x in model.free_RVs)
            raise ModelError(
                f"sm.LocalGibbs cannot move {v}, which is no free random variable of this model",
                where=f"those are: {names}" if names else "it has none",
                mend="name variables of this model; observed ones stay what they are",
            )
        if not isinstance(rv.owner.op, DomainRV) and rv not in discrete:
            raise ModelError(
                f"sm.LocalGibbs cannot move {rv.name}, a continuous variable of PyMC",
                mend="leave it to NUTS; where pm.Truncated makes whole numbers continuous, write "
                "n = pm.DiscreteUniform(...) and pm.Potential('prior', pm.logp(dist, n))",
            )
        found.append(rv)
    if not found:
        raise ModelError(
            "sm.LocalGibbs has nothing to move: the model has no free discrete variable",
            mend="leave the step out",
        )
    return found


def follow_points(model: pm.Model, graphs: Mapping[str, Any]) -> set[str]:
    """Names of the graphs whose value, or whose shape, is read off a point; others read data only."""
    outputs = model.replace_rvs_by_values(list(graphs.values()))
    values = set(model.value_vars)
    named = zip(graphs, outputs, strict=True)
    return {name for name, x in named if values.intersection(ancestors([x]))}


class PointFunction:
    """Named graphs of random variables and data as a function of a point.

    Parameters
    ----------
    model : Model
        The model of the points.
    graphs : mapping of str to TensorVariable
        The graphs.
    compile_kwargs : mapping, optional
        How to compile them.
    """

    def __init__(
        self, model: pm.Model, graphs: Mapping[str, Any], compile_kwargs: Mapping[str, Any] | None
    ) -> None:
        outputs = model.replace_rvs_by_values(list(graphs.values()))
        behind = set(ancestors(outputs))
        inputs = [v for v in model.value_vars if v in behind]
        self._names, self._inputs = tuple(graphs), tuple(str(v.name) for v in inputs)
        # Compiling nothing would take time, too.
        self._function = compile_graphs(inputs, outputs, **compile_kwargs or {}) if graphs else None

    def __call__(self, point: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Values of the graphs by name."""
        if self._function is None:
            return {}
        values = self._function(*(point[name] for name in self._inputs))
        return dict(zip(self._names, values, strict=True))

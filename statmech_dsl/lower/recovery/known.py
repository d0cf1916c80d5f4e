"""Present values of what does not depend on our variables: couplings, indices, masks, exponents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pymc as pm
from pymc.initial_point import make_initial_point_expression
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Shape, Shape_i

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.marks import VariableMark, mark_of
from statmech_dsl.lower.recovery.graph import describe, inline, postorder


class Known:
    """Evaluates graphs in Python, node by node.

    Free random variables of the model stand at its initial point, observed ones at their data.

    Parameters
    ----------
    model : pymc.Model
        The model.
    shape_of : callable
        Shape of any variable; that of a state is known although its value is not.
    """

    def __init__(self, model: pm.Model, shape_of: Callable[[Variable], tuple[int, ...]]) -> None:
        self._model, self._shape_of = model, shape_of
        ordinary = [v for v in model.basic_RVs if not isinstance(mark_of(v), VariableMark)]
        self.free = frozenset(v for v in ordinary if v in model.free_RVs)
        self.observed = {v: model.rvs_to_values[v] for v in ordinary if v not in self.free}
        self._initial: dict[Variable, Variable] = {}
        self._values: dict[Variable, Any] = {}

    def is_boundary(self, v: Variable) -> bool:
        """Whether a variable is an ordinary random variable of the model."""
        return v in self.free or v in self.observed

    def is_random(self, v: Variable) -> bool:
        """Whether a graph depends on free random variables."""
        return any(x in self.free for x in self._behind(v))

    def is_fixed(self, v: Variable) -> bool:
        """Whether a graph depends on constants and shapes only, so that its value never changes."""
        return not any(x in self.free or isinstance(x, SharedVariable) for x in self._behind(v))

    def _behind(self, v: Variable) -> list[Variable]:
        seen: set[Variable] = set()
        for x in postorder(v, self._parents, seen):
            seen.add(x)
        return list(seen)

    def _parents(self, v: Variable) -> Iterable[Variable]:
        """What the value of a variable depends on; shapes are part of a model's structure."""
        if v.owner is None or self.is_boundary(v) or isinstance(mark_of(v), VariableMark):
            return ()
        if isinstance(v.owner.op, Shape | Shape_i):
            return ()
        return v.owner.inputs

    def value(self, v: Variable) -> Any:
        """Present value of a graph."""
        if isinstance(v, Constant):
            return v.data
        for x in postorder(v, self._inputs, self._values):
            self._values.update(self._evaluate(x))
        return self._values[v]

    def structure(self, v: Variable) -> Any:
        """Present value of what decides which sites interact, or how: it must not be random."""
        if self.is_random(v):
            raise NonLocalEnergyError(
                "an index, an exponent or a sparse matrix depends on a random variable",
                where=f"in {describe(v)}",
                mend="sum over its values with pt.eq, or multiply by random coefficients",
            )
        return self.value(v)

    def _inputs(self, v: Variable) -> Iterable[Variable]:
        if v in self.free:
            return (self._initial_value(v),)
        if v in self.observed:
            return (self.observed[v],)
        inlined = v.owner is not None and isinstance(v.owner.op, OpFromGraph)
        return () if inlined else self._parents(v)

    def _evaluate(self, v: Variable) -> dict[Variable, Any]:
        """Value of a variable whose inputs are evaluated, and of its siblings."""
        node = v.owner
        if isinstance(mark := mark_of(v), VariableMark):  # only initial points come here
            return {v: mark.domain.cold(mark.n_sites).reshape(mark.shape)}
        if self.is_boundary(v):
            return {v: self._values[next(iter(self._inputs(v)))]}
        if isinstance(v, Constant):
            return {v: v.data}
        if isinstance(v, SharedVariable):
            return {v: v.get_value(borrow=True)}
        if node is None or isinstance(node.op, RandomVariable):
            raise EnergyError(
                f"it depends on {describe(v)}, which has no value",
                mend="use numbers, arrays, pm.Data or random variables of this model",
            )
        if isinstance(node.op, Shape):
            return {v: np.array(self._shape_of(node.inputs[0]), dtype=np.int64)}
        if isinstance(node.op, Shape_i):
            return {v: np.array(self._shape_of(node.inputs[0])[node.op.i], dtype=np.int64)}
        if isinstance(node.op, OpFromGraph):
            return {v: self.value(inline(node, node.outputs.index(v)))}
        storage = {x: [self._values.get(x)] for x in (*node.inputs, *node.outputs)}
        computed = {x: [x in node.inputs] for x in storage}
        node.op.make_thunk(node, storage, computed, no_recycling=[], impl="py")()
        return {x: storage[x][0] for x in node.outputs}

    def _initial_value(self, v: Variable) -> Variable:
        if not self._initial:
            m = self._model
            graphs = make_initial_point_expression(
                free_rvs=m.free_RVs,
                rvs_to_transforms=m.rvs_to_transforms,
                initval_strategies=m.rvs_to_initial_values,
            )
            self._initial = dict(zip(m.free_RVs, graphs, strict=True))
        return self._initial[v]

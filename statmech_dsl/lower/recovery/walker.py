"""The walk over a PyTensor graph: each variable becomes a `Value`, by one rule per kind of Op."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import pymc as pm
from pytensor.graph.basic import Apply, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar.basic import Second
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Shape, Shape_i

from statmech_dsl.errors import EnergyError, ModelError, NonLocalEnergyError
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import slot
from statmech_dsl.ir.marks import VariableMark, mark_of
from statmech_dsl.lower.recovery.algebra import sum_over
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.graph import describe, postorder
from statmech_dsl.lower.recovery.known import Known
from statmech_dsl.lower.recovery.sums import Sums, collapse, separate
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value


class Walker:
    """Turns graphs of our variables into sums of local terms.

    Parameters
    ----------
    model : pymc.Model
        The model, for the present values of what does not depend on our variables.
    marks : iterable of VariableMark
        Our variables; the walk stops at them.
    """

    def __init__(self, model: pm.Model, marks: Iterable[VariableMark]) -> None:
        self._marks = {id(m): m for m in marks}
        self.domains: Mapping[str, Domain] = {m.name: m.domain for m in self._marks.values()}
        self.known = Known(model, self.shape_of)
        self.coefficients = Coefficients(self.known)
        self.sums = Sums(self.coefficients)
        self._values: dict[Variable, Value] = {}
        self._depends: dict[Variable, bool] = {}

    def total(self, term: str, v: Variable) -> Value:
        """The sum over all elements of an energy term, as a scalar."""
        self.sums.term = term
        return self.sum(self(v), None)

    def __call__(self, v: Variable) -> Value:
        """A tensor as a sum of local terms."""
        for x in postorder(v, self._walked_inputs, self._values):
            self._values[x] = self._visit(x)
        return self._values[v]

    def depends(self, v: Variable) -> bool:
        """Whether a variable depends on the values of our variables (not only on their shapes)."""
        for x in postorder(v, self._valued_inputs, self._depends):
            self._depends[x] = self._mark(x) is not None or any(
                self._depends[i] for i in self._valued_inputs(x)
            )
        return self._depends[v]

    def collapse(self, v: Value) -> Value:
        """The same tensor with one instance at each element; large sums become running sums."""
        return collapse(v, self.sums)

    def sum(self, v: Value, axes: tuple[int, ...] | None) -> Value:
        """Sum over axes (None: all)."""
        return separate(sum_over(v, axes), self.sums)

    def shape_of(self, v: Variable) -> tuple[int, ...]:
        """Shape of a variable at the present shapes of data."""
        static = v.type.shape  # type: ignore[attr-defined]
        if None not in static:
            return static
        return self(v).shape if self.depends(v) else np.shape(self.known.value(v))

    def _mark(self, v: Variable) -> VariableMark | None:
        mark = mark_of(v)
        if not isinstance(mark, VariableMark):
            return None
        if id(mark) not in self._marks:
            raise ModelError(
                f"an energy of this model uses the variable {mark.name!r} of another one",
                mend="declare all variables of an energy in the model that the energy is in",
            )
        return mark

    def _valued_inputs(self, v: Variable) -> Iterable[Variable]:
        node = v.owner
        if node is None or isinstance(node.op, Shape | Shape_i | RandomVariable):
            return ()
        return () if self._mark(v) or self.known.is_boundary(v) else _read_inputs(node)

    def _walked_inputs(self, v: Variable) -> Iterable[Variable]:
        if self._mark(v) or not self.depends(v):
            return ()
        return [i for i in _read_inputs(v.owner) if self.depends(i)]  # type: ignore[arg-type]

    def _visit(self, v: Variable) -> Value:
        try:
            if mark := self._mark(v):
                return _variable(mark)
            if not self.depends(v):
                return self.coefficients.value(v)
            node = v.owner
            assert node is not None
            return rule(node.op, node, node.outputs.index(v), self)
        except EnergyError as e:
            if e.where:
                raise
            raise type(e)(e.what, where=describe(v), mend=e.mend) from e


def _read_inputs(node: Apply) -> Iterable[Variable]:
    """Inputs whose values matter: not the conditions of a check, nor what only gives a shape."""
    if isinstance(node.op, CheckAndRaise):
        return node.inputs[:1]
    if isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Second):
        return node.inputs[1:]
    return node.inputs


def _variable(mark: VariableMark) -> Value:
    n = int(np.prod(mark.shape, dtype=np.int64))
    leaf = Leaf("state", mark.name, np.arange(n, dtype=np.uint32))
    return Value(mark.shape, (Term(slot(0), (leaf,), None, n),))


@singledispatch
def rule(op: Any, node: Apply, k: int, walk: Walker) -> Value:
    """Output ``k`` of a node as a sum of local terms.

    To support another Op, register a function for its type, and say what it does with positions or
    with terms; ``walk(variable)`` gives the value of an input.
    """
    name = str(op).split("{")[0]
    known = f"{type(op).__name__} {name}"
    mend = next((text for key, text in _INSTEAD.items() if key in known), None)
    raise NonLocalEnergyError(
        f"{name} of the states is not a sum of local terms",
        mend=mend or "write the energy with indexing, arithmetic, sums and elementwise functions",
    )


_INSTEAD = {
    "Scan": "write the steps out with array operations: s[1:] * s[:-1] instead of a loop",
    "Cumsum": "multiply by a triangular matrix of ones, tri @ s, or index partial sums explicitly",
    "Cumprod": "introduce the partial products as variables of their own",
    "IfElse": "use pt.switch",
    "Argmax": "compare all values pairwise, or use pt.max over at most 8 of them",
    "Sort": "an energy that depends on ranks is not local",
    "Det": "an energy with a determinant is not local; introduce auxiliary fields",
    "FFT": "write the Fourier sums with matrices of cosines and sines: (C @ s)**2 + (S @ s)**2",
    "Convolve": "use pt.roll or an index array of neighbors",
    "Nonzero": "use pt.where or multiply by a mask",
}

"""Where to cut the graph of an observable: at its innermost sums of local terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Variable
from pytensor.scalar.basic import Add
from pytensor.tensor.elemwise import CAReduce

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.lower.recovery.algebra import reshape
from statmech_dsl.lower.recovery.terms import Leaf, size_of
from statmech_dsl.lower.recovery.walker import Walker

MAX_ELEMENTS = 64
"""Numbers that an observable may ask of a state: with many more, unpacking it costs less."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """An input of what is left of a graph: ``factor`` times a sum, in the shape and type of the graph."""

    sum_name: str
    factor: float
    shape: tuple[int, ...]
    dtype: str


@dataclass(eq=False)
class Cutter:
    """Cuts graphs into sums and functions of them."""

    walker: Walker
    _done: dict[Variable, dict[Variable, Reduction] | EnergyError] = field(default_factory=dict)

    def observable(self, graph: Variable) -> dict[Variable, Reduction]:
        """Where to cut an observable."""
        found = self._cut(graph)
        n = sum(size_of(x.shape) for x in found.values())
        if n > MAX_ELEMENTS:
            raise NonLocalEnergyError(_too_many(n))
        return found

    def _cut(self, v: Variable) -> dict[Variable, Reduction]:
        if v not in self._done:
            try:
                self._done[v] = self._innermost(v)
            except EnergyError as error:
                self._done[v] = error
        found = self._done[v]
        if isinstance(found, EnergyError):
            raise found
        return found

    def _innermost(self, v: Variable) -> dict[Variable, Reduction]:
        """Cut at the innermost sums; where they are none or too many, further out."""
        if not self.walker.depends(v):
            return {}
        behind = [x for x in v.owner.inputs if self.walker.depends(x)] if v.owner else []
        if behind and all(map(self._holds_sum, behind)):
            try:
                return {w: x for u in behind for w, x in self._cut(u).items()}
            except EnergyError:
                pass
        return {v: self._reduction(v)}

    def _holds_sum(self, v: Variable) -> bool:
        """Whether all of a graph that depends on states lies behind sums."""
        if v.owner is None:
            return False
        behind = [x for x in v.owner.inputs if self.walker.depends(x)]
        return _adds(v.owner.op) or all(map(self._holds_sum, behind))

    def _reduction(self, v: Variable) -> Reduction:
        """A graph as a sum of local terms."""
        shape = self.walker.shape_of(v)
        if size_of(shape) > MAX_ELEMENTS:
            raise NonLocalEnergyError(_too_many(size_of(shape)))
        value = self.walker(v)
        if any(t.reads("sum") for t in value.terms):
            raise NonLocalEnergyError("a nonlinear function of a sum is summed again")
        total = self.walker.sums.read(reshape(value, (value.size,)))
        numbers = [1.0 if x.kind == "sum" else self._present(x) for x in total.leaves]
        (name,) = (x.array for x in total.leaves if x.kind == "sum")
        return Reduction(name, evaluate(total.expr, numbers, {}), shape, v.type.dtype)  # type: ignore[attr-defined]

    def _present(self, leaf: Leaf) -> float:
        return float(self.walker.coefficients.entries(leaf))


def _too_many(n: int) -> str:
    return f"it takes {n:,} numbers from the state; at most {MAX_ELEMENTS} are measured as sums"


def _adds(op: Any) -> bool:
    """Whether an operation adds up."""
    core = getattr(op, "core_op", op)
    if isinstance(core, OpFromGraph):
        return any(_adds(node.op) for node in core.fgraph.apply_nodes)
    adds = isinstance(core, CAReduce) and isinstance(core.scalar_op, Add)
    return adds or "Dot" in type(core).__name__  # of dense, batched and sparse matrices

"""The pass that carries periodic shifts to what is stored.

A Roll of an elementwise expression becomes the expression of Rolls, so that only stored arrays are
rolled, and elementwise kernels read those at shifted indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import MergeOptimizer, node_rewriter, out2in
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from statmech_dsl.backends.pytensor_cupy.roll import Roll, roll

MOST_NODES = 64
"""A Roll is carried into expressions of at most so many elementwise Ops: each is computed again."""


@node_rewriter([Roll])
def local_roll_of_elemwise(fgraph: Any, node: Apply) -> list[Variable] | None:
    """A Roll of an elementwise expression, or of a Roll, is carried to what is stored."""
    (x,) = node.inputs
    shifts = node.op.shifts
    shortened = roll(x, shifts)
    if shortened.owner is None or not isinstance(shortened.owner.op, Roll):
        return [shortened]
    x, shifts = shortened.owner.inputs[0], shortened.owner.op.shifts
    inner = x.owner
    if inner is None or not isinstance(inner.op, Elemwise | DimShuffle):
        return [shortened] if shifts != node.op.shifts else None
    if isinstance(inner.op, DimShuffle):
        return _through_dimshuffle(inner, shifts)
    if len(inner.outputs) > 1 or _n_elementwise(x) > MOST_NODES:
        return None
    # An axis of length one is not rolled: `roll` leaves out what does nothing.
    moved = [roll(v, shifts) for v in inner.inputs]
    return list(inner.op.make_node(*moved).outputs)


def _through_dimshuffle(node: Apply, shifts: Sequence[int]) -> list[Variable] | None:
    """Only axes of length one are added: the others keep their order."""
    order = [a for a in node.op.new_order if a != "x"]
    (x,) = node.inputs
    if order != list(range(x.type.ndim)):  # type: ignore[attr-defined]
        return None
    kept = [s for s, a in zip(shifts, node.op.new_order, strict=True) if a != "x"]
    return [node.op(roll(x, kept))]


def _n_elementwise(v: Variable) -> int:
    """How many elementwise Ops are computed between v and what is stored."""
    seen, todo = set(), [v]
    while todo:
        node = todo.pop().owner
        if node is not None and node not in seen and isinstance(node.op, Elemwise | DimShuffle):
            seen.add(node)
            todo += node.inputs
    return len(seen)


CARRY_ROLLS = (out2in(local_roll_of_elemwise), MergeOptimizer())
"""What was computed with and without a shift is often equal now."""

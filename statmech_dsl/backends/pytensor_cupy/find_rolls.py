"""The pass that finds periodic shifts.

`pt.roll` joins two slices, which would copy the whole array, and its gradient adds the two parts of a
Split to slices of zeros. Both become a Roll. A shift is found if it is a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import in2out, node_rewriter, out2in
from pytensor.scalar.basic import Add, Cast, Mod, Mul, Neg, Second
from pytensor.tensor.basic import (
    Join,
    ScalarFromTensor,
    Split,
    get_underlying_scalar_constant_value,
)
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.exceptions import NotScalarConstantError
from pytensor.tensor.math import add
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import IncSubtensor, Subtensor, indices_from_subtensor

from statmech_dsl.backends.pytensor_cupy.roll import roll


@node_rewriter([Join])
def local_join_to_roll(fgraph: Any, node: Apply) -> list[Variable] | None:
    """``join(x[k:], x[:k])`` is x rolled by -k."""
    axis = node.op.axis
    if len(node.inputs) != 2:
        return None
    parts = [_slice_along(v, axis, Subtensor) for v in node.inputs]
    if not all(parts):
        return None
    (x, front), (same, back) = parts  # type: ignore[misc]
    shift = _shift(x, axis, front, back) if x is same else None
    return None if shift is None else [roll(x, _along(axis, shift, x.type.ndim))]


@node_rewriter([Elemwise])
def local_split_gradient_to_roll(fgraph: Any, node: Apply) -> list[Variable] | None:
    """The gradient of a Roll: a sum with the parts of a Split added to slices of zeros."""
    if not isinstance(node.op.scalar_op, Add):
        return None
    terms = list(_terms(node.outputs[0]))
    added = [k for k, t in enumerate(terms) if t.owner and isinstance(t.owner.op, IncSubtensor)]
    for k in added:
        for j in added:
            if (rolled := _rolled_back(terms[k], terms[j])) is not None:
                rest = [t for i, t in enumerate(terms) if i not in (k, j)]
                return [add(rolled, *rest) if rest else rolled]  # type: ignore[list-item]
    return None


def _rolled_back(front: Variable, back: Variable) -> Variable | None:
    first, second = _split_output(front, 0), _split_output(back, 1)
    if first is None or second is not first:
        return None
    g, axis = first.inputs[0], first.op.axis
    if g.type != front.type:
        return None
    (zeros, start), (same, stop) = (_slice_along(v, axis, IncSubtensor) for v in (front, back))  # type: ignore[misc]
    like = _zeros_like(zeros)
    if like is None or same is not zeros:
        return None
    shift = _shift(like, axis, start, stop)
    return None if shift is None else roll(g, _along(axis, -shift, g.type.ndim))  # type: ignore[attr-defined]


def _split_output(v: Variable, k: int) -> Apply | None:
    """The Split whose k-th part is added to a slice of v."""
    node = v.owner
    if node is None or not isinstance(node.op, IncSubtensor) or node.op.set_instead_of_inc:
        return None
    split = node.inputs[1].owner
    if split is None or not isinstance(split.op, Split) or split.op.len_splits != 2:
        return None
    if split.outputs[k] is not node.inputs[1]:
        return None
    return split if _slice_along(v, split.op.axis, IncSubtensor) else None


def _slice_along(v: Variable, axis: int, kind: type) -> tuple[Variable, slice] | None:
    """What a node takes a slice of along one axis only, and the slice."""
    node = v.owner
    if node is None or not isinstance(node.op, kind):
        return None
    skipped = 1 if kind is Subtensor else 2
    indices: Any = indices_from_subtensor(node.inputs[skipped:], node.op.idx_list)
    if axis >= len(indices) or not all(isinstance(i, slice) for i in indices):
        return None
    others = [i for k, i in enumerate(indices) if k != axis]
    if any(i != slice(None) for i in others) or indices[axis].step is not None:
        return None
    return node.inputs[0], indices[axis]


def _shift(x: Variable, axis: int, front: slice, back: slice) -> int | None:
    """The shift s if the slices are x[k:] and x[:k] with k = -s, or -(s modulo the length)."""
    k = front.start
    starts_at_zero = back.start is None or _constant(back.start) == 0
    if k is None or front.stop is not None or not starts_at_zero or not _are_equal(k, back.stop):
        return None
    n = x.type.shape[axis]  # type: ignore[attr-defined]
    if (c := _constant(k)) is not None:
        return -c if abs(c) <= (1 if n is None else n) else None
    modulo = _negated(_stripped(k))
    node = modulo.owner if modulo is not None else None
    if node is None or not _is_elemwise(node, Mod) or not _is_length(node.inputs[1], x, axis):
        return None
    return _constant(node.inputs[0])


def _are_equal(a: Any, b: Any) -> bool:
    return a is b or (_constant(a) is not None and _constant(a) == _constant(b))


def _constant(v: Any) -> int | None:
    if isinstance(v, Variable):
        try:
            return int(get_underlying_scalar_constant_value(_stripped(v)))
        except NotScalarConstantError:
            return None
    return v


def _stripped(v: Any) -> Any:
    while v.owner is not None and (
        isinstance(v.owner.op, ScalarFromTensor) or _is_elemwise(v.owner, Cast)
    ):
        v = v.owner.inputs[0]
    return v


def _negated(v: Variable) -> Variable | None:
    if v.owner is not None and _is_elemwise(v.owner, Neg):
        return v.owner.inputs[0]
    if v.owner is not None and _is_elemwise(v.owner, Mul) and len(v.owner.inputs) == 2:
        a, b = v.owner.inputs
        return b if _constant(a) == -1 else a if _constant(b) == -1 else None
    return None


def _is_elemwise(node: Apply, scalar_op: type) -> bool:
    return isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, scalar_op)


def _is_length(v: Variable, x: Variable, axis: int) -> bool:
    """Whether v is the length of x along an axis."""
    n = x.type.shape[axis]  # type: ignore[attr-defined]
    if n is not None and _constant(v) == n:
        return True
    node = _stripped(v).owner
    if node is None:
        return False
    if isinstance(node.op, Shape_i):
        return node.op.i == axis and node.inputs[0] is x
    if isinstance(node.op, Subtensor) and isinstance(getattr(node.inputs[0].owner, "op", 0), Shape):
        index = indices_from_subtensor(node.inputs[1:], node.op.idx_list)
        same = node.inputs[0].owner.inputs[0] is x  # type: ignore[union-attr]
        return same and not isinstance(index[0], slice) and _constant(index[0]) == axis
    return False


def _zeros_like(v: Variable) -> Variable | None:
    """The x of which v is `zeros_like(x)`."""
    if v.owner is None or not _is_elemwise(v.owner, Second):
        return None
    x, value = v.owner.inputs
    return x if _constant(value) == 0 and x.type.shape == v.type.shape else None  # type: ignore[attr-defined]


def _terms(v: Variable) -> Iterator[Variable]:
    if v.owner is not None and _is_elemwise(v.owner, Add):
        for x in v.owner.inputs:
            yield from _terms(x)
    else:
        yield v


def _along(axis: int, shift: int, ndim: int) -> list[int]:
    return [shift if k == axis else 0 for k in range(ndim)]


FIND_ROLLS = (out2in(local_split_gradient_to_roll), in2out(local_join_to_roll))
"""Gradients first: they are recognized by the lengths of the slices that were joined."""

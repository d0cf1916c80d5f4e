"""Operations that only move elements, and those that do nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.ops import DeepCopyOp, ViewOp
from pytensor.graph.basic import Apply
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    ExtractDiag,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.extra_ops import FillDiagonal, FillDiagonalOffset, Repeat
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)

from statmech_dsl.lower.recovery.algebra import add, broadcast, concatenate, reshape, take
from statmech_dsl.lower.recovery.graph import inline
from statmech_dsl.lower.recovery.rules.lookup import look_up, refuse_indices
from statmech_dsl.lower.recovery.rules.positions import moved
from statmech_dsl.lower.recovery.terms import Value, at
from statmech_dsl.lower.recovery.walker import Walker, rule


@rule.register
def _unchanged(
    op: SpecifyShape | TensorFromScalar | ScalarFromTensor | ViewOp | DeepCopyOp | CheckAndRaise,
    node: Apply,
    k: int,
    walk: Walker,
) -> Value:
    return walk(node.inputs[0])


@rule.register
def _graph(op: OpFromGraph, node: Apply, k: int, walk: Walker) -> Value:
    return walk(inline(node, k))


@rule.register
def _move(op: Alloc | ExtractDiag | Repeat | Split, node: Apply, k: int, walk: Walker) -> Value:
    return take(walk(node.inputs[0]), moved(op, node.inputs[:1], node.inputs[1:], walk, k))


@rule.register
def _move_two(op: FillDiagonal | FillDiagonalOffset, node: Apply, k: int, walk: Walker) -> Value:
    return _move_many(op, node, 2, walk)


@rule.register
def _join(op: Join, node: Apply, k: int, walk: Walker) -> Value:
    return _move_many(op, node, len(node.inputs), walk)


@rule.register
def _make_vector(op: MakeVector, node: Apply, k: int, walk: Walker) -> Value:
    return concatenate([walk(x) for x in node.inputs])


@rule.register
def _reshape(op: Reshape, node: Apply, k: int, walk: Walker) -> Value:
    v = walk(node.inputs[0])
    wanted = tuple(int(n) for n in walk.known.structure(node.inputs[1]))
    return reshape(v, np.empty(v.shape, bool).reshape(wanted).shape)


@rule.register
def _dimshuffle(op: DimShuffle, node: Apply, k: int, walk: Walker) -> Value:
    axes = [a for a in op.new_order if a != "x"]
    if axes != sorted(axes):
        return _move(op, node, k, walk)
    v = walk(node.inputs[0])
    return reshape(v, tuple(1 if a == "x" else v.shape[a] for a in op.new_order))


@rule.register
def _index(op: Subtensor | AdvancedSubtensor, node: Apply, k: int, walk: Walker) -> Value:
    if any(walk.depends(x) for x in node.inputs[1:]):
        return look_up(op, node, walk)
    return _move(op, node, k, walk)


@rule.register
def _set_or_add(
    op: IncSubtensor | AdvancedIncSubtensor, node: Apply, k: int, walk: Walker
) -> Value:
    x, y, *indices = node.inputs
    if any(walk.depends(i) for i in indices):
        raise refuse_indices()
    if op.set_instead_of_inc:
        return _move_many(op, node, 2, walk)
    gather = Subtensor if isinstance(op, IncSubtensor) else AdvancedSubtensor
    target = moved(gather(op.idx_list), [x], indices, walk)
    added = broadcast(walk(y), target.shape)
    terms = tuple(replace(t, out=at(target.ravel(), t.out)) for t in added.terms)
    return add(walk(x), Value(walk.shape_of(x), terms))


def _move_many(op: object, node: Apply, n_data: int, walk: Walker) -> Value:
    data, rest = node.inputs[:n_data], node.inputs[n_data:]
    return take(concatenate([walk(x) for x in data]), moved(op, data, rest, walk))

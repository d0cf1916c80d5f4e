"""Products of tensors: elementwise and matrix products."""

from __future__ import annotations

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot

from statmech_dsl.ir.expr import call
from statmech_dsl.lower.recovery.algebra import (
    broadcast,
    common_shape,
    join,
    pair,
    product,
    reshape,
    times,
)
from statmech_dsl.lower.recovery.sums import MAX_ARITY
from statmech_dsl.lower.recovery.terms import Positions, Term, Value, counts, size_of
from statmech_dsl.lower.recovery.walker import Walker, rule


def multiply(a: Value, b: Value, walk: Walker) -> Value:
    """Elementwise product."""
    if a is b:
        return walk.collapse(a).map(lambda e: call("sqr", e))
    return product(*with_running_sums(a, b, walk))


def with_running_sums(a: Value, b: Value, walk: Walker) -> tuple[Value, Value]:
    """The factors of an elementwise product, ready to be expanded."""
    shape = common_shape(a.shape, b.shape)
    return _ready(a, b, a.shape != shape, b.shape != shape, walk)


def _ready(a: Value, b: Value, a_again: bool, b_again: bool, walk: Walker) -> tuple[Value, Value]:
    """Make running sums of what should not be expanded.

    ``s * (J @ s)`` expands into pairs. A long sum that is multiplied by another one, by a function
    of running sums, or that is used again and again (``again``), is one number: a running sum.
    """
    most_a, most_b = _largest(a), _largest(b)
    if max(most_a, most_b) <= MAX_ARITY:
        few = most_a * most_b <= MAX_ARITY
        return (a, b) if few else (walk.collapse(a), walk.collapse(b))
    if most_a > MAX_ARITY and (most_b > MAX_ARITY or a_again or _reads_sum(b)):
        a = walk.collapse(a)
    if most_b > MAX_ARITY and (most_a > MAX_ARITY or b_again or _reads_sum(a)):
        b = walk.collapse(b)
    return a, b


def _largest(v: Value) -> int:
    """Largest number of instances at an element; couplings have at most one."""
    if not any(t.reads("state") or t.reads("sum") for t in v.terms):
        return 0
    return int(counts(v).max(initial=0))


def _reads_sum(v: Value) -> bool:
    return any(t.reads("sum") for t in v.terms)


@rule.register
def _dot(op: Dot | BatchedDot, node: Apply, k: int, walk: Walker) -> Value:
    left, right = node.inputs
    return matmul(walk(left), walk(right), walk)


@rule.register
def _blockwise(op: Blockwise, node: Apply, k: int, walk: Walker) -> Value:
    if isinstance(op.core_op, Dot):
        return _dot(op.core_op, node, k, walk)
    return rule.dispatch(object)(op.core_op, node, k, walk)


def matmul(a: Value, b: Value, walk: Walker) -> Value:
    """Matrix product over the last axis of ``a`` and the last but one (or only one) of ``b``."""
    row, column = len(a.shape) == 1, len(b.shape) == 1
    a = reshape(a, (1, *a.shape)) if row else a
    b = reshape(b, (*b.shape, 1)) if column else b
    batch = common_shape(a.shape[:-2], b.shape[:-2])
    (n, inner), m = a.shape[-2:], b.shape[-1]
    a, b = _ready(a, b, m > 1 or a.shape[:-2] != batch, n > 1 or b.shape[:-2] != batch, walk)
    a, b = broadcast(a, (*batch, n, inner)), broadcast(b, (*batch, inner, m))
    terms = []
    for s in a.terms:
        for t in b.terms:
            ids = pair(_inner_of_left(s, n, inner), _inner_of_right(t, m), size_of(batch) * inner)
            row_of, column_of = s.positions[_all(ids[0])] // inner, t.positions[_all(ids[1])] % m
            terms.append(join(times, s, t, ids, row_of * m + column_of))
    shape = (*batch, *(() if row else (n,)), *(() if column else (m,)))
    return Value(shape, tuple(t for t in terms if t.n))


def _inner_of_left(t: Term, n: int, inner: int) -> Positions:
    """Batch and inner index of each instance of a left factor, as one number."""
    if n == 1:
        return t.out
    return t.positions // (n * inner) * inner + t.positions % inner


def _inner_of_right(t: Term, m: int) -> Positions:
    return t.out if m == 1 else t.positions // m


def _all(ids: Positions) -> slice | np.ndarray:
    return slice(None) if ids is None else ids

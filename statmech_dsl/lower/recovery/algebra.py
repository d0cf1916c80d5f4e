"""The algebra of terms: gathers, sums and products of tensors only move index columns around.

They never look into the expressions, and they never loop over instances in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, call, const, renumber
from statmech_dsl.lower.recovery.factors import sum_of
from statmech_dsl.lower.recovery.terms import (
    Positions,
    Term,
    Value,
    at,
    dedupe,
    fuse,
    in_order,
    is_single,
    pick_leaves,
    place,
    size_of,
)

MAX_INSTANCES = 50_000_000
"""Instances of one term: about half a gigabyte of index columns."""


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Shape that arrays of these shapes broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise EnergyError(
            f"arrays of shapes {', '.join(map(str, shapes))} do not fit together",
            mend="check the shapes of data that can be set",
        ) from None


def group(key: np.ndarray, n_keys: int) -> tuple[Positions, np.ndarray, np.ndarray]:
    """Instances by key: their order, where each key begins in it, and how many each has."""
    count = np.bincount(key, minlength=n_keys)
    order = None if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
    return order, np.cumsum(count) - count, count


def pair(a: Positions, b: Positions, n_keys: int) -> tuple[Positions, Positions, int]:
    """All (i, j) with ``a[i] == b[j]``, as two columns and their length."""
    if b is None:
        return None, a, n_keys if a is None else len(a)
    if a is None:
        return b, None, len(b)
    order, start, count = group(b, n_keys)
    if count.max(initial=0) <= 1:
        found = np.full(n_keys, -1)
        found[b] = np.arange(len(b))
        j = found[a]
        i = np.flatnonzero(j >= 0)
        return (None, j, len(j)) if len(i) == len(j) else (i, j[i], len(i))
    matches = count[a]
    total = int(matches.sum())
    check_size(total)
    i = np.repeat(np.arange(len(a)), matches)
    within = np.arange(total) - np.repeat(np.cumsum(matches) - matches, matches)
    return i, at(order, start[a][i] + within), total


def check_size(n: int) -> None:
    """Refuse more instances than fit into memory."""
    if n > MAX_INSTANCES:
        raise NonLocalEnergyError(
            f"it expands into {n:,} local terms; at most {MAX_INSTANCES:,} fit",
            mend="write sums over all sites on their own, as in s.sum()**2, not next to each site; "
            "a variance is (x**2).sum() - x.sum()**2 / N; use sparse couplings",
        )


def take(v: Value, source: np.ndarray) -> Value:
    """Tensor whose elements are those of ``v`` at the (flat) positions ``source``."""
    flat = source.ravel()
    check_size(len(flat))
    terms = []
    for t in v.terms:
        i, j, n = pair(flat, t.out, v.size)
        terms.append(t.pick(j, i, n))
    return Value(source.shape, tuple(t for t in terms if t.n))


def broadcast_positions(
    shape: tuple[int, ...], source: tuple[int, ...], positions: Positions
) -> Positions:
    """Which element of an array of shape ``source`` is broadcast to each position in ``shape``."""
    if source == shape:
        return positions
    view = np.broadcast_to(np.arange(size_of(source)).reshape(source), shape)
    return view.ravel() if positions is None else view[np.unravel_index(positions, shape)]


def broadcast(v: Value, shape: tuple[int, ...]) -> Value:
    """Tensor broadcast to a shape."""
    if v.shape == shape:
        return v
    check_size(size_of(shape))
    source = np.broadcast_to(np.arange(v.size).reshape(v.shape), shape)
    return take(v, source)


def reshape(v: Value, shape: tuple[int, ...]) -> Value:
    """The same elements in the same order."""
    return replace(v, shape=shape)


def join(
    op: Callable[[Expr, Expr], Expr],
    a: Term,
    b: Term,
    ids: tuple[Positions, Positions, int],
    out: Positions,
) -> Term:
    """Term with an instance for each pair of instances, placed at ``out``."""
    i, j, n = ids
    shifted = renumber(b.expr, {k: k + len(a.leaves) for k in range(len(b.leaves))})
    leaves = pick_leaves(a.leaves, i) + pick_leaves(b.leaves, j)
    return Term(*dedupe(op(a.expr, shifted), leaves), out, n)


def times(x: Expr, y: Expr) -> Expr:
    """Product of expressions."""
    return call("mul", x, y)


def combine(op: Callable[[Expr, Expr], Expr], a: Value, b: Value) -> Value:
    """Every pair of terms of ``a`` and ``b`` at the same element, after broadcasting.

    This is the tensor op(a, b) where op is bilinear, or where both have at most one instance at
    each element; an element that is missing in one of them is missing in the result.
    """
    shape = common_shape(a.shape, b.shape)
    a = broadcast(a, shape)
    terms = []
    for s in a.terms:
        key = broadcast_positions(shape, b.shape, s.out)
        for t in b.terms:
            ids = pair(key, t.out, b.size)
            terms.append(join(op, s, t, ids, at(s.out, ids[0])))
    return Value(shape, tuple(t for t in terms if t.n and t.expr != const(0.0)))


def elementwise(build: Callable[..., Expr], arguments: list[Value]) -> Value:
    """``build`` of arguments that have exactly one instance at each element."""
    packed = arguments[0].map(lambda e: _pack(Expr("arguments"), e))
    for x in arguments[1:]:
        packed = combine(_pack, packed, x)
    return packed.map(lambda e: build(*e.args))


def product(a: Value, b: Value) -> Value:
    """Product, expanded into products of instances."""
    shape = common_shape(a.shape, b.shape)
    if a.shape != shape:  # first the one that needs no broadcasting: it may have few instances
        a, b = b, a
    return combine(times, a, b)


def add(*values: Value) -> Value:
    """Sum of tensors."""
    shape = common_shape(*(v.shape for v in values))
    terms = [t for v in values for t in broadcast(v, shape).terms]
    v = Value(shape, tuple(terms))
    return fuse(v) if len(terms) > 16 else v


def sum_over(v: Value, axes: tuple[int, ...] | None) -> Value:
    """Sum over axes (None: all)."""
    gone = range(len(v.shape)) if axes is None else {a % len(v.shape) for a in axes}
    kept = tuple(n for k, n in enumerate(v.shape) if k not in gone)
    if not kept:
        return Value((), tuple(replace(t, out=_zeros(t.n)) for t in v.terms))
    flat = [1 if k in gone else n for k, n in enumerate(v.shape)]
    to = np.broadcast_to(np.arange(size_of(kept)).reshape(flat), v.shape).ravel()
    return Value(kept, tuple(replace(t, out=at(to, t.out)) for t in v.terms))


def _zeros(n: int) -> Positions:
    return None if n == 1 else np.zeros(n, np.intp)


def concatenate(values: list[Value]) -> Value:
    """All elements one after the other, as a vector."""
    start = np.cumsum([0] + [v.size for v in values])
    terms = [
        replace(t, out=t.positions + begin)
        for v, begin in zip(values, start, strict=False)
        for t in v.terms
    ]
    whole = int(start[-1])
    parts = fuse(Value((whole,), tuple(terms)))
    return replace(parts, terms=tuple(_without_positions(t, whole) for t in parts.terms))


def _without_positions(t: Term, size: int) -> Term:
    in_place = t.n == size and np.array_equal(t.positions, np.arange(size))
    return replace(t, out=None) if in_place else t


def unroll(v: Value) -> Value:
    """The same tensor with exactly one instance at each element.

    Elements fall into classes by how many instances of each term they have; each class gets an
    expression that adds them up.
    """
    if is_single(v):
        return v
    groups = [_group_term(t, v.size) for t in v.terms]
    pattern = np.zeros(v.size, np.int64)
    for _, _, count in groups:
        pattern = pattern * (int(count.max(initial=0)) + 1) + count
        if pattern.max(initial=0) > 2**31:
            pattern = np.unique(pattern, return_inverse=True)[1]
    classes = []
    for value in np.unique(pattern):
        where = np.flatnonzero(pattern == value)
        total = Term(Expr("arguments"), (), None, len(where))
        for t, (order, start, count) in zip(v.terms, groups, strict=True):
            for k in range(count[where[0]]):
                part = t.pick(at(order, start[where] + k), None, total.n)
                total = join(_pack, total, part, (None, None, total.n), None)
        total = replace(total, expr=sum_of(total.expr.args))
        classes.append(place(total, where, v.size))
    v = fuse(replace(v, terms=tuple(classes)))
    return replace(v, terms=(in_order(v.terms[0]),)) if len(v.terms) == 1 else v


def _pack(e: Expr, x: Expr) -> Expr:
    """Keep the arguments of a function side by side until all of them are there."""
    return Expr("arguments", (*e.args, x))


def _group_term(t: Term, size: int) -> tuple[Positions, np.ndarray, np.ndarray]:
    if t.out is None:
        return None, np.arange(size), np.ones(size, np.intp)
    return group(t.out, size)

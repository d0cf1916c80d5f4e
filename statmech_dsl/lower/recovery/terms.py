"""The term algebra: a tensor as a sum of identical scalar terms, placed at its elements.

Element o of a `Value` is the sum, over its terms t and over the instances m of t with ``t.out[m] == o``, of
``t.expr`` over the leaves of instance m. Gathers, sums and products only move index columns around;
they never look into the expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, call, const, renumber, slots_of
from statmech_dsl.lower.recovery.factors import sum_of

MAX_INSTANCES = 20_000_000
"""Instances of one term: about half a gigabyte of index columns."""

Positions = np.ndarray | None
"""Whole numbers, one for each instance; None stands for 0, 1, 2, ..."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """What a slot reads: element ``index[m]`` of an array; index None: element 0.

    During the walk, a state's elements are counted with its component axis, if it has one.
    """

    kind: Literal["state", "coefficient", "sum"]
    array: str
    index: np.ndarray | None
    component: int = 0


@dataclass(frozen=True, eq=False)
class Term:
    """``n`` instances of a scalar expression; instance m adds to element ``out[m]`` of the tensor."""

    expr: Expr
    leaves: tuple[Leaf, ...]
    out: Positions
    n: int

    def reads(self, kind: str) -> bool:
        """Whether a leaf is of this kind."""
        return any(leaf.kind == kind for leaf in self.leaves)

    def pick(self, ids: Positions, out: Positions, n: int) -> Term:
        """The instances ``ids``, placed at ``out``."""
        return Term(self.expr, _pick_leaves(self.leaves, ids), out, n)


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor as a sum of terms; without terms it is zero."""

    shape: tuple[int, ...]
    terms: tuple[Term, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return size_of(self.shape)

    def map(self, function: Callable[[Expr], Expr]) -> Value:
        """Apply a linear function to every term (or any function, where each element has one)."""
        terms = (replace(t, expr=function(t.expr)) for t in self.terms)
        return replace(self, terms=tuple(t for t in terms if t.expr != const(0.0)))


def size_of(shape: Iterable[int]) -> int:
    """Number of elements of an array of this shape."""
    return int(np.prod(tuple(shape), dtype=np.int64))


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Shape that arrays of these shapes broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise EnergyError(
            f"arrays of shapes {', '.join(map(str, shapes))} do not fit together",
            mend="check the shapes of data that can be set",
        ) from None


def indicator(mask: np.ndarray) -> Value:
    """1 where a mask holds, else 0."""
    out = np.flatnonzero(mask)
    return Value(mask.shape, (place(Term(const(1.0), (), None, len(out)), out, mask.size),))


def place(t: Term, out: np.ndarray, size: int) -> Term:
    """Put instance m of a term at element ``out[m]`` of a tensor of ``size`` elements, ``out`` sorted."""
    return replace(t, out=None if len(out) == size else out)


def at(a: Positions, ids: Positions) -> Positions:
    """``a[ids]``, where None stands for 0, 1, 2, ..."""
    return ids if a is None else a if ids is None else a[ids]


def _pick_leaves(leaves: tuple[Leaf, ...], ids: Positions) -> tuple[Leaf, ...]:
    if ids is None:
        return leaves
    return tuple(x if x.index is None else replace(x, index=x.index[ids]) for x in leaves)


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
            mend="write sums over all sites on their own, as in s.sum()**2, not inside a product with "
            "each site; a variance is x**2 summed minus (x.sum())**2 / N; use sparse couplings",
        )


def take(v: Value, source: np.ndarray) -> Value:
    """Tensor whose elements are those of ``v`` at the (flat) positions ``source``."""
    flat = source.ravel()
    check_size(len(flat))
    terms = []
    for t in v.terms:
        i, j, n = pair(flat, t.out, v.size)
        # pair orders by new position; only where none is missing and none doubled is that 0, 1, 2, ...
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


def dedupe(expr: Expr, leaves: tuple[Leaf, ...]) -> tuple[Expr, tuple[Leaf, ...]]:
    """Give equal leaves one slot."""
    kept: list[Leaf] = []
    new: dict[int, int] = {}
    for k, leaf in enumerate(leaves):
        same = (n for n, other in enumerate(kept) if equal_leaves(leaf, other))
        new[k] = next(same, len(kept))
        if new[k] == len(kept):
            kept.append(leaf)
    return (expr, leaves) if len(kept) == len(leaves) else (renumber(expr, new), tuple(kept))


def prune(t: Term) -> Term:
    """Drop the leaves that the expression does not read."""
    used = sorted(slots_of(t.expr))
    if len(used) == len(t.leaves):
        return t
    expr = renumber(t.expr, {k: n for n, k in enumerate(used)})
    return replace(t, expr=expr, leaves=tuple(t.leaves[k] for k in used))


def equal_leaves(a: Leaf, b: Leaf) -> bool:
    """Whether two leaves read the same in every instance."""
    if a.array != b.array or a.component != b.component or a.kind != b.kind:
        return False
    return a.index is b.index or (
        a.index is not None and b.index is not None and np.array_equal(a.index, b.index)
    )


def equal_terms(a: Term, b: Term) -> bool:
    """Whether two terms are the same."""
    return (
        a.expr == b.expr
        and a.n == b.n
        and len(a.leaves) == len(b.leaves)
        and all(map(equal_leaves, a.leaves, b.leaves))
        and (a.out is b.out or np.array_equal(a.out, b.out))  # type: ignore[arg-type]
    )


def in_order(t: Term) -> Term:
    """The same term with its instances in the order of their elements."""
    if t.out is None or np.all(t.out[1:] >= t.out[:-1]):
        return t
    order = np.argsort(t.out, kind="stable")
    return t.pick(order, t.out[order], t.n)


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
    leaves = _pick_leaves(a.leaves, i) + _pick_leaves(b.leaves, j)
    return Term(*dedupe(op(a.expr, shifted), leaves), out, n)


def combine(op: Callable[[Expr, Expr], Expr], a: Value, b: Value) -> Value:
    """Every pair of terms of ``a`` and ``b`` at the same element, after broadcasting.

    This is the tensor op(a, b) where op is bilinear, or where both have at most one instance at each
    element; an element that is missing in one of them is missing in the result.
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
    if a.shape != shape:  # the one that needs no broadcasting first: it may have few instances
        a, b = b, a
    return combine(lambda x, y: call("mul", x, y), a, b)


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
    target = np.arange(size_of(kept)).reshape([1 if k in gone else n for k, n in enumerate(v.shape)])
    to = np.broadcast_to(target, v.shape).ravel()
    return Value(kept, tuple(replace(t, out=at(to, t.out)) for t in v.terms))


def _zeros(n: int) -> Positions:
    return None if n == 1 else np.zeros(n, np.intp)


def concatenate(values: list[Value]) -> Value:
    """All elements one after the other, as a vector."""
    start = np.cumsum([0] + [v.size for v in values])
    terms = [
        replace(t, out=(np.arange(t.n) if t.out is None else t.out) + begin)
        for v, begin in zip(values, start, strict=False)
        for t in v.terms
    ]
    whole = int(start[-1])
    parts = fuse(Value((whole,), tuple(terms)))
    full = lambda t: t.n == whole and np.array_equal(t.out, np.arange(whole))  # noqa: E731
    return replace(
        parts, terms=tuple(replace(t, out=None) if full(t) else t for t in parts.terms)
    )


def fuse(v: Value) -> Value:
    """Make one term of all that have the same expression over the same arrays."""
    if len(v.terms) < 2:
        return v
    alike: dict[object, list[Term]] = {}
    for t in v.terms:
        arrays = tuple((x.kind, x.array, x.component, x.index is None) for x in t.leaves)
        alike.setdefault((t.expr, arrays), []).append(t)
    return Value(v.shape, tuple(_concatenate(ts) for ts in alike.values()))


def _concatenate(terms: list[Term]) -> Term:
    first = terms[0]
    if len(terms) == 1:
        return first
    leaves = tuple(
        x
        if x.index is None
        else replace(x, index=np.concatenate([t.leaves[k].index for t in terms]))  # type: ignore[misc]
        for k, x in enumerate(first.leaves)
    )
    out = np.concatenate([np.arange(t.n) if t.out is None else t.out for t in terms])
    return Term(first.expr, leaves, out, sum(t.n for t in terms))


def counts(v: Value, terms: Iterable[Term] | None = None) -> np.ndarray:
    """Number of instances at each element."""
    total = np.zeros(v.size, np.intp)
    for t in v.terms if terms is None else terms:
        total += 1 if t.out is None else np.bincount(t.out, minlength=v.size)
    return total


def is_single(v: Value) -> bool:
    """Whether there is plainly one instance at each element."""
    return len(v.terms) == 1 and v.terms[0].out is None


def unroll(v: Value) -> Value:
    """The same tensor with exactly one instance at each element.

    Elements fall into classes by how many instances of each term they have; each class gets an expression
    that adds them up.
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
                ids = None if start is None and total.n == t.n else where if start is None else at(order, start[where] + k)
                part = t.pick(ids, None, total.n)
                total = join(_pack, total, part, (None, None, total.n), None)
        total = replace(total, expr=sum_of(total.expr.args))
        classes.append(place(total, where, v.size))
    v = fuse(replace(v, terms=tuple(classes)))
    return replace(v, terms=(in_order(v.terms[0]),)) if len(v.terms) == 1 else v


def _pack(e: Expr, x: Expr) -> Expr:
    """Keep the arguments of a function side by side until all of them are there."""
    return Expr("arguments", (*e.args, x))


def _group_term(t: Term, size: int) -> tuple[Positions, Positions, np.ndarray]:
    return (None, None, np.ones(size, np.intp)) if t.out is None else group(t.out, size)

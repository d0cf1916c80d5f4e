"""Terms: a tensor as a sum of identical scalar expressions, placed at its elements.

Element o of a `Value` is the sum, over its terms t and over the instances m of t with
``t.out[m] == o``, of ``t.expr`` over the leaves of instance m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from statmech_dsl.ir.expr import Expr, const, renumber, slots_of

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
    """``n`` instances of a scalar expression; instance m adds to element ``out[m]``."""

    expr: Expr
    leaves: tuple[Leaf, ...]
    out: Positions
    n: int

    @property
    def positions(self) -> np.ndarray:
        """Element of each instance."""
        return np.arange(self.n) if self.out is None else self.out

    def reads(self, kind: str) -> bool:
        """Whether a leaf is of this kind."""
        return any(leaf.kind == kind for leaf in self.leaves)

    def pick(self, ids: Positions, out: Positions, n: int) -> Term:
        """The instances ``ids``, placed at ``out``."""
        return Term(self.expr, pick_leaves(self.leaves, ids), out, n)


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


def at(a: Positions, ids: Positions) -> Positions:
    """``a[ids]``, where None stands for 0, 1, 2, ..."""
    return ids if a is None else a if ids is None else a[ids]


def pick_leaves(leaves: tuple[Leaf, ...], ids: Positions) -> tuple[Leaf, ...]:
    """Leaves as the instances ``ids`` read them."""
    if ids is None:
        return leaves
    return tuple(x if x.index is None else replace(x, index=x.index[ids]) for x in leaves)


def indicator(mask: np.ndarray) -> Value:
    """1 where a mask holds, else 0."""
    out = np.flatnonzero(mask)
    return Value(mask.shape, (place(Term(const(1.0), (), None, len(out)), out, mask.size),))


def place(t: Term, out: np.ndarray, size: int) -> Term:
    """Put instance m at element ``out[m]`` of a tensor of ``size`` elements, ``out`` ascending."""
    return replace(t, out=None if len(out) == size else out)


def prune(t: Term) -> Term:
    """Drop the leaves that the expression does not read."""
    used = sorted(slots_of(t.expr))
    if len(used) == len(t.leaves):
        return t
    expr = renumber(t.expr, {k: n for n, k in enumerate(used)})
    return replace(t, expr=expr, leaves=tuple(t.leaves[k] for k in used))


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
    out = np.concatenate([t.positions for t in terms])
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

"""Running sums: what becomes of a nonlinear function of a sum over many sites.

Up to `MAX_ARITY` instances are written out as one local factor. A larger sum becomes an element of a
running sum, and the function reads that element.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.expr import at_values, call, const, read, slot, slots_of, substitute
from statmech_dsl.lower.recovery.factors import Factor, common, factors_of, product_of
from statmech_dsl.lower.recovery.terms import (
    Leaf,
    Term,
    Value,
    at,
    counts,
    dedupe,
    equal_leaves,
    fuse,
    is_single,
    join,
    place,
    prune,
    take,
    unroll,
)

MAX_ARITY = 8
"""Largest number of instances that are written out as one factor."""


@dataclass(frozen=True, eq=False)
class RunningSum:
    """A vector of running sums: the elements of ``value``. ``term`` names where it was met first."""

    name: str
    term: str
    value: Value


@dataclass(eq=False)
class Sums:
    """The running sums found so far; equal ones are one."""

    term: str = ""
    found: list[RunningSum] = field(default_factory=list)

    def read(self, value: Value) -> Term:
        """Term whose instances are the elements of ``value``, a vector, as running sums.

        Scalar factors that all its terms share stay outside, so that a sum of spins counts in integers.
        """
        value, outside = _pull_scalars(value)
        known = next((s for s in self.found if _equal(s.value, value)), None)
        if known is None:
            known = RunningSum(f"sum.{len(self.found)}", self.term, value)
            self.found.append(known)
        index = None if value.size == 1 else np.arange(value.size, dtype=np.uint32)
        total = Term(slot(0), (Leaf("sum", known.name, index),), None, value.size)
        return _times(total, outside)


def collapse(v: Value, sums: Sums) -> Value:
    """The same tensor with exactly one instance at each element; large sums become running sums."""
    if is_single(v):
        return v
    large = counts(v, [t for t in v.terms if not t.reads("sum")]) > MAX_ARITY
    if large.any():
        v = _with_running_sums(v, large, sums)
    if (most := counts(v).max(initial=0)) > MAX_ARITY:
        raise NonLocalEnergyError(
            f"a nonlinear function of a sum over {most} functions of running sums: a deep network",
            mend="declare the inner units as variables of their own, or sum over at most "
            f"{MAX_ARITY} of them",
        )
    return unroll(v)


def _with_running_sums(v: Value, large: np.ndarray, sums: Sums) -> Value:
    plain = Value(v.shape, tuple(t for t in v.terms if not t.reads("sum")))
    others = tuple(t for t in v.terms if t.reads("sum"))
    where, elsewhere = np.flatnonzero(large), np.flatnonzero(~large)
    running = place(sums.read(take(plain, where)), where, v.size)
    local = (replace(t, out=at(elsewhere, t.out)) for t in take(plain, elsewhere).terms)
    return Value(v.shape, (running, *local, *others))


def separate(v: Value, sums: Sums) -> Value:
    """Take local factors out of products with functions of running sums.

    Where an element is ``sum_m local_m g(S)``, the sum of the local factors becomes a running sum T, and
    T g(S) remains: no site may enter a factor both directly and through a sum.
    """
    return replace(v, terms=tuple(_separate(t, sums) if t.reads("sum") else t for t in v.terms))


def _separate(t: Term, sums: Sums) -> Term:
    inner, outer = _split(t)
    local = prune(replace(t, expr=product_of(inner)))
    if all(leaf.index is None for leaf in local.leaves):
        return t
    rest = prune(replace(t, expr=product_of(outer)))
    # Instances with equal columns in the rest (and at the same element) share one T.
    columns = [x.index for x in rest.leaves] + [t.out]
    rows = [c.astype(np.int64) for c in columns if c is not None]
    if not rows:
        first, element, n = np.zeros(1, np.intp), None if t.n == 1 else np.zeros(t.n, np.intp), 1
    else:
        _, first, element = np.unique(np.stack(rows), axis=1, return_index=True, return_inverse=True)
        n = len(first)
    if n == t.n and not local.reads("state"):
        return t
    total = sums.read(Value((n,), (replace(local, out=element),)))
    return replace(_times(total, rest.pick(first, None, n)), out=at(t.out, first))


def _split(t: Term) -> tuple[list[Factor], list[Factor]]:
    """Factors of a term without and with running sums."""
    sites = {k for k, leaf in enumerate(t.leaves) if leaf.kind == "state"}
    running = {k for k, leaf in enumerate(t.leaves) if leaf.kind == "sum"}
    factors = factors_of(t.expr)
    outer = [f for f in factors if slots_of(f.expr) & running]
    if any(slots_of(f.expr) & sites for f in outer):
        raise NonLocalEnergyError(
            "sites enter a nonlinear function both directly and through a sum over many sites",
            mend="write it as a sum of products of local terms and functions of sums",
        )
    return [f for f in factors if f not in outer], outer


def _times(a: Term, b: Term) -> Term:
    return join(lambda x, y: call("mul", x, y), a, b, (None, None, a.n), a.out)


def _pull_scalars(v: Value) -> tuple[Value, Term]:
    """Split off the scalar factors that all terms share."""
    v = fuse(v)
    scalars = {x.array: x for t in v.terms for x in t.leaves if x.index is None}
    named = [replace(t, expr=_name_scalars(t)) for t in v.terms]
    lists = [factors_of(t.expr) for t in named]
    shared = [f for f in common(lists) if not slots_of(f.expr)]
    for each in lists:
        for f in shared:
            each.remove(f)
    terms = (
        _number_scalars(replace(t, expr=product_of(each)), scalars)
        for t, each in zip(named, lists, strict=True)
    )
    outside = Term(product_of(shared), (), None, v.size)
    return fuse(replace(v, terms=tuple(terms))), _number_scalars(outside, scalars)


def _name_scalars(t: Term):
    """Expression with the names of scalars in place of their slots, to compare between terms."""
    return at_values(t.expr, {k: read(x.array) for k, x in enumerate(t.leaves) if x.index is None})


def _number_scalars(t: Term, scalars: dict[str, Leaf]) -> Term:
    leaves = (*t.leaves, *scalars.values())
    number = {name: len(t.leaves) + k for k, name in enumerate(scalars)}
    expr = substitute(t.expr, lambda e: slot(number[e.attr]) if e.op == "read" else None)  # type: ignore[index]
    expr, leaves = dedupe(expr, leaves)
    return prune(replace(t, expr=expr, leaves=leaves))


def _equal(a: Value, b: Value) -> bool:
    return (
        a.shape == b.shape
        and len(a.terms) == len(b.terms)
        and all(
            s.expr == t.expr
            and s.n == t.n
            and len(s.leaves) == len(t.leaves)
            and all(map(equal_leaves, s.leaves, t.leaves))
            and (s.out is t.out or (s.out is not None and t.out is not None and np.array_equal(s.out, t.out)))
            for s, t in zip(a.terms, b.terms, strict=True)
        )
    )

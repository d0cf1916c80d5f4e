"""Running sums: what becomes of a nonlinear function of a sum over many sites.

Up to `MAX_ARITY` instances are written out as one local factor. A larger sum becomes an element of
a running sum, and the function reads that element.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, at_values, read, slot, slots_of, substitute
from statmech_dsl.lower.recovery.algebra import join, take, times, unroll
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.collect import collect
from statmech_dsl.lower.recovery.factors import Factor, common, factors_of, product_of
from statmech_dsl.lower.recovery.terms import (
    Leaf,
    Term,
    Value,
    at,
    counts,
    dedupe,
    equal_terms,
    fuse,
    in_order,
    is_single,
    place,
    prune,
)

MAX_ARITY = 8
"""Largest number of instances that are written out as one factor."""


@dataclass(frozen=True, eq=False)
class RunningSum:
    """A vector of running sums, the elements of ``value``, first met in energy term ``term``."""

    name: str
    term: str
    value: Value


@dataclass(eq=False)
class Sums:
    """The running sums found so far; equal ones are one."""

    coefficients: Coefficients
    term: str = ""
    found: list[RunningSum] = field(default_factory=list)

    def read(self, value: Value) -> Term:
        """Term whose instances are the elements of ``value``, a vector, as running sums.

        Scalar factors that all its terms share stay outside: a sum of spins counts in integers.
        """
        value, shared, scalars = _pull_scalars(value)
        value = collect(value, self.coefficients)
        value = replace(value, terms=tuple(map(in_order, value.terms)))
        known = next((s for s in self.found if _equal(s.value, value)), None)
        if known is None:
            known = RunningSum(f"sum.{len(self.found)}", self.term, value)
            self.found.append(known)
        index = None if value.size == 1 else np.arange(value.size, dtype=np.uint32)
        expr = product_of([Factor(slot(0)), *shared])
        total = Term(expr, (Leaf("sum", known.name, index),), None, value.size)
        return _number_scalars(total, scalars)


def collapse(v: Value, sums: Sums) -> Value:
    """The same tensor with exactly one instance at each element; large sums become running sums."""
    if is_single(v):
        return v
    summed = [t for t in v.terms if _can_be_summed(t)]
    large = counts(v, summed) > MAX_ARITY
    if large.any():
        v = _with_running_sums(v, summed, large, sums)
    if (most := counts(v, [t for t in v.terms if t.reads("sum")]).max(initial=0)) > MAX_ARITY:
        raise NonLocalEnergyError(
            f"a nonlinear function of a sum over {most} functions of running sums: a deep network",
            mend="declare the inner units as variables of their own, or sum over at most "
            f"{MAX_ARITY} of them",
        )
    return unroll(v)


def _can_be_summed(t: Term) -> bool:
    """Whether a term may feed running sums: not if it reads some itself, nor if it is an offset."""
    if t.reads("sum"):
        return False
    several = t.out is not None and bool(np.bincount(t.out).max(initial=0) > 1)
    return several or t.reads("state")


def _with_running_sums(v: Value, summed: list[Term], large: np.ndarray, sums: Sums) -> Value:
    part = replace(v, terms=tuple(summed))
    where, elsewhere = np.flatnonzero(large), np.flatnonzero(~large)
    running = place(sums.read(take(part, where)), where, v.size)
    local = (replace(t, out=at(elsewhere, t.out)) for t in take(part, elsewhere).terms)
    others = (t for t in v.terms if t not in summed)
    return replace(v, terms=(running, *local, *others))


def separate(v: Value, sums: Sums) -> Value:
    """Take local factors out of products with functions of running sums.

    Where an element is ``sum_m local_m g(S)``, the sum of the local factors becomes a running sum
    T, and T g(S) remains: no site may enter a factor both directly and through a sum.
    """
    return replace(v, terms=tuple(_separate(t, sums) if t.reads("sum") else t for t in v.terms))


def _separate(t: Term, sums: Sums) -> Term:
    inner, outer = _split(t)
    local = prune(replace(t, expr=product_of(inner)))
    if all(leaf.index is None for leaf in local.leaves):
        return t
    rest = prune(replace(t, expr=product_of(outer)))
    # Instances with equal columns in the rest, at the same element, share one T.
    columns = [x.index for x in rest.leaves] + [t.out]
    rows = np.array([c for c in columns if c is not None], dtype=np.int64).reshape(-1, t.n)
    _, first, element = np.unique(rows, axis=1, return_index=True, return_inverse=True)
    if len(first) == t.n and not local.reads("state"):
        return t
    total = sums.read(Value((len(first),), (replace(local, out=element),)))
    rest = rest.pick(first, None, len(first))
    product = join(times, total, rest, (None, None, len(first)), None)
    return replace(product, out=at(t.out, first))


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


def _pull_scalars(v: Value) -> tuple[Value, list[Factor], dict[str, Leaf]]:
    """Split off the scalar factors that all terms share; they read the scalars by name."""
    v = fuse(v)
    scalars = {x.array: x for t in v.terms for x in t.leaves if x.index is None}
    lists = [factors_of(_name_scalars(t)) for t in v.terms]
    shared = [f for f in common(lists) if not slots_of(f.expr)]
    terms = []
    for t, factors in zip(v.terms, lists, strict=True):
        for f in shared:
            factors.remove(f)
        terms.append(_number_scalars(replace(t, expr=product_of(factors)), scalars))
    return fuse(replace(v, terms=tuple(terms))), shared, scalars


def _name_scalars(t: Term) -> Expr:
    """Expression with the names of scalars in place of their slots, to compare between terms."""
    return at_values(t.expr, {k: read(x.array) for k, x in enumerate(t.leaves) if x.index is None})


def _number_scalars(t: Term, scalars: dict[str, Leaf]) -> Term:
    leaves = (*t.leaves, *scalars.values())
    number = {name: slot(len(t.leaves) + k) for k, name in enumerate(scalars)}
    expr = substitute(t.expr, lambda e: number[e.attr] if e.op == "read" else None)  # type: ignore[index]
    expr, leaves = dedupe(expr, leaves)
    return prune(replace(t, expr=expr, leaves=leaves))


def _equal(a: Value, b: Value) -> bool:
    return (
        a.shape == b.shape
        and len(a.terms) == len(b.terms)
        and all(map(equal_terms, a.terms, b.terms))
    )

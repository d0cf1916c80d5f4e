"""The final form of terms: one component per slot, constants merged, leaves in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import at_values, call, const, renumber, slot
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.factors import Factor, factors_of, product_of
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, fuse, prune

_KINDS = ("state", "sum", "coefficient")
MANY = 4
"""If more terms than this differ in constants only, they share one table of constants."""


def normal_form(v: Value, coefficients: Coefficients, domains: Mapping[str, Domain]) -> list[Term]:
    """Terms as families will have them."""
    terms = []
    for t in v.terms:
        for part in split_components(t, domains):
            merged = _merge_constants(_uniform_constants(part, coefficients), coefficients)
            terms.append(_ordered(merged))
    terms = _share_tables(fuse(replace(v, terms=tuple(terms))), coefficients)
    return [t for t in terms if t.n and t.expr != const(0.0)]


def split_components(t: Term, domains: Mapping[str, Domain]) -> list[Term]:
    """Split a term by which components of vector variables its slots read."""
    n = [domains[x.array].components if x.kind == "state" else 1 for x in t.leaves]
    vectors = [k for k in range(len(n)) if n[k] > 1]
    if not vectors:
        return [t]
    pattern = np.zeros(t.n, np.int64)
    for k in vectors:
        pattern = pattern * n[k] + _index(t.leaves[k]) % n[k]
    parts = []
    for value in np.unique(pattern):
        ids = np.flatnonzero(pattern == value)
        part = t.pick(ids, t.positions[ids], len(ids))
        leaves = tuple(
            replace(x, index=_index(x) // n[k], component=int(_index(x)[0] % n[k]))
            if n[k] > 1
            else x
            for k, x in enumerate(part.leaves)
        )
        parts.append(replace(part, leaves=leaves))
    return parts


def _index(x: Leaf) -> np.ndarray:
    assert x.index is not None  # states are always indexed
    return x.index


def _uniform_constants(t: Term, coefficients: Coefficients) -> Term:
    """Replace a column that holds one number in all instances by that number."""
    leaves, numbers = list(t.leaves), {}
    for k, x in enumerate(t.leaves):
        if x.kind == "coefficient":
            leaves[k] = coefficients.uniform(x)
            if (literal := coefficients.literal(leaves[k])) is not None:
                numbers[k] = const(literal)
    return prune(replace(t, expr=at_values(t.expr, numbers), leaves=tuple(leaves)))


def _merge_constants(t: Term, coefficients: Coefficients) -> Term:
    """Multiply all constant factors into one column."""
    rest: list[Factor] = []
    total: float | np.ndarray = 1.0
    constants: list[Factor] = []
    for f in factors_of(t.expr):
        x = coefficients.numbers(f.expr, t)
        if x is None:
            rest.append(f)
        else:
            total = total / x if f.inverted else total * x
            constants.append(f)
    plain = len(constants) == 1 and constants[0].expr.op == "slot"
    if plain or all(f.expr.op == "const" for f in constants):
        return t
    leaf = coefficients.leaf(np.atleast_1d(total))
    expr = call("mul", product_of(rest), slot(len(t.leaves)))
    return prune(replace(t, expr=expr, leaves=(*t.leaves, leaf)))


def _ordered(t: Term) -> Term:
    """States first, then sums, then coefficients."""
    key = {k: (_KINDS.index(x.kind), x.array, x.component) for k, x in enumerate(t.leaves)}
    order = sorted(key, key=key.__getitem__)
    expr = renumber(t.expr, {k: n for n, k in enumerate(order)})
    return replace(t, expr=expr, leaves=tuple(t.leaves[k] for k in order))


def _share_tables(v: Value, coefficients: Coefficients) -> list[Term]:
    alike: dict[object, list[Term]] = {}
    for t in v.terms:
        what = tuple(
            "constant" if coefficients.is_constant(x) else (x.array, x.component) for x in t.leaves
        )
        alike.setdefault((t.expr, what), []).append(t)
    groups = alike.values()
    return [
        t for ts in groups for t in (ts if len(ts) <= MANY else [_with_one_table(ts, coefficients)])
    ]


def _with_one_table(terms: list[Term], coefficients: Coefficients) -> Term:
    leaves = []
    for k, leaf in enumerate(terms[0].leaves):
        if coefficients.is_constant(leaf):
            numbers = [np.broadcast_to(coefficients.entries(t.leaves[k]), t.n) for t in terms]
            leaves.append(coefficients.leaf(np.concatenate(numbers)))
        else:
            index = [np.broadcast_to(_index_or_zero(t.leaves[k]), t.n) for t in terms]
            leaves.append(replace(leaf, index=np.concatenate(index)))
    out = np.concatenate([t.positions for t in terms])
    return Term(terms[0].expr, tuple(leaves), out, len(out))


def _index_or_zero(x: Leaf) -> np.ndarray:
    return np.zeros(1, np.uint32) if x.index is None else x.index

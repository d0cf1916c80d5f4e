"""Collecting coefficients: a site that enters an element of a linear sum more than once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statmech_dsl.ir.expr import slot
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.factors import Factor, factors_of, product_of
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value


def collect(v: Value, coefficients: Coefficients) -> Value:
    """Write ``x_i - (x_1 + x_2 + ...) / n`` as one instance for each site.

    Only where all terms are constants times sites of one variable; else ``v`` is returned.
    """
    parts = [_linear(t, coefficients) for t in v.terms]
    arrays = {p[0] for p in parts if p is not None}
    if v.size == 1 or None in parts or len(arrays) != 1:
        return v
    element, site, weight = (
        np.concatenate([p[k] for p in parts if p is not None]) for k in (1, 2, 3)
    )
    key, entry = np.unique(element.astype(np.int64) << 32 | site, return_inverse=True)
    if len(key) == len(entry):
        return v
    leaf = Leaf("state", arrays.pop(), (key & 0xFFFFFFFF).astype(np.uint32))
    total = coefficients.leaf(np.bincount(entry, weight))
    return replace(v, terms=(Term(slot(0) * slot(1), (leaf, total), key >> 32, len(key)),))


def _linear(
    t: Term, coefficients: Coefficients
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray] | None:
    """Variable, and element, site and weight of each instance; None if it is not linear."""
    states = [k for k, x in enumerate(t.leaves) if x.kind == "state"]
    factors = factors_of(t.expr)
    if len(states) != 1 or factors.count(bare := Factor(slot(states[0]))) != 1:
        return None
    factors.remove(bare)
    weight = coefficients.numbers(product_of(factors), t)
    leaf = t.leaves[states[0]]
    if weight is None or leaf.index is None:
        return None
    return leaf.array, t.positions, leaf.index, np.broadcast_to(weight, t.n)

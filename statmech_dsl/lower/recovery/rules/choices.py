"""Functions of choices among couplings: ``log(p[s])`` is an entry of ``log(p)``.

So a sweep compares numbers, and the logarithms are taken once for each coupling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from statmech_dsl.ir.expr import Expr, call, slot
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, dedupe, prune
from statmech_dsl.lower.recovery.walker import Walker


def of_choice(scalar: Any, v: Value, walk: Walker) -> Value | None:
    """A scalar operation of a tensor that is a choice among couplings everywhere; None if it is not.

    ``v`` has one instance at each element.
    """
    if not all(_is_choice(t.expr, t) for t in v.terms):
        return None
    return replace(v, terms=tuple(_apply(scalar, t, walk) for t in v.terms))


def _is_choice(e: Expr, t: Term) -> bool:
    return e.op == "where" and all(_is_coupling(x, t) or _is_choice(x, t) for x in e.args[1:])


def _is_coupling(e: Expr, t: Term) -> bool:
    return e.op == "const" or (e.op == "slot" and t.leaves[e.attr].kind == "coefficient")  # type: ignore[index]


def _apply(scalar: Any, t: Term, walk: Walker) -> Term:
    leaves = list(t.leaves)

    def chosen(e: Expr) -> Expr:
        if e.op == "where":
            return call("where", e.args[0], chosen(e.args[1]), chosen(e.args[2]))
        leaf: Leaf = (
            t.leaves[e.attr]  # type: ignore[index]
            if e.op == "slot"
            else walk.coefficients.leaf(np.array([float(e.attr)]))  # type: ignore[arg-type]
        )
        leaves.append(walk.coefficients.applied(scalar, leaf))
        return slot(len(leaves) - 1)

    expr = chosen(t.expr)
    return prune(Term(*dedupe(expr, tuple(leaves)), t.out, t.n))

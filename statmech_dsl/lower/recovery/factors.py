"""Expressions as products of factors, to move common and separable ones out of sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from statmech_dsl.ir.expr import Expr, call, const


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a product; ``inverted``: a divisor."""

    expr: Expr
    inverted: bool = False


def factors_of(e: Expr) -> list[Factor]:
    """Factors of an expression.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> [f.expr.attr for f in factors_of(slot(0) * slot(1) / slot(2))]
    [0, 1, 2]
    """
    match e.op, e.args:
        case "mul", (x, y):
            return factors_of(x) + factors_of(y)
        case "div", (x, y):
            return factors_of(x) + [Factor(f.expr, not f.inverted) for f in factors_of(y)]
        case "neg", (x,):
            return [Factor(const(-1.0)), *factors_of(x)]
        case "sqr", (x,):
            return [Factor(call("sqr", f.expr), f.inverted) for f in factors_of(x)]
    return [Factor(e)]


def product_of(factors: Iterable[Factor]) -> Expr:
    """The product of factors."""
    e = const(1.0)
    for f in factors:
        e = call("div" if f.inverted else "mul", e, f.expr)
    return e


def common(lists: Sequence[list[Factor]]) -> list[Factor]:
    """Factors that all lists share, as often as they all have them."""
    shared = []
    rest = [list(x) for x in lists]
    for f in lists[0]:
        if all(f in x for x in rest):
            shared.append(f)
            for x in rest:
                x.remove(f)
    return shared


def sum_of(addends: Sequence[Expr]) -> Expr:
    """The sum of expressions, with the factors that all of them share in front.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> sum_of([slot(0) * slot(1), slot(0) * slot(2)]) == slot(0) * (slot(1) + slot(2))
    True
    """
    lists = [factors_of(e) for e in addends]
    shared = common(lists) if lists else []
    total = const(0.0)
    for factors in lists:
        for f in shared:
            factors.remove(f)
        total = total + product_of(factors)
    return product_of([Factor(total), *shared])

"""Terms as sums of products of a function of the own site and a function of all else."""

from __future__ import annotations

from itertools import product

from statmech_dsl.ir.expr import Expr, call, const, slots_of
from statmech_dsl.lower.separation import Products, addition_theorem, times


def products(e: Expr, own: set[int]) -> Products | None:
    """Pairs (own, other) that a term is the sum of; None where it cannot be taken apart.

    Other than `statmech_dsl.lower.separation.separated` it multiplies sums out: digits that kernels
    would lose do not matter for a derivative by a coupling.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> found = products(call("sqr", slot(0) - slot(1)), {0})
    >>> [(a.op, b.op) for a, b in found]
    [('sqr', 'const'), ('slot', 'neg'), ('slot', 'neg'), ('const', 'sqr')]
    """
    used = slots_of(e)
    if not used & own:
        return ((const(1.0), e),)
    if used <= own:
        return ((e, const(1.0)),)
    if e.op in ("cos", "sin"):
        return addition_theorem(e, own)
    parts = [products(x, own) for x in e.args]
    if any(p is None for p in parts):
        return None
    match e.op, *parts:
        case "add", a, b:
            return a + b  # type: ignore[operator]
        case "sub", a, b:
            return a + times(b, const(-1.0))  # type: ignore[operator]
        case "neg", a:
            return times(a, const(-1.0))  # type: ignore[arg-type]
        case "mul", a, b:
            return _multiplied(a, b)  # type: ignore[arg-type]
        case "sqr", a:
            return _multiplied(a, a)  # type: ignore[arg-type]
        case "div", a, _ if not slots_of(e.args[1]) & own:
            return times(a, call("div", 1.0, e.args[1]))  # type: ignore[arg-type]
    return None


def _multiplied(a: Products, b: Products) -> Products:
    return tuple((call("mul", x, u), call("mul", y, v)) for (x, y), (u, v) in product(a, b))

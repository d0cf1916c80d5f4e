"""Terms in which the visited site and its neighbors separate, such as cos(a - b) = cos a cos b + sin a sin b.

Sums of what the neighbors contribute then do for every candidate value, and no function of a difference is left
to be evaluated for each neighbor and each candidate.
"""

from __future__ import annotations

from statmech_dsl.ir.expr import Expr, call, const, slots_of, walk

Products = tuple[tuple[Expr, Expr], ...]
"""Pairs (own, other): the term is the sum of the products."""


def separated(e: Expr, own: set[int]) -> Products | None:
    """A term as products of a function of the own slots and one of the others; None where it is not one.

    Only terms that hold a sine or cosine of the own slots are taken apart: others are cheap as they are,
    and differences of squares would lose digits.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> found = separated(call("cos", slot(0) - slot(1)), {0})
    >>> [(a.op, b.op) for a, b in found]
    [('cos', 'cos'), ('sin', 'sin')]
    """
    circular = any(x.op in ("cos", "sin") and slots_of(x) & own for x in walk(e))
    return _products(e, own) if circular else None


def _products(e: Expr, own: set[int]) -> Products | None:
    used = slots_of(e)
    if not used & own:
        return ((const(1.0), e),)
    if used <= own:
        return ((e, const(1.0)),)
    if e.op in ("add", "sub"):
        first, second = _products(e.args[0], own), _products(e.args[1], own)
        if first is None or second is None:
            return None
        return first + (second if e.op == "add" else times(second, const(-1.0)))
    if e.op == "neg":
        found = _products(e.args[0], own)
        return None if found is None else times(found, const(-1.0))
    if e.op == "mul":
        for x, y in (e.args, e.args[::-1]):
            if not slots_of(x) & own:
                found = _products(y, own)
                return None if found is None else times(found, x)
            if slots_of(x) <= own:
                found = _products(y, own)
                return None if found is None else tuple((call("mul", x, a), b) for a, b in found)
    if e.op in ("cos", "sin"):
        return addition_theorem(e, own)
    return None


def times(products: Products, other: Expr) -> Products:
    """Multiply by a function of all else."""
    return tuple((a, call("mul", other, b)) for a, b in products)


def addition_theorem(e: Expr, own: set[int]) -> Products | None:
    """Sine or cosine of a function of the own slots plus one of the others; None where it is no such sum."""
    parts = _parts(e.args[0], own)
    if parts is None:
        return None
    a, b = parts
    cos_a, sin_a, cos_b, sin_b = (call(f, x) for x in parts for f in ("cos", "sin"))
    if e.op == "cos":
        return ((cos_a, cos_b), *_signed(sin_a, call("neg", sin_b)))
    return (*_signed(sin_a, cos_b), (cos_a, sin_b))


def _signed(a: Expr, b: Expr) -> Products:
    """One product, its sign in the second factor."""
    return ((a.args[0], call("neg", b)),) if a.op == "neg" else ((a, b),)


def _parts(x: Expr, own: set[int]) -> tuple[Expr, Expr] | None:
    """``x = a + b``, a being a function of the own slots and b one of the others."""
    used = slots_of(x)
    if not used & own:
        return const(0.0), x
    if used <= own:
        return x, const(0.0)
    if x.op == "mul" and x.args[0].op == "const":
        inner = _parts(x.args[1], own)
        return None if inner is None else (x.args[0] * inner[0], x.args[0] * inner[1])
    if x.op not in ("add", "sub", "neg"):
        return None
    parts = [_parts(y, own) for y in x.args]
    if any(p is None for p in parts):
        return None
    return tuple(call(x.op, *column) for column in zip(*parts, strict=True))  # type: ignore[arg-type, return-value]

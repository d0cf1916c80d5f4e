"""How the energy depends on one site: quadratic, linear, first harmonic. Decides which draws are exact."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from statmech_dsl.ir.domains.base import Form
from statmech_dsl.ir.expr import Expr, slots_of
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.lower.incidence import Occurrence


def forms(occurrences: Sequence[Occurrence], ir: ModelIR) -> frozenset[Form]:
    """Forms that the energy provably has as a function of any one site."""
    found: set[Form] = set()
    polynomial = _largest(occurrences, ir, harmonic=False)
    if polynomial <= 2:
        found.add("quadratic")
    if polynomial <= 1:
        found.add("linear")
    if _largest(occurrences, ir, harmonic=True) <= 1:
        found.add("first harmonic")
    return frozenset(found)


def _largest(occurrences: Sequence[Occurrence], ir: ModelIR, harmonic: bool) -> float:
    """Largest degree in one site, through running sums too."""
    sums: dict[str, float] = {}
    direct = 0.0
    for o in occurrences:
        degree = _degree(o.family.expr, set(o.own), {}, harmonic)
        if o.family.feeds is None:
            direct = max(direct, degree)
        else:
            sums[o.family.feeds] = max(sums.get(o.family.feeds, 0.0), degree)
    for family in ir.energy_families:
        slots = {
            k: sums[c.array]
            for k, c in enumerate(family.columns)
            if c.kind == "sum" and c.array in sums
        }
        if slots:
            direct = max(direct, _degree(family.expr, set(), slots, harmonic))
    return direct


def _degree(e: Expr, own: set[int], sums: dict[int, float], harmonic: bool) -> float:
    """Degree of an expression in the own slots: as a polynomial, or in (cos, sin) of them."""

    def of(x: Expr) -> float:
        return _degree(x, own, sums, harmonic)

    if slots_of(e).isdisjoint(own | sums.keys()):
        return 0
    match e.op:
        case "slot":
            if e.attr in sums:
                return sums[e.attr]  # type: ignore[index]
            return inf if harmonic else 1
        case "add" | "sub" | "neg":
            return max(of(x) for x in e.args)
        case "mul":
            return of(e.args[0]) + of(e.args[1])
        case "sqr":
            return 2 * of(e.args[0])
        case "div" if of(e.args[1]) == 0:
            return of(e.args[0])
        case "where" if of(e.args[0]) == 0:
            return max(of(e.args[1]), of(e.args[2]))
        case "cos" | "sin" if harmonic and _slope(e.args[0], own) in (1, -1):
            return 1
    return inf


def _slope(e: Expr, own: set[int]) -> float | None:
    """Slope of an expression that is affine in the own slots, or None."""
    if slots_of(e).isdisjoint(own):
        return 0
    if e.op == "slot":
        return 1
    if e.op in ("add", "sub", "neg"):
        slopes = [_slope(x, own) for x in e.args]
        if None in slopes:
            return None
        if e.op == "neg":
            return -slopes[0]  # type: ignore[operator]
        return slopes[0] + (slopes[1] if e.op == "add" else -slopes[1])  # type: ignore[operator]
    if e.op == "mul" and e.args[0].op == "const":
        inner = _slope(e.args[1], own)
        return None if inner is None else e.args[0].attr * inner  # type: ignore[operator]
    return None

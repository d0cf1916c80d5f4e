"""How the energy depends on one site: quadratic, linear, first harmonic. Decides which draws are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from statmech_dsl.ir.domains.base import Form
from statmech_dsl.ir.expr import Expr, slots_of
from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.lower.incidence import Occurrence


def forms(occurrences: Sequence[Occurrence], ir: ModelIR, tables: Tables) -> frozenset[Form]:
    """Forms that the energy provably has as a function of any one site."""
    found: set[Form] = set()
    polynomial = _largest(occurrences, ir, tables, harmonic=False)
    if polynomial <= 2:
        found.add("quadratic")
    if polynomial <= 1:
        found.add("linear")
    if _largest(occurrences, ir, tables, harmonic=True) <= 1:
        found.add("first harmonic")
    return frozenset(found)


def _largest(
    occurrences: Sequence[Occurrence], ir: ModelIR, tables: Tables, harmonic: bool
) -> float:
    """Largest degree in one site, through running sums too."""
    sums: dict[str, float] = {}
    direct = 0.0
    for o in occurrences:
        at = _Site(set(o.own), {}, _signs(o.family, tables), harmonic)
        degree = _degree(o.family.expr, at)
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
            direct = max(direct, _degree(family.expr, _Site(set(), slots, set(), harmonic)))
    return direct


def _signs(family: Family, tables: Tables) -> set[int]:
    """Slots of coefficients that are all +1 or -1, as the orientations of links are."""
    return {
        k
        for k, c in enumerate(family.columns)
        if c.kind == "coefficient" and np.all(np.abs(tables[c.array]) == 1.0)
    }


@dataclass(frozen=True)
class _Site:
    """The slots that one site fills, degrees of the sums that it feeds, and slots that hold signs."""

    own: set[int]
    sums: dict[int, float]
    signs: set[int]
    harmonic: bool


def _degree(e: Expr, at: _Site) -> float:
    """Degree of an expression in the own slots: as a polynomial, or in (cos, sin) of them."""

    def of(x: Expr) -> float:
        return _degree(x, at)

    if slots_of(e).isdisjoint(at.own | at.sums.keys()):
        return 0
    match e.op:
        case "slot":
            if e.attr in at.sums:
                return at.sums[e.attr]  # type: ignore[index]
            return inf if at.harmonic else 1
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
        case "cos" | "sin" if at.harmonic and _slope(e.args[0], at) == 1:
            return 1
    return inf


def _slope(e: Expr, at: _Site) -> float | None:
    """Size of the slope of an expression that is affine in one own slot; None where it is not."""
    if slots_of(e).isdisjoint(at.own):
        return 0
    if e.op == "slot":
        return 1
    if e.op == "neg":
        return _slope(e.args[0], at)
    if e.op in ("add", "sub"):
        slopes = [_slope(x, at) for x in e.args]
        return slopes[0] or slopes[1] if 0 in slopes else None
    if e.op == "mul":
        for x, other in (e.args, e.args[::-1]):
            inner = _slope(other, at)
            if x.op == "const" and inner is not None:
                return abs(x.attr) * inner  # type: ignore[arg-type]
            if x.op == "slot" and x.attr in at.signs:
                return inner
    return None

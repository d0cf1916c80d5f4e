"""Kawasaki dynamics: two sites that share a term exchange their values, so the order parameter is conserved."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.draws import Categorical, old
from statmech_dsl.ir.expr import call, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass
from statmech_dsl.lower.bonds import find_bonds, n_incidences
from statmech_dsl.lower.collective import ExchangeSpec
from statmech_dsl.lower.incidence import occurrences
from statmech_dsl.updates.base import Situation, Update

MAX_INCIDENCES = 1 << 26
"""Terms at the ends of all bonds: their tables fit in memory."""


def _refuse(where: Situation) -> str | None:
    ir, tables, name = where.ir, where.tables, where.variable
    if where.law != "boltzmann":
        return (
            "a flat histogram is one of all states, and exchanges keep the values of the first one"
        )
    bonds = find_bonds(ir, tables, name)
    if not len(bonds):
        return "no two of its free sites share a term, so there is no pair to exchange"
    v = ir.variable(name)
    if (n := bonds.n_parts(tables[v.free], v.n_sites)) > 1:
        return f"its free sites fall into {n} parts that share no term, between which no value could go"
    found = occurrences(ir, tables, name)
    if (n := n_incidences(found, bonds, v.n_sites)) > MAX_INCIDENCES:
        return f"its {len(bonds)} pairs meet {n} terms, more than {MAX_INCIDENCES}"
    if any(o.family.element is not None for o in found):
        return "an energy is a function of many sums, and a pair of sites enters one of them twice"
    return None


def _build(variable: str, domain: Domain) -> ExchangeSpec:
    n = domain.components
    present = old(2 * n)
    exchanged = (*present[n:], *present[:n])
    body = (
        LocalEnergy("e", (present, exchanged)),
        # Not with certainty where it costs nothing: a sweep of such exchanges would not mix.
        Categorical("exchange", (law(read("e.0")), law(read("e.1")))),
        Assign(
            tuple(
                call("where", read("exchange"), new, now)
                for new, now in zip(exchanged, present, strict=True)
            )
        ),
    )
    return ExchangeSpec("kawasaki", variable, SitePass("kawasaki", variable, body))


KAWASAKI = Update("kawasaki", _refuse, _build, automatic=False, ergodic=False, conserves=True)

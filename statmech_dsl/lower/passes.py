"""One pass: from what an update says of a site to statements that a backend can run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.domains.base import Form
from statmech_dsl.ir.expr import Expr, call
from statmech_dsl.ir.kernel import Assign, LocalEnergy, LoweredPass, Move, SitePass, Statement
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.bonds import Bonds
from statmech_dsl.lower.coloring import Order, color, natural
from statmech_dsl.lower.field import field_form
from statmech_dsl.lower.forms import forms
from statmech_dsl.lower.incidence import Occurrence, occurrences
from statmech_dsl.lower.infinities import against_present, may_be_infinite
from statmech_dsl.lower.laws import LAWS, drop_reference
from statmech_dsl.lower.local_energy import lower_local_energy
from statmech_dsl.lower.running_sums import lower_assign
from statmech_dsl.lower.workspace import Workspace


@dataclass(frozen=True, eq=False)
class SiteAnalysis:
    """What the compiler found out about the free sites of a variable."""

    variable: str
    occurrences: list[Occurrence]
    order: Order
    forms: frozenset[Form]
    exclusive: bool
    """Every site hangs on every other, through a running sum or a tabulated law."""
    bonds: Bonds | None = None
    """What stands for the sites in a pass over bonds."""


def analyze(
    ir: ModelIR, tables: Tables, variable: str, law: str, order: Order | None = None
) -> SiteAnalysis:
    """Occurrences, order (unless given) and forms of a variable."""
    found = occurrences(ir, tables, variable)
    exclusive = law == "tabulated" or any(o.family.feeds for o in found)
    order = order or (natural if exclusive else color)(ir, tables, variable)
    return SiteAnalysis(variable, found, order, forms(found, ir, tables), exclusive)


def store_single(s: Assign) -> Assign:
    """Round the new value: an exclusive pass adds up in float64, also where it stores float32."""

    def rounded(e: Expr) -> Expr:
        if e.op == "where":
            return call("where", e.args[0], rounded(e.args[1]), rounded(e.args[2]))
        return e if e.op == "read" and str(e.attr).startswith("old.") else call("single", e)

    return Assign(tuple(rounded(e) for e in s.value))


def lower_pass(
    ir: ModelIR,
    source: Tables,
    site_pass: SitePass,
    analysis: SiteAnalysis,
    law: str,
    stream: int,
    tables: dict[str, np.ndarray],
    times: int = 1,
    reverse: bool = False,
) -> LoweredPass:
    """Lower a pass; its tables are written into ``tables``."""
    v = site_pass.variable
    prefix, bonds = f"{v}.pass{stream}", analysis.bonds
    order = analysis.order.reverse() if reverse else analysis.order
    visited = f"{v}{'.bonds' * (bonds is not None)}{'.reversed' * reverse}"
    ranks, segments = f"{visited}.order", f"{visited}.segments"
    tables[ranks] = order.sites if bonds is None else bonds.first[order.sites]
    tables[segments] = order.segments
    if bonds is not None:
        tables[f"{visited}.partner"] = bonds.second[order.sites]
    single = ir.variable(v).domain.storage_dtype == "float32"
    n_places = ir.variable(v).n_sites if bonds is None else len(bonds.first)
    ends = 1 if bonds is None else 2
    space = Workspace(ir, source, v, analysis.occurrences, order, tables, prefix, n_places, ends)
    given = site_pass.body
    families = [o.family for o in analysis.occurrences] + list(space.outer)
    if any(may_be_infinite(f, ir, source) for f in families):
        given = against_present(given, space.components)
    given = drop_reference(given)
    if single and analysis.exclusive:
        given = tuple(store_single(s) if isinstance(s, Assign) else s for s in given)
    body = LAWS[law](given, space.has_fixed, space.components)
    lowered: list[Statement] = []
    for s in drop_reference(body):
        if isinstance(s, LocalEnergy):
            lowered += lower_local_energy(s, space)
        elif isinstance(s, Assign):
            lowered += lower_assign(s, space)
        else:
            lowered.append(s)
    words = sum(getattr(s, "words", 0) for s in lowered)
    exclusive = analysis.exclusive or any(isinstance(s, Move) for s in lowered)
    out = LoweredPass(
        site_pass.update,
        v,
        tuple(lowered),
        site_pass.params,
        ranks,
        segments,
        stream,
        words,
        exclusive,
        "float32" if single and not exclusive else "float64",
        times=times,
        reversed=reverse,
    )
    if bonds is not None:
        return replace(out, partner=f"{visited}.partner", field="a bond has two sites")
    return replace(out, field=field_form(out.body, exclusive, ir))

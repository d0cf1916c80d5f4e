"""Which passes are dense: two values, pairwise couplings, to a sizable part of all sites."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.draws import Categorical
from statmech_dsl.ir.expr import evaluate, read, reads_of, walk
from statmech_dsl.ir.kernel import Accumulate, Assign, Gather, LoweredPass
from statmech_dsl.ir.model import Column, ModelIR, Tables

MIN_DENSITY = 0.25
"""Couplings of a site as a part of the sites they could lead to; below it, a matrix is mostly zeros."""
MIN_DEGREE = 8
"""Couplings of a site; with fewer, adding them up costs less than a matrix does."""
MIN_COLOR = 8
"""Sites of a color for which a matrix product pays."""
ARITHMETIC = frozenset({"const", "slot", "add", "sub", "mul", "neg", "sqr"})


def with_dense_form(p: LoweredPass, ir: ModelIR, tables: Tables) -> LoweredPass:
    """The pass, with its dense form if it has one."""
    form = dense_form(p, ir, tables)
    return replace(p, dense=form) if isinstance(form, DenseForm) else p


def dense_form(p: LoweredPass, ir: ModelIR, tables: Tables) -> DenseForm | str:
    """The dense form of a pass, or why it has none."""
    if not _two_small_values(ir, p.variable):
        return f"{p.variable!r} has not two values within +-126"
    if p.exclusive:
        return "its sites hang together through more than couplings"
    if p.update != "heat_bath":
        return f"its update is {p.update}, not heat_bath"
    if p.reversed:
        return "it visits its sites in the opposite order"
    if len(p.body) != 3:
        return "its local energy is more than a sum over neighbors"
    gathered, draw, assign = p.body
    assert isinstance(gathered, Accumulate)
    assert isinstance(draw, Categorical)
    assert isinstance(assign, Assign)
    name, *others = gathered.names
    if others:
        return "T does not divide all of its energy"
    assert draw.log_weights[1] == -(read("beta") * read(name))
    gathers = gathered.gathers
    reasons = [r for g in gathers if (r := _not_pairwise(g, ir))]
    if reasons:
        return reasons[0]
    neighbors = [c for g in gathers for c in _states(g)]
    sources = tuple(sorted({c.array for c in neighbors}))
    n_sites = len(tables[p.order])
    degree = sum(prod(tables[c.index or ""].shape) for c in neighbors) / n_sites
    reached = sum(ir.variable(v).n_sites for v in sources)
    if degree < MIN_DEGREE:
        return f"a site has {degree:.3g} couplings, fewer than {MIN_DEGREE}"
    if degree < MIN_DENSITY * reached:
        return f"a site is coupled to {degree:.3g} of {reached} sites, less than {MIN_DENSITY:.0%}"
    n_colors = len(tables[p.segments]) - 1
    method = "products" if n_sites >= MIN_COLOR * n_colors else "fields"
    low, high = (evaluate(assign.value[0], (), {draw.name: k}) for k in (0.0, 1.0))
    return DenseForm(method, low, high, sources)


def _two_small_values(ir: ModelIR, variable: str) -> bool:
    """Whether a variable has two values that leave room for a mark in a byte."""
    values = ir.variable(variable).domain.values or ()
    return len(values) == 2 and all(-126 <= x <= 126 for x in values)


def _states(g: Gather) -> list[Column]:
    return [c for c in g.role.columns if c.kind == "state"]


def _not_pairwise(g: Gather, ir: ModelIR) -> str | None:
    """Why a gather is no pairwise coupling or field of two-valued sites."""
    states = _states(g)
    if len(states) > 1:
        return f"a term joins {len(states) + 1} sites"
    if any(c.kind == "sum" for c in g.role.columns):
        return "a term reads a running sum"
    for c in states:
        if not _two_small_values(ir, c.array):
            return f"a term reads {c.array!r}, which has not two values within +-126"
    for _, e in g.terms:
        if other := {x.op for x in walk(e)} - ARITHMETIC - {"read"}:
            return f"a term contains {min(other)}"
        if reads_of(e):
            return "a term depends on the present value"
    return None

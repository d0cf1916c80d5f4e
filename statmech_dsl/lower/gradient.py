"""The gradient of the energy with respect to a site, as sums over its incidences.

Terms are differentiated one by one; a function of a running sum by the chain rule, its slope with respect to
the sum being a running sum of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.draws import Let, Value
from statmech_dsl.ir.expr import Expr, at_values, call, const, read, renumber, slot
from statmech_dsl.ir.kernel import Accumulate, Gather, Statement
from statmech_dsl.ir.model import Column, Family, ModelIR, Sum
from statmech_dsl.lower.derivative import NotDifferentiable, derivative
from statmech_dsl.lower.incidence import Occurrence
from statmech_dsl.lower.local_energy import FIXED
from statmech_dsl.lower.separation import Products, separated
from statmech_dsl.lower.workspace import Gatherings, Own, Terms, Workspace, other_columns, own_slots

Factors = dict[tuple[Expr, str], str]
"""Functions of the own site, whose slot c is its component c, and the sum that each multiplies."""


@dataclass(frozen=True, eq=False)
class Gradient:
    """Statements that bind ``name.c`` and ``name.c.fixed``, and what they need.

    ``own`` are names that they read, bound to functions of the site whose component c is slot c; the families
    and sums stand beside those of the model.
    """

    body: tuple[Statement, ...]
    own: tuple[tuple[str, Expr], ...]
    families: tuple[Family, ...]
    sums: tuple[Sum, ...]


def lower_gradient(name: str, at: Value, space: Workspace) -> Gradient:
    """Differentiate by each component of a site whose value is ``at``.

    Raises
    ------
    NotDifferentiable
        A term jumps.
    """
    suffixes = ("", FIXED) if space.has_fixed else ("",)
    names = [f"{name}.{c}{x}" for x in suffixes for c in range(space.components)]
    work, factors = Gatherings(), Factors()
    families, sums = _slopes(space)
    for o in space.occurrences:
        with_slopes = o.family.feeds is not None
        if with_slopes:
            for slope in (s for s in sums if s.name.partition(SLOPE)[0] == o.family.feeds):
                _add_slope(name, at, o, slope, space, work)
            continue
        products = separated(o.family.expr, set(o.own))
        if products is None:
            work.add(o, space, lambda own, o=o: _terms(name, at, o, own))
        else:
            terms = _sums(name, products, o, factors)
            work.add(o, space, lambda own, terms=terms: terms)
    if not factors:
        return Gradient((_accumulate(tuple(names), work, space, {}),), (), families, sums)
    bound = {n for terms, _ in work for n, _ in terms}
    local = {n: f"{n}.local" for n in names if n in bound}
    out: list[Statement] = [
        _accumulate((*local.values(), *factors.values()), work, space, local),
    ]
    bindings: dict[str, Expr] = {}
    for n in names:
        c = int(n.removeprefix(f"{name}.").removesuffix(FIXED))
        total = read(local[n]) if n in local else const(0.0)
        for (function, suffix), summed in factors.items():
            slope = derivative(function, c)
            if slope != const(0.0) and suffix == (FIXED if n.endswith(FIXED) else ""):
                own = f"{summed}.by.{c}"
                bindings[own] = slope
                total = total + read(own) * read(summed)
        out.append(Let(n, total))
    return Gradient(tuple(out), tuple(bindings.items()), families, sums)


def _of(f: Family, own: Own, c: int) -> Expr:
    """Derivative of a term by component c of the site."""
    total = const(0.0)
    for k in sorted(k for k, component in own.items() if component == c):
        total = total + _by(f, k)
    return total


def _by(f: Family, k: int) -> Expr:
    try:
        return derivative(f.expr, k)
    except NotDifferentiable as why:
        raise NotDifferentiable(f"{f.term!r} has no gradient: {why}") from None


def check_gradient(ir: ModelIR, variable: str) -> None:
    """Raise NotDifferentiable if a term of the energy jumps as a function of a variable."""
    fed = set()
    for f in ir.families:
        for k, c in enumerate(f.columns):
            if c.kind == "state" and c.array == variable:
                _by(f, k)
                fed.add(f.feeds)
    for f in ir.energy_families:
        for k, c in enumerate(f.columns):
            if c.kind == "sum" and c.array in fed:
                _by(f, k)


def _terms(name: str, at: Value, o: Occurrence, own: Own) -> Terms:
    """What an incidence adds to the gradient at the site's value."""
    suffix = "" if o.family.tempered else FIXED
    values = {k: at[c] for k, c in own.items()}
    return tuple(
        (f"{name}.{c}{suffix}", at_values(_of(o.family, own, c), values))
        for c in sorted(set(own.values()))
    )


def _sums(name: str, products: Products, o: Occurrence, factors: Factors) -> Terms:
    """What an incidence adds to the sums that belong to functions of the site."""
    suffix = "" if o.family.tempered else FIXED
    own = {k: slot(c) for k, c in own_slots(o).items()}
    terms: dict[str, Expr] = {}
    for mine, other in products:
        key = (at_values(mine, own), suffix)
        target = factors.setdefault(key, f"{name}.sum{len(factors)}")
        terms[target] = terms[target] + other if target in terms else other
    return tuple(terms.items())


# ---- functions of running sums -------------------------------------------------------------------

SLOPE = ".slope"
"""Ends the name of the derivative of the energy by the elements of a running sum."""


def _slopes(space: Workspace) -> tuple[tuple[Family, ...], tuple[Sum, ...]]:
    """Derivatives of the energy by the sums that the sites feed, as running sums."""
    families: list[Family] = []
    sums: dict[str, Sum] = {}
    for f in space.outer:
        for k, c in enumerate(f.columns):
            if c.kind != "sum" or c.array not in space.fed:
                continue
            name = f"{c.array}{SLOPE}" + ("" if f.tempered else FIXED)
            size = next(s.size for s in space.ir.sums if s.name == c.array)
            sums[name] = Sum(name, size)
            columns = f.columns if c.index is None else _in_order(f, c.index, space)
            element = columns[k].index
            slope = Family(f"{f.name}{SLOPE}{k}", f.term, _by(f, k), columns)
            families.append(replace(slope, feeds=name, element=element))
    return tuple(families), tuple(sums.values())


def _in_order(f: Family, index: str, space: Workspace) -> tuple[Column, ...]:
    """The columns of a family whose instances ascend in the elements that they read."""
    order = np.argsort(space.source[index], kind="stable")
    columns = []
    for c in f.columns:
        if c.index is not None:
            table = f"{space.prefix}.{c.index}.by.{index}"
            space.tables[table] = np.ascontiguousarray(space.source[c.index][order])
            c = replace(c, index=table)
        columns.append(c)
    return tuple(columns)


def _add_slope(
    name: str, at: Value, o: Occurrence, slope: Sum, space: Workspace, work: Gatherings
) -> None:
    """Add slope times derivative for every element that a site feeds."""
    own, rest = own_slots(o), other_columns(o)
    number = {k: n for n, k in enumerate(rest)}
    elements = space.elements(o)
    target = Column("sum", slope.name, None if elements is None else "")
    suffix = FIXED if slope.name.endswith(FIXED) else ""
    values = {k: at[c] for k, c in own.items()}
    terms = []
    for c in sorted(set(own.values())):
        inner = at_values(_of(o.family, own, c), values)
        if inner != const(0.0):
            product = call("mul", slot(len(rest)), renumber(inner, number))
            terms.append((f"{name}.{c}{suffix}", product))
    entries = (*(space.entries(c, o.instances) for c in rest.values()), elements)
    work.put(tuple(terms), o.sites, (*rest.values(), target), entries)


def _accumulate(
    names: tuple[str, ...], work: Gatherings, space: Workspace, rename: dict[str, str]
) -> Accumulate:
    return Accumulate(
        names,
        tuple(
            Gather(space.role(parts), tuple((rename.get(n, n), e) for n, e in terms))
            for (terms, _), parts in work.items()
        ),
    )

"""From `LocalEnergy` to sums over incidences of a site."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Value
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import Expr, at_values, const, difference, read, slot
from statmech_dsl.ir.kernel import Accumulate, Gather, LocalEnergy, Statement
from statmech_dsl.ir.model import Family
from statmech_dsl.lower import running_sums
from statmech_dsl.lower.incidence import Occurrence
from statmech_dsl.lower.separation import Products, separated
from statmech_dsl.lower.workspace import Gatherings, Own, Terms, Workspace, own_slots

FIXED = ".fixed"
"""Suffix of the part of a local energy that T does not divide."""


def lower_local_energy(s: LocalEnergy, space: Workspace) -> list[Statement]:
    """Accumulate what each incidence adds, then add what takes sums over all incidences of the site."""
    candidates = range(1, len(s.at))
    suffixes = ("", FIXED) if space.has_fixed else ("",)
    names = [f"{s.name}.{c}{x}" for x in suffixes for c in candidates]
    work = Gatherings()
    factors: dict[tuple[Expr, str], str] = {}
    for o in space.occurrences:
        if o.family.feeds is not None:
            continue
        products = separated(o.family.expr, set(o.own))
        if products is None:
            work.add(o, space, lambda own, f=o.family: relative(s.name, s.at, f, own))
        else:
            terms = _sums(s.name, products, o, factors)
            work.add(o, space, lambda own, terms=terms: terms)
    scalar = running_sums.scalar_functions(space)
    for f in space.outer:
        if f not in scalar:
            running_sums.gather_vector_function(f, s, space, work)
    if not scalar and not factors:
        return [_accumulate(tuple(names), work, space)]
    parts = running_sums.gather_parts(s, space, work)
    bound = {name for terms, _ in work for name, _ in terms}
    local = {n: f"{n}.local" for n in names if n in bound}
    sums = (*local.values(), *factors.values(), *parts)
    out: list[Statement] = [_accumulate(sums, work, space, local)]
    for n in names:
        c = int(n.removeprefix(f"{s.name}.").removesuffix(FIXED))
        total = read(local[n]) if n in local else const(0.0)
        for (own, suffix), name in factors.items():
            if suffix == (FIXED if n.endswith(FIXED) else ""):
                total = total + (_at(own, s.at[c]) - _at(own, s.at[0])) * read(name)
        for f in scalar:
            if f.tempered == (not n.endswith(FIXED)):
                total = total + running_sums.scalar_difference(f, s.name, c, space)
        out.append(Let(n, total))
    return out


def _sums(
    name: str, products: Products, o: Occurrence, factors: dict[tuple[Expr, str], str]
) -> Terms:
    """What an incidence adds to the sum that belongs to each function of the visited site.

    ``factors`` collects these functions, in which slot k stands for component k of the site.
    """
    suffix = "" if o.family.tempered else FIXED
    own = {k: slot(c) for k, c in own_slots(o).items()}
    terms: dict[str, Expr] = {}
    for mine, other in products:
        key = (at_values(mine, own), suffix)
        target = factors.setdefault(key, f"{name}.sum{len(factors)}")
        terms[target] = terms[target] + other if target in terms else other
    return tuple(terms.items())


def _at(own: Expr, value: Value) -> Expr:
    return at_values(own, dict(enumerate(value)))


def relative(name: str, at: tuple[Value, ...], f: Family, own: Own) -> Terms:
    """Energy of an instance at each candidate, relative to candidate 0."""
    suffix = "" if f.tempered else FIXED
    ref = {k: at[0][c] for k, c in own.items()}
    return tuple(
        (f"{name}.{n}{suffix}", difference(f.expr, {k: at[n][c] for k, c in own.items()}, ref))
        for n in range(1, len(at))
    )


def _accumulate(
    names: tuple[str, ...], work: Gatherings, space: Workspace, rename: dict[str, str] | None = None
) -> Accumulate:
    rename = rename or {}
    return Accumulate(
        names,
        tuple(
            Gather(space.role(parts), tuple((rename.get(n, n), e) for n, e in terms))
            for (terms, _), parts in work.items()
        ),
    )

"""From `LocalEnergy` to sums over incidences of a site."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Value
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import difference, read
from statmech_dsl.ir.kernel import Accumulate, Gather, LocalEnergy, Statement
from statmech_dsl.ir.model import Family
from statmech_dsl.lower import running_sums
from statmech_dsl.lower.workspace import Gatherings, Own, Terms, Workspace

FIXED = ".fixed"
"""Suffix of the part of a local energy that T does not divide."""


def lower_local_energy(s: LocalEnergy, space: Workspace) -> list[Statement]:
    """Accumulate what each incidence adds, then add functions of scalar running sums."""
    candidates = range(1, len(s.at))
    suffixes = ("", FIXED) if space.has_fixed else ("",)
    names = [f"{s.name}.{c}{x}" for x in suffixes for c in candidates]
    work = Gatherings()
    for o in space.occurrences:
        if o.family.feeds is None:
            work.add(o, space, lambda own, f=o.family: relative(s.name, s.at, f, own))
    scalar = running_sums.scalar_functions(space)
    for f in space.outer:
        if f not in scalar:
            running_sums.gather_vector_function(f, s, space, work)
    if not scalar:
        return [_accumulate(tuple(names), work, space)]
    parts = running_sums.gather_parts(s, space, work)
    local = {n: f"{n}.local" for n in names}
    out: list[Statement] = [_accumulate((*local.values(), *parts), work, space, local)]
    for n in names:
        c = int(n.removeprefix(f"{s.name}.").removesuffix(FIXED))
        total = read(local[n])
        for f in scalar:
            if f.tempered == (not n.endswith(FIXED)):
                total = total + running_sums.scalar_difference(f, s.name, c, space)
        out.append(Let(n, total))
    return out


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

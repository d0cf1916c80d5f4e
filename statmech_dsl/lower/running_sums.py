"""Functions of sums over many sites: how a site changes them, and how its assignment moves the sums.

Two cases. A function of scalar sums (mean field, a penalty) adds up what the site contributes to each
sum at each candidate, over any number of incidences, and is evaluated once. A function of each element of
a vector of sums (overlaps with patterns, hidden units) is evaluated at every element that the site feeds;
there a site must feed an element through one incidence only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.draws import Let, old
from statmech_dsl.ir.expr import Expr, at_values, call, difference, read, renumber, slot
from statmech_dsl.ir.kernel import Assign, Bump, LocalEnergy, Statement
from statmech_dsl.ir.model import Column, Family
from statmech_dsl.lower.incidence import Incidences, Occurrence
from statmech_dsl.lower.workspace import (
    Gatherings,
    Own,
    Terms,
    Workspace,
    blank,
    other_columns,
    own_slots,
)


def scalar_functions(space: Workspace) -> tuple[Family, ...]:
    """Energy families that are a function of a few scalar sums."""
    return tuple(f for f in space.outer if all(c.index is None for c in f.columns))


def gather_parts(s: LocalEnergy, space: Workspace, work: Gatherings) -> tuple[str, ...]:
    """Accumulate what the site adds to each scalar sum at the candidates and at its present value.

    All relative to candidate 0; returns the names of the accumulators.
    """
    sums = sorted({c.array for f in scalar_functions(space) for c in f.columns if c.kind == "sum"})
    fed = [name for name in sums if name in space.fed]
    at = (*s.at, old(space.components))
    labels = [str(c) for c in range(1, len(s.at))] + ["old"]

    def terms(own: Own, f: Family) -> Terms:
        ref = {k: at[0][c] for k, c in own.items()}
        return tuple(
            (
                f"{s.name}.{f.feeds}.{label}",
                difference(f.expr, {k: value[c] for k, c in own.items()}, ref),
            )
            for label, value in zip(labels, at[1:], strict=True)
        )

    for o in space.occurrences:
        if o.family.feeds in fed:
            work.add(o, space, lambda own, f=o.family: terms(own, f))
    return tuple(f"{s.name}.{name}.{label}" for name in fed for label in labels)


def scalar_difference(f: Family, name: str, c: int, space: Workspace) -> Expr:
    """The function at candidate c minus at candidate 0; the sums stand at the present value."""

    def at(shift: Callable[[str], Expr]) -> Expr:
        values = {}
        for k, column in enumerate(f.columns):
            if column.kind == "coefficient":
                values[k] = read(f"coefficient.{column.array}")
            else:
                values[k] = read(f"sum.{column.array}")
                if column.array in space.fed:
                    values[k] = values[k] + shift(column.array)
        return at_values(f.expr, values)

    def present(a: str) -> Expr:
        return read(f"{name}.{a}.old")

    return call(
        "sub", at(lambda a: read(f"{name}.{a}.{c}") - present(a)), at(lambda a: -present(a))
    )


def gather_vector_function(f: Family, s: LocalEnergy, space: Workspace, work: Gatherings) -> None:
    """Evaluate a function of each element that a site feeds, at each candidate."""
    read_sums = [k for k, c in enumerate(f.columns) if c.kind == "sum"]
    feeding = [o for o in space.occurrences if o.family.feeds == f.columns[read_sums[0]].array]
    _require_one_incidence(f, feeding, space, several=len(read_sums) > 1)
    (sum_slot,) = read_sums
    n_elements = next(x.size for x in space.ir.sums if x.name == f.columns[sum_slot].array)
    reader = _reader_of_element(f, sum_slot, n_elements, space)
    for o in feeding:
        elements = space.elements(o)
        assert elements is not None
        used = reader[elements] >= 0
        kept = replace(o, instances=o.instances[used], sites=o.sites[used])
        rest = other_columns(o)
        number = {k: n for n, k in enumerate(rest)}
        outer_number = {k: len(rest) + n for n, k in enumerate(range(len(f.columns)))}
        outer = renumber(f.expr, outer_number)
        running = slot(outer_number[sum_slot])
        own = own_slots(o)
        present = {k: old(space.components)[c] for k, c in own.items()}

        def shifted(
            n: int,
            o: Occurrence = o,
            own: Own = own,
            number: dict[int, int] = number,
            present: dict[int, Expr] = present,
            running: Expr = running,
        ) -> Expr:
            change = difference(o.family.expr, {k: s.at[n][c] for k, c in own.items()}, present)
            return running + renumber(change, number)

        ref = {outer_number[sum_slot]: shifted(0)}
        suffix = "" if f.tempered else ".fixed"
        terms = tuple(
            (f"{s.name}.{n}{suffix}", difference(outer, {outer_number[sum_slot]: shifted(n)}, ref))
            for n in range(1, len(s.at))
        )
        outer_instances = reader[elements[used]]
        entries = (
            *(space.entries(c, kept.instances) for c in rest.values()),
            *(space.entries(c, outer_instances) for c in f.columns),
        )
        work.put(terms, kept.sites, (*rest.values(), *f.columns), entries)


def _require_one_incidence(
    f: Family, feeding: list[Occurrence], space: Workspace, several: bool
) -> None:
    keys = [
        o.sites.astype(np.int64) * (2**31) + space.elements(o)  # type: ignore[operator]
        for o in feeding
    ]
    flat = np.concatenate(keys) if keys else np.zeros(0, np.int64)
    if several or len(np.unique(flat)) < len(flat):
        raise NonLocalEnergyError(
            f"energy {f.term!r} is a function of many sums, and a site enters one of them more "
            "than once or the function reads several sums",
            mend="collect the coefficients of each site, or write the function as a sum of "
            "functions of one linear sum each",
        )


def _reader_of_element(f: Family, k: int, n_elements: int, space: Workspace) -> np.ndarray:
    """Which instance of a function reads each element, -1 where none does."""
    index = space.source[f.columns[k].index or ""]
    if len(np.unique(index)) < len(index):
        raise NonLocalEnergyError(
            f"energy {f.term!r} uses one sum over many sites in several elements",
            mend="write one energy term for each use",
        )
    reader = np.full(n_elements, -1, np.int64)
    reader[index] = np.arange(len(index))
    return reader


def lower_assign(s: Assign, space: Workspace) -> list[Statement]:
    """Before the site is set, bump every running sum that it feeds by new minus old."""
    if not space.fed:
        return [s]
    new = tuple(read(f"assigned.{k}") for k in range(len(s.value)))
    out: list[Statement] = [Let(f"assigned.{k}", x) for k, x in enumerate(s.value)]
    for o in space.occurrences:
        if o.family.feeds is None:
            continue
        own = own_slots(o)
        change = difference(
            o.family.expr,
            {k: new[c] for k, c in own.items()},
            {k: old(space.components)[c] for k, c in own.items()},
        )
        rest = other_columns(o)
        elements = space.elements(o)
        target = Column("sum", o.family.feeds, None if elements is None else "")
        columns = (*(blank(c) for c in rest.values()), target)
        entries = (*(space.entries(c, o.instances) for c in rest.values()), elements)
        role = space.role([Incidences(o.sites, columns, entries)])
        change = renumber(change, {k: n for n, k in enumerate(rest)})
        out.append(Bump(role, role.columns[-1], change))
    return [*out, replace(s, value=new)]

"""Where the sites of a variable occur in factors, and the tables through which a sweep visits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.kernel import Role
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.lower.sorting import group


@dataclass(frozen=True, eq=False)
class Occurrence:
    """Instances of a family in which a free site fills exactly the slots ``own``.

    ``sites[n]`` is the site and ``instances[n]`` the instance of occurrence n; each own slot reads the
    component of the site that ``components`` tells. In a pass over bonds a bond stands for the site, and the
    components of its second end follow those of the first.
    """

    family: Family
    own: tuple[int, ...]
    components: tuple[int, ...]
    instances: np.ndarray
    sites: np.ndarray


def occurrences(ir: ModelIR, tables: Tables, variable: str) -> list[Occurrence]:
    """All occurrences of a variable's free sites, in all families.

    Slots that share an index table are one site always; slots of different tables are one site in some
    instances (the diagonal of a dense coupling), which become an occurrence of their own.
    """
    is_free = np.zeros(ir.variable(variable).n_sites, bool)
    is_free[tables[ir.variable(variable).free]] = True
    all_free = bool(is_free.all())
    found = []
    for family in ir.families:
        groups: dict[str, list[int]] = {}
        for k, c in enumerate(family.columns):
            if c.kind == "state" and c.array == variable:
                assert c.index is not None
                groups.setdefault(c.index, []).append(k)
        for own, sites, chosen in _patterns(list(groups), tables):
            slots = tuple(sorted(k for name in own for k in groups[name]))
            if not all_free:
                keep = is_free[sites]
                sites, chosen = sites[keep], chosen[keep]
            if len(sites):
                components = tuple(family.columns[k].component for k in slots)
                found.append(Occurrence(family, slots, components, chosen, sites))
    return found


def _patterns(
    names: list[str], tables: Tables
) -> Iterator[tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    """For each first table and each set of later tables that agree with it: sites and instances."""
    for p, lead in enumerate(names):
        sites = tables[lead]
        every = np.arange(len(sites), dtype=np.uint32)
        equal = {q: sites == tables[q] for q in names if q != lead}
        if not any(e.any() for e in equal.values()):
            yield (lead,), sites, every
            continue
        first = ~np.any([equal[q] for q in names[:p]], axis=0) if p else np.ones(len(sites), bool)
        later = names[p + 1 :]
        code = np.zeros(len(sites), np.int64)
        for bit, q in enumerate(later):
            code |= equal[q].astype(np.int64) << bit
        for value in np.unique(code[first]):
            chosen = every[first & (code == value)]
            agreeing = tuple(q for bit, q in enumerate(later) if value >> bit & 1)
            yield (lead, *agreeing), sites[chosen], chosen


@dataclass(frozen=True, eq=False)
class Incidences:
    """Occurrences seen from the sites: what each remaining slot reads, one entry per incidence."""

    sites: np.ndarray
    columns: tuple[Column, ...]
    """Columns with ``index`` None (scalar) or "" (to be filled from ``entries``)."""
    entries: tuple[np.ndarray | None, ...]


def layout(
    name: str, parts: list[Incidences], order: np.ndarray, n_sites: int, tables: dict
) -> Role:
    """Write the tables of a role, in rank order; equal columns of several parts follow each other."""
    rank = np.full(n_sites, -1, np.int64)
    rank[order] = np.arange(len(order))
    sorting, start = group(rank[np.concatenate([p.sites for p in parts])], len(order))
    degrees = np.diff(start)
    regular = bool(len(degrees)) and degrees.min() == degrees.max()
    degree = int(degrees[0]) if regular else None
    columns = []
    for k, column in enumerate(parts[0].columns):
        if column.index is not None:
            entries = [p.entries[k] for p in parts]
            flat = np.concatenate(entries)[sorting].astype(np.uint32)  # type: ignore[arg-type]
            table = f"{name}.{k}"
            shaped = flat.reshape(len(order), degree).T if degree is not None else flat
            tables[table] = np.ascontiguousarray(shaped)
            column = replace(column, index=table)
        columns.append(column)
    pointer = None
    if degree is None:
        pointer = f"{name}.pointer"
        tables[pointer] = start.astype(np.uint32)
    return Role(name, tuple(columns), degree, pointer)

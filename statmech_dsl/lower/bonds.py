"""Bonds: pairs of free sites that share a term, as the places that a pass visits.

A bond meets the terms of both its ends. Bonds of one color share no site and no term, so exchanges on them
may be decided in any order or at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.ir.expr import at_values, canonical, read
from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.lower.coloring import Order, dependencies
from statmech_dsl.lower.incidence import Occurrence, occurrences
from statmech_dsl.lower.sorting import group


@dataclass(frozen=True, eq=False)
class Bonds:
    """The two ends of every bond, the smaller site first."""

    first: np.ndarray
    second: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def n_parts(self, free: np.ndarray, n_sites: int) -> int:
        """Into how many parts that no bond connects the free sites fall."""
        from scipy.sparse import coo_array  # takes long to import, and few updates need it
        from scipy.sparse.csgraph import connected_components

        graph = coo_array((np.ones(len(self), bool), (self.first, self.second)), (n_sites, n_sites))
        return len(np.unique(connected_components(graph, directed=False)[1][free]))


def find_bonds(ir: ModelIR, tables: Tables, variable: str) -> Bonds:
    """All pairs of free sites of a variable that meet in a term, each once."""
    n = ir.variable(variable).n_sites
    a, b = dependencies(ir, tables, variable)
    keys = np.sort(np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b))
    keys = keys[np.append(True, np.diff(keys) > 0)[: len(keys)]]
    return Bonds((keys // n).astype(np.uint32), (keys % n).astype(np.uint32))


def n_incidences(found: list[Occurrence], bonds: Bonds, n_sites: int) -> int:
    """Terms that the two ends of a bond meet, added up over all bonds."""
    degree = np.zeros(n_sites, np.int64)
    for o in found:
        degree += np.bincount(o.sites, minlength=n_sites)
    return int(degree[bonds.first].sum() + degree[bonds.second].sum())


def bond_occurrences(ir: ModelIR, tables: Tables, variable: str, bonds: Bonds) -> list[Occurrence]:
    """All occurrences of the bonds of a variable: terms that one end meets, or both."""
    by_family: dict[str, list[Occurrence]] = {}
    for o in occurrences(ir, tables, variable):
        by_family.setdefault(o.family.name, []).append(o)
    v = ir.variable(variable)
    return [
        x
        for parts in by_family.values()
        for x in _of_family(parts[0].family, parts, bonds, v.n_sites, v.domain.components, tables)
    ]


def _of_family(
    family: Family,
    parts: list[Occurrence],
    bonds: Bonds,
    n_sites: int,
    width: int,
    tables: Tables,
) -> Iterator[Occurrence]:
    """Occurrences of a family, by the slots that each end fills (none: -1)."""
    sites = np.concatenate([o.sites for o in parts])
    instances = np.concatenate([o.instances for o in parts])
    pattern = np.repeat(np.arange(len(parts)), [len(o.sites) for o in parts])
    by_instance, _ = group(instances, family.n_instances(tables))
    by_site, start = group(sites[by_instance], n_sites)
    rows = by_instance[by_site]
    bond, a, b = _meetings(bonds.first, bonds.second, start, instances[rows])
    one, two = (np.where(x < 0, -1, pattern[rows[x]]) for x in (a, b))
    instance = instances[rows[np.where(a < 0, b, a)]]
    code = (one + 1) * (len(parts) + 1) + two + 1
    for k in np.flatnonzero(np.bincount(code)):
        chosen = np.flatnonzero(code == k)
        filled = [(x[chosen[0]], end) for end, x in enumerate((one, two)) if x[chosen[0]] >= 0]
        slots = sorted(
            (k, c + end * width)
            for p, end in filled
            for k, c in zip(parts[p].own, parts[p].components, strict=True)
        )
        own, components = zip(*slots, strict=True)
        if not _symmetric(family, own, components, width):
            yield Occurrence(family, own, components, instance[chosen], bond[chosen])


def _symmetric(
    family: Family, own: tuple[int, ...], components: tuple[int, ...], width: int
) -> bool:
    """Whether a term stays the same when the ends exchange their values."""
    here, there = (
        canonical(
            at_values(family.expr, {k: read(f"old.{c}") for k, c in zip(own, to, strict=True)})
        )
        for to in (components, [(c + width) % (2 * width) for c in components])
    )
    return here == there


@compiled
def _meetings(first, second, start, instances):
    """Bond, row of its first end and row of its second end, -1 for none, for every term that it meets.

    ``instances`` of a site ascend, as in merging.
    """
    n = 0
    for b in range(len(first)):
        n += start[first[b] + 1] - start[first[b]] + start[second[b] + 1] - start[second[b]]
    bond = np.empty(n, np.uint32)
    one, two = np.empty(n, np.int64), np.empty(n, np.int64)
    m = 0
    for b in range(len(first)):
        p, p1 = start[first[b]], start[first[b] + 1]
        q, q1 = start[second[b]], start[second[b] + 1]
        while p < p1 or q < q1:
            bond[m], one[m], two[m] = b, -1, -1
            take_p = p < p1 and (q == q1 or instances[p] <= instances[q])
            take_q = q < q1 and (p == p1 or instances[q] <= instances[p])
            if take_p:
                one[m] = p
                p += 1
            if take_q:
                two[m] = q
                q += 1
            m += 1
    return bond[:m], one[:m], two[:m]


def color_bonds(bonds: Bonds, n_sites: int) -> Order:
    """Order bonds by color."""
    ends, start = group(np.concatenate([bonds.first, bonds.second]), n_sites)
    around = np.concatenate([bonds.second, bonds.first])[ends], ends % len(bonds), start
    colors = _greedy(bonds.first, bonds.second, *around)
    prove(colors, bonds, n_sites)
    order, segments = group(colors, int(colors.max(initial=0)) + 1)
    return Order(order, segments.astype(np.int64))


def prove(colors: np.ndarray, bonds: Bonds, n_sites: int) -> None:
    """Raise unless bonds of a color share no site, and no bond leads from one to another."""
    for color in range(int(colors.max(initial=-1)) + 1):
        if _touch(np.flatnonzero(colors == color), bonds.first, bonds.second, n_sites):
            raise AssertionError(f"two bonds of color {color} share a site or a term")


@compiled
def _touch(mine, first, second, n_sites):
    """Whether some bonds share a site, or any bond joins two of them."""
    owner = np.full(n_sites, -1, np.int64)
    for b in mine:
        if owner[first[b]] >= 0 or owner[second[b]] >= 0:
            return True
        owner[first[b]] = owner[second[b]] = b
    for b in range(len(first)):
        p, q = owner[first[b]], owner[second[b]]
        if p >= 0 and q >= 0 and p != q:
            return True
    return False


@compiled
def _greedy(first, second, neighbors, bond, start):
    """Smallest color that no bond has which touches an end, or a neighbor of one."""
    n = len(first)
    colors = np.full(n, -1, np.int32)
    taken = np.full(n + 1, -1, np.int64)
    for b in range(n):
        for end in (first[b], second[b]):
            for p in range(start[end], start[end + 1]):
                u = neighbors[p]  # the ends are neighbors of each other
                for q in range(start[u], start[u + 1]):
                    c = colors[bond[q]]
                    if c >= 0:
                        taken[c] = b
        c = 0
        while taken[c] == b:
            c += 1
        colors[b] = c
    return colors

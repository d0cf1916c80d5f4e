"""The energy as a sum of tables: one factor for each set of sites that interact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.ir.model import Family
from statmech_dsl.solvers.evaluate import coefficients, evaluate, exclude, require_defined
from statmech_dsl.solvers.system import SMALLER, System, power_of_two, rows

MAX_TERMS = 2**16
"""Most terms of a family that are merged, one by one: half a second."""
MAX_TABLE = 2**25
"""Most entries in the tables of a family's alike instances: 256 MB."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Energy of all that couples exactly these free sites, ascending, by the level of each."""

    sites: tuple[int, ...]
    tempered: np.ndarray
    fixed: np.ndarray


def factorize(system: System) -> list[Factor]:
    """Write the energy as a sum of factors: the constant one, and at least one for every site.

    Raises
    ------
    InfeasibleError
        The energy is a function of running sums, or a term couples too many sites.
    ImproperDistributionError
        A term is NaN or minus infinity.
    """
    merged: dict[tuple[int, ...], np.ndarray] = {(): np.zeros(2)}
    merged |= {(k,): np.zeros((2, len(levels))) for k, levels in enumerate(system.levels)}
    for f in system.ir.families:
        if f.feeds is not None or any(c.kind == "sum" for c in f.columns):
            raise InfeasibleError(
                f"local terms are needed; {f.term!r} is a function of a sum over many sites",
                mend=SMALLER,
            )
        for _, sites, table in instances(f, system):
            if sites not in merged:
                merged[sites] = np.zeros((2, *table.shape))
            merged[sites][0 if f.tempered else 1] += table
    # A field goes along with one of the interactions of its site.
    for sites in [sites for sites in merged if len(sites) > 1]:
        for axis, s in enumerate(sites, 1):
            if (field := merged.pop((s,), None)) is not None:
                shape = [2] + [1] * len(sites)
                shape[axis] = -1
                merged[sites] += field.reshape(shape)
    return [Factor(sites, *exclude(*table)) for sites, table in merged.items()]


def instances(f: Family, system: System) -> Iterator[tuple[int, tuple[int, ...], np.ndarray]]:
    """Number, free sites (ascending) and table of every instance of a family that reads no sum.

    Instances are evaluated together where the same slots are clamped and the same read one site.
    """
    n = f.n_instances(system.tables)
    site = np.full((len(f.columns), n), -1)
    for k, c in enumerate(f.columns):
        if c.kind == "state":
            site[k] = system.numbers[c.array][rows(c, system.ir, system.tables)]
    if np.count_nonzero((site >= 0).any(axis=0)) > MAX_TERMS:
        raise InfeasibleError(
            f"at most {power_of_two(MAX_TERMS)} terms are taken one by one, and {f.term!r} has more",
            mend=SMALLER,
        )
    patterns, pattern_of = np.unique(_pattern(site), axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        chosen = np.flatnonzero(pattern_of == number)
        leaders = [k for k, first in enumerate(pattern) if first == k]
        levels = [system.levels[site[k, chosen[0]]] for k in leaders]
        tables = _evaluate(f, system, pattern, dict(zip(leaders, levels, strict=True)), chosen)
        require_defined(f, tables)
        for m, sites, table in zip(chosen, site[leaders][:, chosen].T, tables, strict=True):
            order = np.argsort(sites)
            yield int(m), tuple(sites[order].tolist()), table.transpose(order)


def _pattern(site: np.ndarray) -> np.ndarray:
    """For each slot of each instance: the first slot that reads the same free site, or -1."""
    pattern = np.where(site < 0, -1, np.arange(len(site))[:, np.newaxis])
    for k in range(len(site)):
        for first in reversed(range(k)):
            pattern[k] = np.where((site[k] >= 0) & (site[first] == site[k]), first, pattern[k])
    return pattern


def _evaluate(
    f: Family,
    system: System,
    pattern: np.ndarray,
    levels: dict[int, np.ndarray],
    chosen: np.ndarray,
) -> np.ndarray:
    """Tables of alike instances: one axis for them, then one for each distinct free site."""
    sizes = [len(x) for x in levels.values()]
    if len(chosen) * prod(sizes) > MAX_TABLE:
        raise InfeasibleError(
            f"the term {f.term!r} couples {len(sizes)} sites, which takes {len(chosen)} tables of "
            f"{power_of_two(prod(sizes))} entries each",
            mend=SMALLER,
        )
    # One axis for each site, all at once: its levels along the axis of its own.
    grids = dict(
        zip(levels, np.meshgrid(*levels.values(), indexing="ij", sparse=True), strict=True)
    )
    slots = []
    for first, c in zip(pattern, f.columns, strict=True):
        if first >= 0:
            slots.append(grids[first])
            continue
        if c.kind == "coefficient":
            values = coefficients(c, system.tables)
        else:
            values = system.base[c.array][rows(c, system.ir, system.tables)]
        values = values if len(values) == 1 else values[chosen]
        slots.append(values.reshape(-1, *[1] * len(sizes)))
    return np.broadcast_to(evaluate(f.expr, slots), (len(chosen), *sizes))

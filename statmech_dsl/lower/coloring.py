"""Colors: sites of one color share no factor, so they may be updated in any order or at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.sorting import group


@dataclass(frozen=True, eq=False)
class Order:
    """The free sites of a variable in color-sorted order, and the ranks where colors begin (and end)."""

    sites: np.ndarray
    segments: np.ndarray

    @property
    def n_colors(self) -> int:
        """Number of colors."""
        return len(self.segments) - 1

    def reverse(self) -> Order:
        """The opposite order: the last color first, and the last site of it."""
        segments = self.segments[-1] - self.segments[::-1]
        return Order(np.ascontiguousarray(self.sites[::-1]), np.ascontiguousarray(segments))


def color(ir: ModelIR, tables: Tables, variable: str, key: np.ndarray | None = None) -> Order:
    """Order the free sites of a variable by color; two colors where the dependencies are bipartite.

    Within a color sites are in order, or sorted by a ``key``.
    """
    a, b = dependencies(ir, tables, variable)
    graph = adjacency(a, b, ir.variable(variable).n_sites)
    return color_graph(*graph, tables[ir.variable(variable).free], a, b, key)


def color_graph(
    neighbors: np.ndarray,
    start: np.ndarray,
    free: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    key: np.ndarray | None = None,
) -> Order:
    """Order the nodes ``free`` of a graph by color, then by a key; its edges are the pairs (a, b)."""
    colors = _parity(neighbors, start, free)
    if colors is None:
        colors = _greedy(neighbors, start, free)
    prove(colors, a, b)
    n_colors = int(colors[free].max(initial=0)) + 1
    if key is not None:
        free = free[np.argsort(key[free], kind="stable")]
    order, segments = group(colors[free], n_colors)
    return Order(free[order], segments.astype(np.int64))


def natural(ir: ModelIR, tables: Tables, variable: str) -> Order:
    """All free sites as one sequence, for passes in which every site hangs on every other."""
    free = tables[ir.variable(variable).free]
    return Order(free, np.array([0, len(free)], np.int64))


def dependencies(ir: ModelIR, tables: Tables, variable: str) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of different free sites that meet in an instance of an energy family."""
    is_free = np.zeros(ir.variable(variable).n_sites, bool)
    is_free[tables[ir.variable(variable).free]] = True
    first, second = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint32)]
    for family in ir.energy_families:
        names = {c.index for c in family.columns if c.kind == "state" and c.array == variable}
        for p, q in combinations(sorted(x for x in names if x), 2):
            a, b = tables[p], tables[q]
            keep = (a != b) & is_free[a] & is_free[b]
            whole = keep.all()
            first.append(a if whole else a[keep])
            second.append(b if whole else b[keep])
    return np.concatenate(first), np.concatenate(second)


def adjacency(a: np.ndarray, b: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors of site i: ``neighbors[start[i]:start[i + 1]]``."""
    order, start = group(np.concatenate([a, b]), n)
    return np.concatenate([b, a])[order], start


def prove(colors: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Raise unless every pair that shares a factor has two colors: the caller is never trusted."""
    same = colors[a] == colors[b]
    if same.any():
        k = int(np.argmax(same))
        raise AssertionError(f"sites {a[k]} and {b[k]} share a factor and the color {colors[a[k]]}")


@compiled
def _parity(neighbors, start, free):
    """Two colors by breadth-first search, or None where an odd cycle forbids it."""
    n = len(start) - 1
    colors = np.full(n, -1, np.int32)
    queue = np.empty(n, np.uint32)
    for root in free:
        if colors[root] >= 0:
            continue
        colors[root] = 0
        queue[0] = root
        head, tail = 0, 1
        while head < tail:
            i = queue[head]
            head += 1
            for q in range(start[i], start[i + 1]):
                j = neighbors[q]
                if colors[j] < 0:
                    colors[j] = 1 - colors[i]
                    queue[tail] = j
                    tail += 1
                elif colors[j] == colors[i]:
                    return None
    return colors


@compiled
def _greedy(neighbors, start, free):
    """Smallest color that no neighbor has, site by site."""
    n = len(start) - 1
    colors = np.full(n, -1, np.int32)
    taken = np.full(n + 1, -1, np.int64)
    for i in free:
        for q in range(start[i], start[i + 1]):
            c = colors[neighbors[q]]
            if c >= 0:
                taken[c] = i
        c = 0
        while taken[c] == i:
            c += 1
        colors[i] = c
    return colors

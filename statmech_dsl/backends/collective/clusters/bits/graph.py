"""Sites in lines, for clusters that flow along them: where their words lie, and who is tied to whom.

Sites have places, such that most of them are tied to the site of the next place. Along such a line clusters flow
in one pass. Places are cut into blocks; a block is done again when clusters around it have grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.backends.collective.clusters.bits.runtime import GROUP
from statmech_dsl.backends.collective.clusters.kernels import grouped
from statmech_dsl.backends.collective.clusters.limits import Limits
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import GROUP_LANES

BLOCK = 8 * GROUP
"""Places of a block."""
MOST_SLOTS = 8
"""Ties of a site, besides those of its line, that are followed without a list."""
TIES_AT_ONCE = 2 * GROUP_LANES
"""Ties that share words of random streams."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Places, and rows of ties.

    Row p of ties joins places p - 1 and p, or nothing; rows after the last place are those of other ties, and
    nothing. ``sites[p]`` is the site of a place, ``first``, ``second`` and ``kinds`` tell of each tie its sites
    and its kind; where there is no site or tie, these are one more than the last.

    ``others[d]`` and ``ties[d]`` hold one tie more of each place, and ``runs`` says of each group of places
    whether these follow each other. Ties for which there is no d are in ``more``: place, other place, row, a block
    after the other. ``inner`` has all ties inside of blocks but those of lines, ``beside`` the blocks around.
    Each of the three comes with where the part of a block begins. ``rows`` are those of all ties as given.
    """

    rows: np.ndarray

    sites: np.ndarray
    first: np.ndarray
    second: np.ndarray
    kinds: np.ndarray
    others: np.ndarray
    ties: np.ndarray
    runs: np.ndarray
    more: tuple[np.ndarray, np.ndarray]
    inner: tuple[np.ndarray, np.ndarray]
    beside: tuple[np.ndarray, np.ndarray]

    @staticmethod
    def of(n_sites: int, first: np.ndarray, second: np.ndarray, kinds: np.ndarray) -> Graph:
        """Places for sites that are tied in pairs, and rows for the ties."""
        sites = np.arange(n_sites)
        if len(np.unique(np.minimum(first, second)[_near(first, second)])) < n_sites // 2:
            sites = _lines(n_sites, first, second)
        place = np.empty(n_sites, np.int64)
        place[sites] = np.arange(n_sites)
        size = -(-n_sites // GROUP) * GROUP
        a, b = place[first], place[second]

        near = np.flatnonzero(_near(a, b))
        ends, chosen = np.unique(np.maximum(a, b)[near], return_index=True)
        rest = np.setdiff1d(np.arange(len(a)), near[chosen])
        here, there, slot = _slots(n_sites, a[rest], b[rest])
        row = np.empty(len(rest), np.int64)  # so that ties of sites that follow each other do so, too
        row[np.lexsort((a[rest], slot[: len(rest)]))] = size + 1 + np.arange(len(rest))
        both = np.concatenate([row, row])
        none = np.full(-(-(size + 1 + len(rest)) // TIES_AT_ONCE) * TIES_AT_ONCE, -1)
        number = none.copy()
        number[ends], number[row] = near[chosen], rest
        depth = int((np.bincount(slot) >= n_sites / 2).sum()) if len(slot) else 0
        depth = min(depth, MOST_SLOTS)
        others, ties = np.full((2, depth, size), size)
        held = slot < depth
        others[slot[held], here[held]], ties[slot[held], here[held]] = there[held], both[held]
        more = np.stack([here, there, both], axis=1)[~held]
        within = a[rest] // BLOCK == b[rest] // BLOCK
        n_blocks = -(-size // BLOCK)
        around = np.stack([np.r_[a, b], np.r_[b, a]], axis=1) // BLOCK
        around = np.unique(around[around[:, 0] != around[:, 1]], axis=0)
        inner = np.stack([a[rest], b[rest], row], axis=1)[within]
        rows = np.empty(len(a), np.int64)
        rows[near[chosen]], rows[rest] = ends, row
        return Graph(
            rows,
            np.r_[sites, np.full(size - n_sites, n_sites)],
            *(np.r_[x, last][number] for x, last in ((first, n_sites), (second, n_sites))),
            np.r_[kinds, kinds.max(initial=-1) + 1][number],
            others,
            ties,
            _follow(others) & _follow(ties),
            _by_block(more, more[:, 0] // BLOCK, n_blocks),
            _by_block(inner, inner[:, 0] // BLOCK, n_blocks),
            _by_block(around[:, 1:], around[:, 0], n_blocks),
        )


def graph_of(move: Clusters, n_sites: int, limits: Limits, tables: Tables) -> Graph:
    """Places of the sites, and rows of ties in the order of their numbers."""
    none = np.zeros(0, np.uint32)
    first, second = (
        np.concatenate([none, *(tables[t.sites[k]] for t in move.ties)]).astype(int) for k in (0, 1)
    )
    return Graph.of(n_sites, first, second, np.unique(limits.places, return_inverse=True)[1])


def _near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return abs(a.astype(np.int64) - b) == 1


def _slots(n: int, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both directions of ties: from where, to where, and a number among those from there.

    The most frequent distances have the first numbers.
    """
    here, there = np.r_[a, b], np.r_[b, a]
    _, distance, count = np.unique((there - here) % n, return_inverse=True, return_counts=True)
    order = np.lexsort((distance, -count[distance], here))
    slot = np.empty(len(here), np.int64)
    slot[order] = np.arange(len(here)) - np.searchsorted(here[order], here[order])
    return here, there, slot


def _lines(n: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sites in the order of a walk that goes on to a new neighbor as long as there is one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, depth_first_order

    ties = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    _, starts = np.unique(connected_components(ties, directed=False)[1], return_index=True)
    i, j = np.r_[first, np.full(len(starts), n)], np.r_[second, starts]
    whole = coo_array((np.ones(len(i), bool), (i, j)), shape=(n + 1, n + 1)).tocsr()
    return depth_first_order(whole, n, directed=False, return_predecessors=False)[1:].astype(int)


def _follow(x: np.ndarray) -> np.ndarray:
    """Of each group of places, whether all rows of x count up there."""
    steps = np.diff(x.reshape(len(x), -1, GROUP), axis=2)
    return (steps == 1).all(axis=(0, 2))


def _by_block(x: np.ndarray, block: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    pointer, order = grouped(block, n)
    return pointer, x[order].astype(np.uint32)

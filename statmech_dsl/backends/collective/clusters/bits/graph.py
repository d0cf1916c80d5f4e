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

LARGEST = 8 * GROUP
"""Places of a block, at most."""
MOST_SLOTS = 8
"""Ties of a site, besides those of its line, that are followed without a list."""
TIES_AT_ONCE = 2 * GROUP_LANES
"""Ties that share words of random streams."""

Lists = tuple[np.ndarray, np.ndarray]
"""Where the part of each block begins, and rows of numbers."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Places, and rows of ties.

    Row p of ties joins places p - 1 and p, or nothing; rows after the last place are those of other ties, and
    nothing. ``sites[p]`` is the site of a place, ``first``, ``second`` and ``kinds`` tell of each tie its sites
    and its kind; where there is no site or tie, these are one more than the last.

    A tie is followed in two ways: 0 to a later place, 1 to an earlier one, as on a circle. ``others[way, d]`` and
    ``ties[way, d]`` hold one tie more that leads to each place, and ``runs[way]`` says of each group of places
    whether these follow each other. Ties for which there is no d are in ``more[way]``: place, other place, row, a
    block after the other. ``inner`` has all ties inside of blocks but those of lines; ``beside`` the blocks to which
    ties lead, and their way. These lists come with where the part of a block begins. ``rows`` are those of all
    ties as given.
    """

    rows: np.ndarray

    sites: np.ndarray
    first: np.ndarray
    second: np.ndarray
    kinds: np.ndarray
    others: np.ndarray
    ties: np.ndarray
    runs: np.ndarray
    more: tuple[Lists, Lists]
    inner: Lists
    beside: Lists

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
        block = _block(n_sites, ends)
        here, there, way, slot = _slots(n_sites, a[rest], b[rest])
        row = np.empty(len(rest), np.int64)  # so that ties of sites that follow each other do so, too
        row[np.lexsort((a[rest], slot[: len(rest)]))] = size + 1 + np.arange(len(rest))
        both = np.concatenate([row, row])

        none = np.full(-(-(size + 1 + len(rest)) // TIES_AT_ONCE) * TIES_AT_ONCE, -1)
        number = none.copy()
        number[ends], number[row] = near[chosen], rest
        depth = min(int((np.bincount(slot) >= n_sites).sum()), MOST_SLOTS)
        others, ties = np.full((2, 2, depth, size), size)
        held = slot < depth
        others[way[held], slot[held], here[held]] = there[held]
        ties[way[held], slot[held], here[held]] = both[held]
        lists = np.stack([here, there, both], axis=1)
        more = [lists[~held & (way == w)] for w in (0, 1)]
        n_blocks = -(-size // block)
        within = a[rest] // block == b[rest] // block
        inner = np.stack([a[rest], b[rest], row], axis=1)[within]
        around = np.stack([np.r_[a, b], np.r_[b, a]]) // block
        around = np.stack([*around, _way(n_sites, np.r_[b, a], np.r_[a, b])], axis=1)
        around = np.unique(around[around[:, 0] != around[:, 1]], axis=0)
        rows = np.empty(len(a), np.int64)
        rows[near[chosen]], rows[rest] = ends, row
        return Graph(
            block,
            rows,
            np.r_[sites, np.full(size - n_sites, n_sites)],
            *(np.r_[x, last][number] for x, last in ((first, n_sites), (second, n_sites))),
            np.r_[kinds, kinds.max(initial=-1) + 1][number],
            others,
            ties,
            np.stack([_follow(others[w]) & _follow(ties[w]) for w in (0, 1)]),
            tuple(_by_block(more[w], more[w][:, 0] // block, n_blocks) for w in (0, 1)),
            _by_block(inner, inner[:, 0] // block, n_blocks),
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


def _block(n: int, ends: np.ndarray) -> int:
    """Size of blocks: equal parts of lines, if these are alike, given the places to which lines go on."""
    line = int(np.gcd.reduce(np.r_[n, np.setdiff1d(np.arange(1, n), ends)]))
    part = line // -(-line // LARGEST)
    return LARGEST if part % GROUP else part


def _way(n: int, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    return np.where((here - there) % n < n / 2, 0, 1)


def _slots(n: int, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """Both directions of ties: to where, from where, the way, and a number among those of the way.

    The most frequent distances have the first numbers.
    """
    here, there = np.r_[a, b], np.r_[b, a]
    _, distance, count = np.unique((there - here) % n, return_inverse=True, return_counts=True)
    way = _way(n, here, there)
    order = np.lexsort((distance, -count[distance], way, here))
    key = (2 * here + way)[order]
    slot = np.empty(len(here), np.int64)
    slot[order] = np.arange(len(here)) - np.searchsorted(key, key)
    return here, there, way, slot


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

"""Who is tied to whom, for clusters that flow along lines of places.

Places are cut into blocks. Within one, clusters flow along the line in one pass; a block is done again when
clusters around it have grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.backends.collective.clusters.bits.places import (
    block_of,
    line_of,
    order_of,
    slots_of,
    way_of,
)
from statmech_dsl.backends.collective.clusters.bits.runtime import GROUP
from statmech_dsl.backends.collective.clusters.kernels import grouped
from statmech_dsl.backends.collective.clusters.limits import Limits
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import GROUP_LANES

MOST_SLOTS = 8
"""Ties that lead to a place in one way, besides those of its line, that are followed without a list."""
TIES_AT_ONCE = 2 * GROUP_LANES
"""Ties that share words of random streams."""

Lists = tuple[np.ndarray, np.ndarray]
"""Where the part of each block begins, and rows of numbers."""


@dataclass(frozen=True, eq=False)
class Ties:
    """All ties: ``row`` is the place of each among the words of ties.

    Row p joins places p - 1 and p, or nothing; other ties come after row ``size``, which is none. ``first``,
    ``second`` and ``kinds`` tell of each row the sites and the kind; without a tie, these are one more than the
    last.
    """

    row: np.ndarray
    first: np.ndarray
    second: np.ndarray
    kinds: np.ndarray


@dataclass(frozen=True, eq=False)
class Graph:
    """Places, the last few of which have no site; ``sites`` are then one more than the last.

    Ties that are not of a line are followed in two ways: 0 to later places, 1 to earlier ones, as on a circle.
    ``others[way, d]`` and ``rows[way, d]`` tell of each place from where one of them leads to it, and its
    row; ``runs[way]`` says of each group of places whether these count up there. What has no d is in
    ``more[way]``, as place, other place and row. ``inner`` has the ties inside of blocks, and ``beside`` the
    first place of a block, the blocks to which ties lead from there, and the way.
    """

    sites: np.ndarray
    block: int
    ties: Ties
    others: np.ndarray
    rows: np.ndarray
    runs: np.ndarray
    more: tuple[Lists, Lists]
    inner: Lists
    beside: Lists

    @staticmethod
    def of(n: int, first: np.ndarray, second: np.ndarray, kinds: np.ndarray) -> Graph:
        """Places for sites that are tied in pairs, and rows for the ties."""
        sites, size = order_of(n, first, second), -(-n // GROUP) * GROUP
        place = np.argsort(sites)
        a, b = place[first], place[second]
        lined, ends = line_of(a, b)
        rest = np.setdiff1d(np.arange(len(a)), lined)
        here, there = np.r_[a[rest], b[rest]], np.r_[b[rest], a[rest]]
        way = way_of(n, here, there)
        slot = slots_of(n, here, there, way)

        row = np.empty(len(a), np.int64)
        row[lined] = ends
        order = np.lexsort(
            (a[rest], slot[: len(rest)])
        )  # so that ties of a group follow each other
        row[rest[order]] = size + 1 + np.arange(len(rest))
        last = -(-(size + 1 + len(rest)) // TIES_AT_ONCE) * TIES_AT_ONCE
        ties = Ties(
            row,
            _filled(last, row, first, n),
            _filled(last, row, second, n),
            _filled(last, row, kinds, kinds.max(initial=-1) + 1),
        )

        depth = min(int((np.bincount(slot) >= n).sum()), MOST_SLOTS)
        others, rows = np.full((2, 2, depth, size), size, np.uint32)
        held, lists = slot < depth, np.stack([here, there, row[np.r_[rest, rest]]], axis=1)
        others[way[held], slot[held], here[held]] = there[held]
        rows[way[held], slot[held], here[held]] = lists[held, 2]

        block = block_of(n, ends)
        parts = -(-size // block)
        more = [_by_block(lists[~held & (way == w)], block, parts) for w in (0, 1)]
        inside = lists[: len(rest)][a[rest] // block == b[rest] // block]
        target, source = np.r_[a, b], np.r_[b, a]
        beside = np.stack([source // block * block, target // block, way_of(n, target, source)], 1)
        beside = np.unique(beside[beside[:, 0] // block != beside[:, 1]], axis=0)
        return Graph(
            np.r_[sites, np.full(size - n, n)],
            block,
            ties,
            others,
            rows,
            np.stack([_follow(others[w]) & _follow(rows[w]) for w in (0, 1)]),
            (more[0], more[1]),
            _by_block(inside, block, parts),
            _by_block(beside, block, parts),
        )


def graph_of(move: Clusters, n_sites: int, limits: Limits, tables: Tables) -> Graph:
    """Places of the sites, and rows of ties in the order of their numbers."""
    none = np.zeros(0, np.uint32)
    first, second = (
        np.concatenate([none, *(tables[t.sites[k]] for t in move.ties)]).astype(int) for k in (0, 1)
    )
    return Graph.of(n_sites, first, second, np.unique(limits.places, return_inverse=True)[1])


def _filled(size: int, places: np.ndarray, x: np.ndarray, fill: int) -> np.ndarray:
    out = np.full(size, fill, np.uint32)
    out[places] = x
    return out


def _follow(x: np.ndarray) -> np.ndarray:
    """Of each group of places, whether all rows of x count up there."""
    steps = np.diff(x.astype(int).reshape(len(x), x.shape[1] // GROUP, GROUP), axis=2)
    return (steps == 1).all(axis=(0, 2))


def _by_block(x: np.ndarray, block: int, parts: int) -> Lists:
    """Rows in the order of the blocks of the places that they begin with."""
    pointer, order = grouped(x[:, 0] // block, parts)
    return pointer, x[order].astype(np.uint32)

"""Places for sites, such that most of them are tied to the site of the next place."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.collective.clusters.bits.runtime import GROUP

LARGEST = 8 * GROUP
"""Places of a block, at most."""


def order_of(n: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sites in the order of their places: their own, if half of them are tied to the next one."""
    _, ends = line_of(first, second)
    return np.arange(n) if len(ends) >= n // 2 else _walk(n, first, second)


def line_of(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ties of places that follow each other, one for each pair, and the later place."""
    near = np.flatnonzero(abs(a - b) == 1)
    ends, chosen = np.unique(np.maximum(a, b)[near], return_index=True)
    return near[chosen], ends


def _walk(n: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sites in the order of a walk that goes on to a new neighbor as long as there is one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, depth_first_order

    ties = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    _, starts = np.unique(connected_components(ties, directed=False)[1], return_index=True)
    i, j = np.r_[first, np.full(len(starts), n)], np.r_[second, starts]
    whole = coo_array((np.ones(len(i), bool), (i, j)), shape=(n + 1, n + 1)).tocsr()
    return depth_first_order(whole, n, directed=False, return_predecessors=False)[1:].astype(int)


def block_of(n: int, ends: np.ndarray) -> int:
    """Places of a block: an equal part of a line, if lines are alike; they go on at places ``ends``."""
    line = int(np.gcd.reduce(np.r_[n, np.setdiff1d(np.arange(1, n), ends)]))
    part = line // -(-line // LARGEST)
    return LARGEST if part % GROUP else part


def way_of(n: int, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """0 if a place lies behind another one on a circle, less than half around, else 1."""
    return np.where((here - there) % n < n / 2, 0, 1)


def slots_of(n: int, here: np.ndarray, there: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Numbers for the ties that lead to a place in each way; frequent distances have the first ones."""
    _, distance, count = np.unique((there - here) % n, return_inverse=True, return_counts=True)
    order = np.lexsort((distance, -count[distance], way, here))
    key = (2 * here + way)[order]
    slot = np.empty(len(here), np.int64)
    slot[order] = np.arange(len(here)) - np.searchsorted(key, key)
    return slot

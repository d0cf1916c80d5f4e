"""Draws of several states in one pool: the sums over all draws that free energies follow from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from statmech_dsl.estimators.families import log_mean_exp

Array = NDArray[np.float64]

AT_ONCE = 1 << 18
"""Numbers of a block of draws and states: it stays in the cache while it is worked on."""
MOVED = 50.0
"""By how much free energies may move before exponentials are taken anew, long before they overflow."""


def blocks(states: int, draws: int) -> Iterator[slice]:
    """Blocks of draws."""
    step = max(64, AT_ONCE // states)
    return (slice(a, a + step) for a in range(0, draws, step))


class Exponentials:
    """The matrix exp(f_k - u_k(x_n)), each draw scaled to a maximum of 1, and sums over draws by products.

    Exponentials take longer than all else. They are taken once, at the first free energies; others only
    multiply the rows.
    """

    def __init__(self, u: Array, counts: NDArray[np.int64]) -> None:
        self.u, self.counts = u, counts
        self._values, self._top = np.empty_like(u), np.empty(u.shape[1])
        self._f: Array | None = None

    def shares(self, f: Array) -> tuple[Array, Array]:
        """Mean share of each state in the draws, and the derivative of these by f."""
        products, n = self.products(f), self.u.shape[1]
        square = self.counts[:, None] * products * self.counts / n
        mean = square.sum(axis=1)
        return mean, np.diag(mean) - square

    def products(self, f: Array) -> Array:
        """Sum over draws of W_i W_j, where W_k = exp(f_k - u_k) / sum over j of N_j exp(f_j - u_j)."""
        factor, _ = self._factors(f)
        scale = self.counts * factor
        out = np.zeros((len(f), len(f)))
        for part in blocks(*self.u.shape):
            x = self._values[:, part]
            x = x * (1.0 / (scale @ x))
            out += x @ x.T
        return factor[:, None] * out * factor

    def log_density(self, f: Array) -> Array:
        """Log of the sum over j of N_j exp(f_j - u_j) for each draw."""
        factor, shift = self._factors(f)
        return np.log((self.counts * factor) @ self._values) + (self._top + shift)

    def _factors(self, f: Array) -> tuple[Array, float]:
        """Of the rows, for other free energies than those of the exponentials, and what all share."""
        if self._f is not None:
            moved = f - self._f
            shift = float((moved.max() + moved.min()) / 2)
            if np.abs(moved - shift).max() < MOVED:
                return np.exp(moved - shift), shift
        self._f = f.copy()
        for part in blocks(*self.u.shape):
            x = f[:, None] - self.u[:, part]
            self._top[part] = x.max(axis=0)
            x -= self._top[part]
            np.exp(x, out=self._values[:, part])
        return np.ones(len(f)), 0.0


def first_guess(u: Array, counts: NDArray[np.int64]) -> Array:
    """Free energies by exponential averages, along a tree that joins the states with most in common.

    Averages of draws that do not reach the other state are too high, whichever the direction. So the mean of
    both directions is better than either, and their difference tells how far apart the states are.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=2000) + np.repeat([0.0, 1.0], 1000)
    >>> u = np.stack([x**2 / 2, (x - 1) ** 2 / 2 + 5])
    >>> print(first_guess(u, np.array([1000, 1000])).round(1))
    [0. 5.]
    """
    ends = np.cumsum(counts)
    parts = [slice(b - n, b) for b, n in zip(ends, counts, strict=True)]
    rise = -np.stack([log_mean_exp(u[s, part] - u[:, part]) for s, part in enumerate(parts)], 1)
    distance = np.maximum(rise + rise.T, 1e-9)  # zeros would be no edges
    tree = minimum_spanning_tree(np.triu(distance, 1))
    order, parent = breadth_first_order(tree, 0, directed=False)
    f = np.zeros(len(counts))
    for k in order[1:]:
        f[k] = f[parent[k]] + (rise[k, parent[k]] - rise[parent[k], k]) / 2
    return f


def weakest_link(likeness: Array) -> tuple[float, NDArray[np.bool_]]:
    """The least likeness on the best way between any two states, and the states on one side of it.

    Examples
    --------
    >>> link, side = weakest_link(np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 1.0]]))
    >>> round(link, 12), side
    (0.1, array([False, False,  True]))
    """
    k = len(likeness)
    if k == 1:
        return 1.0, np.zeros(1, bool)
    tree = minimum_spanning_tree(np.triu(2.0 - likeness, 1)).tocoo()
    worst = int(tree.data.argmax())
    weights = tree.toarray()
    weights[tree.row[worst], tree.col[worst]] = 0.0
    near = breadth_first_order(weights, 0, directed=False, return_predecessors=False)
    side = np.ones(k, bool)
    side[near] = False
    return float(2.0 - tree.data[worst]), side

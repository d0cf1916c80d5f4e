"""Products of spins averaged over all pairs at the same distance, for every state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from statmech_dsl.errors import DiagnosticsError

MAX_SITES = 2048
"""Sites up to which all pairs are visited where there are no translations to use."""

type Real = NDArray[np.float64]
type Index = NDArray[np.int64]
type Average = Callable[[Real], Real]


class Geometry(Protocol):
    """What is asked of a lattice or graph; a crystal has sites in C order over (cells, basis)."""

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        ...

    @property
    def lengths(self) -> tuple[int, ...] | None:
        """Unit cells along each axis; None for a graph."""
        ...

    def pair_distance(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Distance between sites i and j (arrays broadcast)."""
        ...


@dataclass(frozen=True)
class PairAverage:
    """Average of s_i . s_j over all pairs of sites at the same distance; made by `pair_average`."""

    r: Real
    """The distances, ascending, shape (R,); r[0] = 0."""
    multiplicity: Real
    """Mean number of sites at each distance from a site: sum_r multiplicity G(r) = S(0)."""
    average: Average
    """From spin vectors (states, sites, components) to the averages (states, R)."""
    size: int
    """Numbers held for each state."""


def pair_average(lattice: Geometry) -> PairAverage:
    """Find the distances of a lattice and how to average over the pairs at each.

    On a crystal that is periodic along all axes the sum over translations is a convolution, done by
    FFT in O(N log N); elsewhere the pairs are visited one by one, in O(N^2).

    Raises
    ------
    DiagnosticsError
        If there are no translations to use and more than 2048 sites.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> ring = SimpleNamespace(
    ...     n_sites=4, lengths=(4,), pair_distance=lambda i, j: np.minimum((i - j) % 4, (j - i) % 4)
    ... )
    >>> pairs = pair_average(ring)
    >>> pairs.r, pairs.multiplicity
    (array([0., 1., 2.]), array([1., 2., 1.]))
    >>> pairs.average(np.array([[[1.0], [1.0], [-1.0], [-1.0]]]))
    array([[ 1.,  0., -1.]])
    """
    n = lattice.n_sites
    grid, sites = periodic_grid(lattice), np.arange(n)
    if grid is not None:
        starts = np.arange(grid[-1])  # one cell stands for all
    elif n <= MAX_SITES:
        starts = sites
    else:
        raise DiagnosticsError(
            f"{n} sites have too many pairs to visit one by one",
            where=f"{lattice!r} has no translations to use",
            mend=f"use at most {MAX_SITES} sites, or a crystal that is periodic along all axes",
        )
    distances = np.stack([lattice.pair_distance(site, sites) for site in starts]).astype(float)
    r, which, counts = np.unique(np.round(distances, 8), return_inverse=True, return_counts=True)
    average = _by_pairs(which, counts) if grid is None else _by_translations(which, counts, grid)
    return PairAverage(r, counts / len(starts), average, size=distances.size if grid else n)


def periodic_grid(lattice: Geometry) -> tuple[int, ...] | None:
    """Return (*cells, basis) if distances are the same from every cell, otherwise None."""
    if lattice.lengths is None or lattice.n_sites % prod(lattice.lengths):
        return None
    grid = np.arange(lattice.n_sites).reshape(*lattice.lengths, -1)
    sites = grid.ravel()
    for axis in range(len(lattice.lengths)):
        moved = np.roll(grid, -1, axis).ravel()
        for site in range(grid.shape[-1]):
            here = lattice.pair_distance(site, sites)
            if not np.allclose(here, lattice.pair_distance(moved[site], moved)):
                return None
    return grid.shape


def _by_translations(which: Index, counts: Index, grid: tuple[int, ...]) -> Average:
    """Average over cells by FFT; ``which`` is the index of the distance of (a, site)."""
    *cells, _ = grid
    axes = tuple(range(1, len(grid)))
    entries = (1 / counts[which.ravel()], (which.ravel(), np.arange(which.size)))
    weights = sparse.csr_array(entries, shape=(len(counts), which.size))

    def average(spins: Real) -> Real:
        modes = np.fft.rfftn(spins.reshape(len(spins), *grid, -1), axes=axes)
        power = np.einsum("...ac,...bc->...ab", modes.conj(), modes)
        products = np.fft.irfftn(power, s=cells, axes=axes) / prod(cells)  # (states, cells, a, b)
        return (weights @ np.moveaxis(products, -2, 1).reshape(len(spins), -1).T).T

    return average


def _by_pairs(which: Index, counts: Index) -> Average:
    """Average over all pairs; ``which`` is the index of the distance of (i, j)."""
    order = np.argsort(which, axis=None, kind="stable")
    pairs = [np.unravel_index(p, which.shape) for p in np.split(order, np.cumsum(counts)[:-1])]
    matrices = [
        sparse.csr_array((np.full(len(i), 1 / len(i)), (i, j)), shape=which.shape) for i, j in pairs
    ]

    def average(spins: Real) -> Real:
        columns = np.ascontiguousarray(spins.T)  # (components, sites, states): long rows are fast
        averages = [
            [np.einsum("is,is->s", spin, matrix @ spin) for matrix in matrices] for spin in columns
        ]
        return np.sum(averages, axis=0).T

    return average

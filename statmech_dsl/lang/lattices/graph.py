"""Sites and bonds without a geometry of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices.lattice import (
    Index,
    Lattice,
    Pairs,
    Real,
    adjacency,
    check_integer,
    read_only,
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Graph(Lattice):
    """Sites joined by any bonds; made by `from_edges`."""

    edges: Pairs
    coordinates: Real | None
    lengths: None = None

    def __repr__(self) -> str:
        return f"<{self.name} graph, {self.n_sites} sites, {self.n_links} bonds>"

    @cached_property
    def positions(self) -> Real:
        """Coordinates of the sites, shape (n_sites, dim), if the graph was given any."""
        return super().positions if self.coordinates is None else self.coordinates

    def pair_distance(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Smallest number of bonds between sites i and j (arrays broadcast); inf if unconnected.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> path = lattices.from_edges([(0, 1), (1, 2)])
        >>> path.pair_distance(0, path.sites)
        array([0., 1., 2.])
        """
        from scipy.sparse.csgraph import shortest_path

        starts, row = np.unique(i, return_inverse=True)
        hops = shortest_path(
            adjacency(*self.bonds, self.n_sites), directed=False, unweighted=True, indices=starts
        )
        return hops[row.reshape(np.shape(i)), j]

    def _shell(self, shell: int) -> Pairs:
        if shell == 1:
            return self.edges
        from scipy.sparse import eye_array, triu

        one_way = adjacency(*self.edges, self.n_sites)
        bonds = one_way + one_way.T
        reached = sphere = eye_array(self.n_sites, dtype=bool, format="csr")
        for _ in range(shell):
            sphere = sphere @ bonds > reached  # those met for the first time
            reached = reached + sphere
            if not sphere.nnz:
                raise LatticeError(
                    f"no two sites are {shell} bonds apart",
                    where=repr(self),
                    mend="ask for a lower shell",
                )
        i, j = (read_only(ends.astype(np.int64)) for ends in triu(sphere).nonzero())
        return i, j


def from_edges(
    edges: ArrayLike,
    n_sites: int | None = None,
    positions: ArrayLike | None = None,
    *,
    name: str = "edges",
) -> Graph:
    """Make a graph of your own; the bonds keep the order and the direction of the edges.

    Parameters
    ----------
    edges
        Pairs of sites, shape (E, 2). A pair that occurs twice is a double bond.
    n_sites
        Number of sites; without it, as many as `positions`, or up to the largest site in an edge.
    positions
        Coordinates of the sites, shape (n_sites, dim), for pictures.
    name
        What the graph is called in messages.

    Raises
    ------
    LatticeError
        If edges are not pairs of sites, join a site to itself or leave the graph, or if positions
        are not one finite point for each site.

    Examples
    --------
    >>> from_edges([(0, 1), (1, 2), (2, 0)])
    <edges graph, 3 sites, 3 bonds>
    """
    pairs = _as_pairs(edges)
    points = None if positions is None else _as_points(positions)
    if n_sites is None:
        n_sites = int(pairs.max(initial=-1)) + 1 if points is None else len(points)
    n_sites = check_integer(n_sites, 1, what="n_sites", where=name)
    if points is not None and len(points) != n_sites:
        raise LatticeError(
            "there is not one position for each site",
            where=f"{name}, {n_sites=}, positions of shape {points.shape}",
            mend="pass positions of shape (n_sites, dim)",
        )
    outside = ((pairs < 0) | (pairs >= n_sites)).any(axis=1)
    loop = pairs[:, 0] == pairs[:, 1]
    for wrong, what, mend in (
        (outside, f"leaves the sites 0 .. {n_sites - 1}", "correct it or pass a larger n_sites"),
        (loop, "joins a site to itself", "remove it, and write its energy as a term of that site"),
    ):
        if wrong.any():
            n = int(wrong.argmax())
            raise LatticeError(
                f"an edge {what}", where=f"edges[{n}] = {tuple(pairs[n].tolist())}", mend=mend
            )
    i, j = (read_only(ends.copy()) for ends in pairs.T)
    return Graph(name=name, n_sites=n_sites, edges=(i, j), coordinates=points)


def _as_pairs(edges: ArrayLike) -> Index:
    try:
        pairs = np.asarray(edges)
    except ValueError:  # rows of unequal length
        pairs = np.empty(0, dtype=object)
    if pairs.shape == (0,) and pairs.dtype != object:
        return np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[-1] != 2 or pairs.dtype.kind not in "iu":
        raise LatticeError(
            "edges are not pairs of integers",
            where=f"edges of shape {pairs.shape} and type {pairs.dtype}",
            mend="pass an integer array of shape (E, 2) or a list of pairs (i, j)",
        )
    return pairs.astype(np.int64)


def _as_points(positions: ArrayLike) -> Real:
    try:
        points = np.array(positions, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise LatticeError(
            "positions are not one finite point for each site",
            where=f"positions of shape {points.shape}",
            mend="pass finite numbers in an array of shape (n_sites, dim)",
        )
    return read_only(points)

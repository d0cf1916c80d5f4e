"""What every lattice offers, whether it is a crystal or a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import LatticeError

type Index = NDArray[np.int64]
type Real = NDArray[np.float64]
type Pairs = tuple[Index, Index]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Lattice(ABC):
    """Sites 0 .. n_sites-1 and the bonds between them.

    A lattice is frozen. Its arrays are computed at first use, kept, and read-only.

    Parameters
    ----------
    name
        What it is called in messages, such as ``"square"``.
    n_sites
        Number of sites.
    lengths
        Unit cells along each axis; None for a graph.

    Examples
    --------
    >>> from statmech_dsl.lang import lattices
    >>> lattice = lattices.square(4)
    >>> lattice.shape, lattice.n_links
    ((16,), 32)
    >>> i, j = lattice.bonds
    >>> i[:4], j[:4]
    (array([0, 1, 2, 3]), array([4, 5, 6, 7]))
    """

    name: str
    n_sites: int
    lengths: tuple[int, ...] | None

    @property
    def shape(self) -> tuple[int]:
        """Shape of a variable with one value at each site: ``(n_sites,)``."""
        return (self.n_sites,)

    @property
    def box(self) -> Real | None:
        """Period vectors as rows, or None for a graph."""
        return None

    @cached_property
    def sites(self) -> Index:
        """Indices of all sites."""
        return read_only(np.arange(self.n_sites))

    @cached_property
    def bonds(self) -> Pairs:
        """Pairs ``(i, j)`` of nearest neighbors, as two index arrays; each bond once."""
        return self._shell(1)

    def neighbors(self, shell: int = 1) -> Pairs:
        """Pairs ``(i, j)`` of shell-th nearest neighbors, as two index arrays; each pair once.

        Parameters
        ----------
        shell
            1 for the bonds, 2 for the next distance, and so on. On a crystal the shells are those
            of the infinite lattice; where a torus offers several equally short ways between two
            sites, each way is an entry: on a periodic chain of 4 each pair of second neighbors
            counts twice, as each bond does on a chain of 2. On a graph distance is the smallest
            number of bonds in between.

        Raises
        ------
        LatticeError
            If no sites are that far apart, or on a torus if they are nearer the other way around.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> lattices.chain(4, periodic=False).neighbors(2)
        (array([0, 1]), array([2, 3]))
        """
        shell = check_integer(shell, 1, what="shell", where=repr(self))
        return self.bonds if shell == 1 else self._shell(shell)

    @abstractmethod
    def _shell(self, shell: int) -> Pairs:
        """Compute `neighbors`; the bonds themselves for shell 1."""

    @abstractmethod
    def pair_distance(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Distance between sites i and j (arrays broadcast)."""

    @property
    def n_links(self) -> int:
        """Number of bonds."""
        return len(self.bonds[0])

    @cached_property
    def links(self) -> Index:
        """Indices of all bonds, for variables that live on them: link l runs from i[l] to j[l]."""
        return read_only(np.arange(self.n_links))

    @property
    def coordination(self) -> float:
        """Mean number of bonds at a site."""
        return 2 * self.n_links / self.n_sites

    @cached_property
    def is_bipartite(self) -> bool:
        """Whether two colors suffice for all sites, so that no bond joins sites of one color."""
        # Two copies of the sites, each bond from one copy to the other: the copies of a component
        # hang together exactly if it has a loop of odd length.
        i, j = self.bonds
        n = self.n_sites
        pieces = _components(i, j, n)
        return _components(np.append(i, i + n), np.append(j + n, j), 2 * n) == 2 * pieces

    @cached_property
    def positions(self) -> Real:
        """Coordinates of the sites, shape (n_sites, dim)."""
        raise self._lacks("positions", "pass positions= to from_edges, or use pair_distance")

    def displacement(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Shortest vector from site i to site j, over all periodic images."""
        raise self._lacks("displacements", "use pair_distance, which counts bonds on a graph")

    @cached_property
    def plaquettes(self) -> Index:
        """Sites around each elementary face, shape (P, corners)."""
        raise self._lacks_faces()

    @cached_property
    def plaquette_links(self) -> Index:
        """Links around each elementary face, shape (P, corners)."""
        raise self._lacks_faces()

    @cached_property
    def plaquette_signs(self) -> Index:
        """Whether each of `plaquette_links` is passed forward (+1) or backward (-1)."""
        raise self._lacks_faces()

    def _lacks_faces(self) -> LatticeError:
        return self._lacks(
            "plaquettes", "index a variable with your own array of sites, as s[faces]"
        )

    def _lacks(self, what: str, mend: str) -> LatticeError:
        return LatticeError(f"this lattice has no {what}", where=repr(self), mend=mend)


def read_only[A: np.ndarray](array: A) -> A:
    """Return the same array, protected against writing."""
    array.setflags(write=False)
    return array


def check_integer(value: object, at_least: int, *, what: str, where: str) -> int:
    """Return an integer argument, or raise `LatticeError` if it is none or too small."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < at_least:
        raise LatticeError(
            f"{what} is not an integer of at least {at_least}",
            where=f"{where}, {what}={value!r}",
            mend=f"pass a whole number, {at_least} or more",
        )
    return int(value)


def adjacency(i: Index, j: Index, n: int):
    """Return the sparse boolean matrix with an entry (i, j) for each bond."""
    from scipy.sparse import coo_array

    return coo_array((np.ones(len(i), dtype=bool), (i, j)), shape=(n, n)).tocsr()


def _components(i: Index, j: Index, n: int) -> int:
    from scipy.sparse.csgraph import connected_components

    return connected_components(adjacency(i, j, n), directed=False, return_labels=False)

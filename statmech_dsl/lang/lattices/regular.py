"""The regular lattices by name.

All take the number of unit cells along each axis (one number, or a tuple with one for each) and
`periodic` (one answer, or a tuple with one for each axis), and raise `LatticeError` as `from_cell`
does. Nearest neighbors are at distance 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices import cells
from statmech_dsl.lang.lattices.building import from_cell
from statmech_dsl.lang.lattices.crystal import Crystal
from statmech_dsl.lang.lattices.lattice import Lattice, check_integer

type Lengths = int | Sequence[int]
type Ends = bool | Sequence[bool]


def chain(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return a line of L sites; a ring if it is periodic.

    Examples
    --------
    >>> chain(4).bonds
    (array([0, 1, 2, 3]), array([1, 2, 3, 0]))
    >>> chain(4, periodic=False).bonds
    (array([0, 1, 2]), array([1, 2, 3]))
    """
    return from_cell(cells.CHAIN, L, periodic=periodic, name="chain")


def square(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the square lattice, 2 bonds for each site; ``s.reshape(L, L)`` is the grid.

    Examples
    --------
    >>> square(32)
    <square 32x32, periodic, 1024 sites>
    """
    return from_cell(cells.SQUARE, L, periodic=periodic, name="square")


def rectangular(Lx: int, Ly: int, *, periodic: Ends = True) -> Crystal:
    """Return a square lattice of Lx rows and Ly columns; ``s.reshape(Lx, Ly)`` is the grid.

    Examples
    --------
    A cylinder, open along the first axis:

    >>> rectangular(2, 8, periodic=(False, True))
    <rectangular 2x8, periodic=(False, True), 16 sites>
    """
    return from_cell(cells.SQUARE, (Lx, Ly), periodic=periodic, name="rectangular")


def triangular(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the triangular lattice, 3 bonds and 2 triangles for each site.

    Examples
    --------
    >>> triangular(6).plaquettes.shape
    (72, 3)
    """
    return from_cell(cells.TRIANGULAR, L, periodic=periodic, name="triangular")


def honeycomb(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the honeycomb lattice: 2 sites, 3 bonds and 1 hexagon in each cell.

    Sites alternate between the sublattices, ``s.reshape(L, L, 2)``, and bonds run from the first to
    the second: all bonds of one direction, then of the next, as the Kitaev model needs them.

    Examples
    --------
    >>> lattice = honeycomb(3)
    >>> lattice.n_sites, lattice.n_links, lattice.plaquettes.shape
    (18, 27, (9, 6))
    """
    return from_cell(cells.HONEYCOMB, L, periodic=periodic, name="honeycomb")


def kagome(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the kagome lattice: 3 sites, 6 bonds and 2 triangles in each cell.

    Examples
    --------
    >>> lattice = kagome(3)
    >>> lattice.n_sites, lattice.n_links, lattice.plaquettes.shape
    (27, 54, (18, 3))
    """
    return from_cell(cells.KAGOME, L, periodic=periodic, name="kagome")


def cubic(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the simple cubic lattice, 3 bonds for each site; ``s.reshape(L, L, L)`` is the grid.

    Examples
    --------
    >>> cubic((2, 3, 4), periodic=(True, True, False))
    <cubic 2x3x4, periodic=(True, True, False), 24 sites>
    """
    return from_cell(cells.CUBIC, L, periodic=periodic, name="cubic")


def hypercubic(L: Lengths, d: int, *, periodic: Ends = True) -> Crystal:
    """Return the hypercubic lattice in d dimensions, d bonds for each site.

    Plaquettes come plane by plane: of the axes (0, 1), (0, 2), and so on.

    Examples
    --------
    A gauge field on the links of a periodic lattice in four dimensions:

    >>> lattice = hypercubic(4, 4)
    >>> lattice.n_links, lattice.plaquette_links.shape
    (1024, (1536, 4))
    """
    cell = cells.hypercubic_cell(check_integer(d, 1, what="d", where="hypercubic"))
    return from_cell(cell, L, periodic=periodic, name="hypercubic")


def bcc(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the body-centered cubic lattice: L^3 cubes of 2 sites, 4 bonds for each site.

    Examples
    --------
    >>> bcc(3).n_sites
    54
    """
    return from_cell(cells.BCC, L, periodic=periodic, name="bcc")


def fcc(L: Lengths, *, periodic: Ends = True) -> Crystal:
    """Return the face-centered cubic lattice: L^3 cubes of 4 sites, 6 bonds for each site.

    Examples
    --------
    >>> fcc(3).n_sites
    108
    """
    return from_cell(cells.FCC, L, periodic=periodic, name="fcc")


NAMED = {f.__name__: f for f in (chain, square, triangular, honeycomb, kagome, cubic, bcc, fcc)}
"""The lattices that a size alone describes."""


def named(lattice: str | Lattice, L: Lengths, *, periodic: Ends = True) -> Lattice:
    """Return the lattice of a name, or the given lattice as it is.

    Models take their lattice this way, so that ``lattice="triangular"`` and a lattice of one's own
    both work.

    Raises
    ------
    LatticeError
        No lattice has this name.

    Examples
    --------
    >>> named("triangular", 4).n_sites
    16
    """
    if isinstance(lattice, Lattice):
        return lattice
    if lattice not in NAMED:
        close = get_close_matches(str(lattice), NAMED, n=1)
        raise LatticeError(
            f"there is no lattice {lattice!r}" + (f"; did you mean {close[0]!r}?" if close else ""),
            mend=f"use one of {', '.join(NAMED)}, or give a lattice",
        )
    return NAMED[lattice](L, periodic=periodic)

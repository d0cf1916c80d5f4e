"""Unit cells as data: what is repeated to make a lattice.

A new lattice is one more `Cell` here and one more constructor in `regular.py`. Bonds are not
listed: they are the nearest pairs, found by distance in `shells.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from statmech_dsl.errors import LatticeError

type Offset = tuple[int, ...]
type Corner = tuple[int, Offset]


@dataclass(frozen=True)
class Cell:
    """A unit cell, scaled so that nearest neighbors are at distance 1.

    Parameters
    ----------
    vectors
        Lattice vectors as rows, one per axis.
    basis
        Sites of the cell in fractional coordinates: a site lies at ``(cell + basis) @ vectors``.
    faces
        Elementary faces, each a closed walk over corners ``(basis site, cell offset)`` along bonds.
        All faces of a cell have the same number of corners.

    Raises
    ------
    LatticeError
        If the vectors do not span the space, or a basis site or a face does not fit them.

    Examples
    --------
    >>> SQUARE.vectors, SQUARE.basis
    (((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.0),))
    >>> SQUARE.faces
    (((0, (0, 0)), (0, (1, 0)), (0, (1, 1)), (0, (0, 1))),)
    """

    vectors: tuple[tuple[float, ...], ...]
    basis: tuple[tuple[float, ...], ...]
    faces: tuple[tuple[Corner, ...], ...] = ()

    def __post_init__(self) -> None:
        where = f"vectors={self.vectors}, basis={self.basis}, faces={self.faces}"
        if any(len(row) != self.dim for row in (*self.vectors, *self.basis)):
            raise LatticeError(
                "the rows of a cell differ in length",
                where=where,
                mend=f"give {self.dim} numbers in each of the {self.dim} vectors and basis sites",
            )
        finite = np.isfinite([*self.vectors, *self.basis]).all()
        if not self.basis or not finite or abs(np.linalg.det(self.vectors)) < 1e-9:
            raise LatticeError(
                "a cell has no site, or vectors that do not span the space",
                where=where,
                mend="give at least one basis site and finite, linearly independent vectors",
            )
        corners = [corner for face in self.faces for corner in face]
        fits = [0 <= site < len(self.basis) and len(o) == self.dim for site, o in corners]
        if not all(fits) or len({len(face) for face in self.faces}) > 1:
            raise LatticeError(
                "the faces of a cell do not fit it, or differ in their number of corners",
                where=where,
                mend=f"write each corner as (basis site below {len(self.basis)}, offset of "
                f"{self.dim} integers), with equally many corners in each face",
            )

    @property
    def dim(self) -> int:
        """Number of axes."""
        return len(self.vectors)


def hypercubic_cell(d: int) -> Cell:
    """Return the cell of the hypercubic lattice in d dimensions, a face in every plane of two axes.

    Examples
    --------
    >>> len(hypercubic_cell(4).faces)
    6
    """
    axes = tuple(tuple(float(a == b) for b in range(d)) for a in range(d))

    def corner(*steps: int) -> Corner:
        return 0, tuple(int(axis in steps) for axis in range(d))

    faces = tuple(
        (corner(), corner(mu), corner(mu, nu), corner(nu)) for mu, nu in combinations(range(d), 2)
    )
    return Cell(vectors=axes, basis=((0.0,) * d,), faces=faces)


def _hexagonal(length: float) -> tuple[tuple[float, ...], ...]:
    return ((length, 0.0), (length / 2, length * sqrt(3) / 2))


def _cube(length: float) -> tuple[tuple[float, ...], ...]:
    return ((length, 0.0, 0.0), (0.0, length, 0.0), (0.0, 0.0, length))


CHAIN = hypercubic_cell(1)
SQUARE = hypercubic_cell(2)
CUBIC = hypercubic_cell(3)
TRIANGULAR = Cell(
    vectors=_hexagonal(1),
    basis=((0.0, 0.0),),
    faces=(
        ((0, (0, 0)), (0, (1, 0)), (0, (0, 1))),
        ((0, (1, 0)), (0, (1, 1)), (0, (0, 1))),
    ),
)
HONEYCOMB = Cell(
    vectors=_hexagonal(sqrt(3)),
    basis=((0.0, 0.0), (1 / 3, 1 / 3)),
    faces=(((1, (0, 0)), (0, (1, 0)), (1, (1, 0)), (0, (1, 1)), (1, (0, 1)), (0, (0, 1))),),
)
KAGOME = Cell(
    vectors=_hexagonal(2),
    basis=((0.0, 0.0), (0.5, 0.0), (0.0, 0.5)),
    faces=(
        ((0, (0, 0)), (1, (0, 0)), (2, (0, 0))),
        ((0, (0, 0)), (1, (-1, 0)), (2, (0, -1))),
    ),
)
# The cubic cells of 2 and 4 sites, not the primitive ones: periodic boxes are then cubes.
BCC = Cell(vectors=_cube(2 / sqrt(3)), basis=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)))
FCC = Cell(
    vectors=_cube(sqrt(2)),
    basis=((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
)

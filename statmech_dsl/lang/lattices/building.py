"""Repeat a unit cell, after checking that it can be done."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices.cells import Cell
from statmech_dsl.lang.lattices.crystal import Crystal
from statmech_dsl.lang.lattices.images import orthogonal
from statmech_dsl.lang.lattices.lattice import check_integer


def from_cell(
    cell: Cell,
    lengths: int | Sequence[int],
    *,
    periodic: bool | Sequence[bool] = True,
    name: str = "crystal",
) -> Crystal:
    """Repeat a unit cell; bonds join the nearest sites.

    Parameters
    ----------
    cell
        The unit cell. In three dimensions or more its vectors must be orthogonal.
    lengths
        Cells along each axis, or one number for all.
    periodic
        Whether the lattice closes on itself along each axis, or one answer for all.
    name
        What the lattice is called in messages.

    Raises
    ------
    LatticeError
        If a length is not a positive integer, if lengths or `periodic` do not fit the number of
        axes, if a site would be its own neighbor (one cell along a periodic axis), or if the cell
        is skew in three dimensions or more.

    Examples
    --------
    The square lattice with a second site at the middle of each horizontal and vertical edge:

    >>> from statmech_dsl.lang import lattices
    >>> edges = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5))
    >>> lieb = lattices.Cell(vectors=((2.0, 0.0), (0.0, 2.0)), basis=edges)
    >>> lattices.from_cell(lieb, 4, name="Lieb")
    <Lieb 4x4, periodic, 48 sites>
    """
    if cell.dim > 2 and not orthogonal(np.array(cell.vectors)):
        raise LatticeError(
            "the cell is skew in three dimensions or more",
            where=f"{name}, vectors={cell.vectors}",
            mend="use the larger orthogonal cell, with more basis sites",
        )
    sizes = tuple(
        check_integer(length, 1, what="length", where=name)
        for length in _per_axis(lengths, cell.dim, "lengths", name)
    )
    wraps = _per_axis(periodic, cell.dim, "periodic", name)
    if not all(isinstance(wrap, bool | np.bool_) for wrap in wraps):
        raise LatticeError(
            "periodic is not a truth value", where=f"{name}, {periodic=}", mend="pass True or False"
        )
    return Crystal(
        name=name,
        n_sites=prod(sizes) * len(cell.basis),
        lengths=sizes,
        periodic=tuple(map(bool, wraps)),
        cell=cell,
    )


def _per_axis(value, dim: int, what: str, name: str) -> tuple:
    values = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * dim
    if len(values) != dim:
        raise LatticeError(
            f"{what} does not fit the number of axes",
            where=f"{name}, {what}={value!r}",
            mend=f"pass {dim} entries, one for each axis, or a single one for all",
        )
    return values

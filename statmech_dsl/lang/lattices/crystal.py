"""Lattices that repeat a unit cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices.cells import Cell, Corner, Offset
from statmech_dsl.lang.lattices.grid import ahead
from statmech_dsl.lang.lattices.images import shortest
from statmech_dsl.lang.lattices.lattice import Index, Lattice, Pairs, Real, read_only
from statmech_dsl.lang.lattices.shells import TOLERANCE, Step, shell_steps, step_vectors


@dataclass(frozen=True, repr=False, kw_only=True)
class Crystal(Lattice):
    """A unit cell repeated `lengths` times along its axes; made by `from_cell`.

    Sites are numbered in C order over ``(*lengths, basis)``, so that ``s.reshape(lengths)`` is the
    grid where the cell has one site. Bonds come direction by direction, and site by site within
    each: on a periodic lattice ``links.reshape(directions, -1)`` separates them. They run up the
    basis (on honeycomb from the first sublattice to the second), or forward along an axis.

    A periodic lattice is a torus with as many bonds and faces for each cell as the infinite
    lattice: with two cells along an axis a site meets its neighbor on both sides, and these two
    bonds are two entries.
    """

    lengths: tuple[int, ...]
    periodic: tuple[bool, ...]
    cell: Cell

    def __post_init__(self) -> None:
        self._steps(1)  # a lattice whose sites would be their own neighbors is refused at once

    def __repr__(self) -> str:
        size = "x".join(map(str, self.lengths))
        ends = {len(self.periodic): "periodic", 0: "open"}
        boundary = ends.get(sum(self.periodic), f"periodic={self.periodic}")
        return f"<{self.name} {size}, {boundary}, {self.n_sites} sites>"

    @cached_property
    def box(self) -> Real:
        """Period vectors as rows, (dim, dim); along an open axis the lattice merely ends there."""
        return read_only(np.array(self.lengths)[:, None] * np.array(self.cell.vectors))

    @cached_property
    def positions(self) -> Real:
        """Coordinates of the sites, (n_sites, dim); nearest neighbors are at distance 1."""
        cells = np.indices(self.lengths, dtype=np.float64).reshape(self.cell.dim, -1).T
        places = cells[:, None, :] + np.array(self.cell.basis)
        return read_only(places.reshape(self.n_sites, -1) @ np.array(self.cell.vectors))

    def displacement(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Shortest vector from site i to site j, over all periodic images.

        Where two images are equally near, which of them is returned is arbitrary.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> lattices.square(4).displacement(0, 15)
        array([-1., -1.])
        """
        vectors = self.positions[np.asarray(j)] - self.positions[np.asarray(i)]
        return shortest(vectors, self._periods)

    def pair_distance(self, i: ArrayLike, j: ArrayLike) -> Real:
        """Distance between sites i and j (arrays broadcast), the shortest over all periodic images.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> chain = lattices.chain(6)
        >>> chain.pair_distance(0, chain.sites)
        array([0., 1., 2., 3., 2., 1.])
        """
        return np.sqrt((self.displacement(i, j) ** 2).sum(axis=-1))

    @cached_property
    def plaquettes(self) -> Index:
        """Sites around each elementary face, shape (P, corners), ordered by kind of face.

        Squares on hypercubic lattices, triangles on triangular and kagome (whose hexagons are left
        out), hexagons on honeycomb. Bonds join the sites that follow each other in a row, and its
        ends. In two dimensions all rows run counterclockwise; in the plane of axes mu < nu of more
        dimensions, from mu to nu.

        Raises
        ------
        LatticeError
            If the unit cell lists no faces.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> lattices.square(3).plaquettes[0]
        array([0, 3, 4, 1])
        """
        return self._around_faces(
            [(self._grid[..., site], offset) for site, offset in face] for face in self.cell.faces
        )

    @cached_property
    def plaquette_links(self) -> Index:
        """Links around each of `plaquettes`: entry k joins its corners k and k + 1.

        A U(1) gauge field has the flux ``(plaquette_signs * theta[plaquette_links]).sum(axis=1)``.

        Examples
        --------
        >>> from statmech_dsl.lang import lattices
        >>> square = lattices.square(3)
        >>> square.plaquette_links[0], square.plaquette_signs[0]
        (array([ 0, 12,  1,  9]), array([ 1,  1, -1, -1]))
        """
        links = self._link_grids()
        return self._around_faces(
            [self._edge(links, *ends) for ends in pairwise((*face, face[0]))]
            for face in self.cell.faces
        )

    @cached_property
    def plaquette_signs(self) -> Index:
        """Whether each of `plaquette_links` is passed forward (+1) or backward (-1)."""
        forward = self.bonds[0][self.plaquette_links] == self.plaquettes
        return read_only(np.where(forward, 1, -1))

    @property
    def _periods(self) -> Real:
        return self.box[np.array(self.periodic)]

    @property
    def _grid(self) -> Index:
        return self.sites.reshape(*self.lengths, len(self.cell.basis))

    def _steps(self, shell: int) -> list[Step]:
        farthest = np.linalg.norm(self.box, axis=1).sum()
        steps = shell_steps(self.cell, shell, farthest)
        if not steps:
            raise self._no_shell(shell, "lies beyond the lattice")
        vectors = step_vectors(self.cell, steps)
        shorter = np.linalg.norm(shortest(vectors, self._periods), axis=1) + TOLERANCE
        if any(shorter < np.linalg.norm(vectors, axis=1)):
            raise self._no_shell(shell, "wraps around the lattice onto nearer sites")
        return steps

    def _no_shell(self, shell: int, why: str) -> LatticeError:
        mend = "use more cells along each axis"
        if any(self.periodic):
            mend += ", or open boundaries with periodic=False"
        return LatticeError(f"neighbor shell {shell} {why}", where=repr(self), mend=mend)

    def _ahead(self, grid: Index, offset: Offset) -> Index:
        return ahead(grid, offset, self.periodic)

    def _shell(self, shell: int) -> Pairs:
        pairs = [self._pairs(step) for step in self._steps(shell)]
        if shell > 1 and not any(len(i) for i, _ in pairs):
            raise self._no_shell(shell, "has no pairs of sites")
        i, j = (read_only(np.concatenate(ends)) for ends in zip(*pairs, strict=True))
        return i, j

    def _pairs(self, step: Step) -> Pairs:
        target = self._ahead(self._grid[..., step.target], step.offset)
        exists = target >= 0
        return self._grid[..., step.source][exists], target[exists]

    def _around_faces(self, faces: Iterable[list[tuple[Index, Offset]]]) -> Index:
        """Read grids at the offsets around each kind of face; keep the faces that are whole."""
        if not self.cell.faces:
            raise self._lacks_faces()
        kinds = []
        for face in faces:
            corners = [self._ahead(*read) for read in face]
            whole = np.logical_and.reduce([corner >= 0 for corner in corners])
            kinds.append(np.stack([corner[whole] for corner in corners], axis=-1))
        return read_only(np.concatenate(kinds))

    def _edge(
        self, links: dict[Step, Index], corner: Corner, following: Corner
    ) -> tuple[Index, Offset]:
        """Return the grid of links, and where to read it, between two corners of a face."""
        for (a, here), (b, there) in ((corner, following), (following, corner)):
            step = Step(a, b, tuple(np.subtract(there, here).tolist()))
            if step in links:
                return links[step], here
        raise LatticeError(
            f"the face of the cell leaves the bonds from {corner} to {following}",
            where=repr(self),
            mend="list its corners around the face, so that nearest sites follow each other",
        )

    def _link_grids(self) -> dict[Step, Index]:
        """For each direction of bonds, the link that leaves each cell in it, or -1."""
        grids, first = {}, 0
        for step in self._steps(1):
            exists = self._ahead(self._grid[..., step.target], step.offset) >= 0
            count = np.cumsum(exists).reshape(exists.shape)
            grids[step] = np.where(exists, first + count - 1, -1)
            first += int(count.flat[-1])
        return grids

"""In which order the sites of a planar graph are added, so that what has been added is always a disk.

The graph is 2-connected and lies on a sphere. A hub, a corner without couplings, is put into each face
and joined to all sites around it, so that all faces are triangles. Corners are then added such that each new
one touches consecutive corners of the rim of the disk: a canonical order [H. de Fraysseix, J. Pach
and R. Pollack, Combinatorica 10, 41 (1990)].
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import networkx as nx


@dataclass(frozen=True, eq=False, slots=True)
class Hub:
    """The corner within a face."""


Corner = int | Hub
"""A site or a hub."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What happens to sites on the rim, and in which slots they are.

    ``insert``: a site gets a slot. ``bond``: two neighbors, the second follows the first around the rim, and
    the seam, where counting begins, lies between them or not. ``sum``: a site is summed over,
    and its slot is free.
    """

    kind: Literal["insert", "bond", "sum"]
    sites: tuple[int, ...]
    slots: tuple[int, ...]
    seam: bool = False


@dataclass(frozen=True)
class Sweep:
    """All operations, and the largest number of slots that are taken at a time."""

    operations: tuple[Operation, ...]
    width: int


def sweep(embedding: nx.PlanarEmbedding) -> Sweep:
    """Order the sites of a 2-connected planar graph.

    Parameters
    ----------
    embedding : networkx.PlanarEmbedding
        The neighbors of each site in the order around it.

    Returns
    -------
    Sweep
        Each site is inserted and summed once, and each edge is a bond once.

    Examples
    --------
    >>> _, embedding = nx.check_planarity(nx.cycle_graph(100))
    >>> sweep(embedding).width
    3
    """
    slots = _Slots({s: len(embedding[s]) for s in embedding})
    if len(embedding) == 2:
        a, b = embedding
        slots.add(a, [], 0)
        slots.add(b, [a], 1)
        return Sweep(tuple(slots.operations), slots.width)
    for corner, run, seam in _Rim(*_triangulated(embedding)).additions():
        if not isinstance(corner, Hub):
            slots.add(corner, run, seam)
    return Sweep(tuple(slots.operations), slots.width)


Edge = tuple[Corner, Corner]


def _triangulated(embedding: nx.PlanarEmbedding) -> tuple[dict[Edge, Corner], Edge]:
    """Third corner of the triangle to the right of each directed edge, and an edge to start from.

    It starts at a site of few neighbors on the longest face, such as the corner of an open lattice.
    """
    third: dict[Edge, Corner] = {}
    seen: set[Edge] = set()
    start, longest = next(iter(embedding.edges)), 3
    for edge in embedding.edges:
        if edge in seen:
            continue
        face = embedding.traverse_face(*edge, seen)
        hub: Corner = face[2] if len(face) == 3 else Hub()
        for a, b in [tuple(face[:2])] if len(face) == 3 else pairwise([*face, face[0]]):
            third |= {(a, b): hub, (b, hub): a, (hub, a): b}
        if len(face) > longest:
            start, longest = (hub, min(face, key=lambda s: len(embedding[s]))), len(face)
    return third, start


class _Rim:
    """The corners around the disk, each with the next one; the outside lies to their right."""

    def __init__(self, third: dict[Edge, Corner], start: Edge) -> None:
        self.third = third
        self.neighbors: dict[Corner, list[Corner]] = {}
        for a, b in third:
            self.neighbors.setdefault(a, []).append(b)
        a, b = self.seam = start
        self.after = {a: b, b: a}
        self.added = {a, b}
        # Neighbors on the rim of a corner outside, and edges of the rim whose triangle it completes.
        self.touched = Counter([*self.neighbors[a], *self.neighbors[b]])
        self.triangles = Counter([third[a, b], third[b, a]])
        self.ready: tuple[deque[Corner], deque[Corner]] = (deque(), deque())

    def additions(self) -> Iterator[tuple[Corner, list[Corner], int]]:
        """Each corner, the stretch of the rim that it touches, and how much of that lies before the seam."""
        b, a = self.seam
        yield a, [], 0
        yield b, [a], 1
        self._look(list(self.triangles))
        while (new := self._next()) is not None:
            run = self._run(new)
            before = next((k for k, e in enumerate(pairwise(run), 1) if e == self.seam), len(run))
            yield new, run, before
            self._add(new, run, before)

    def _is_ready(self, c: Corner) -> bool:
        """Whether a corner outside touches consecutive corners; the last one touches all."""
        if c in self.added or not self.triangles[c]:
            return False
        last = len(self.added) == len(self.neighbors) - 1
        return last or self.touched[c] == self.triangles[c] + 1

    def _look(self, corners: list[Corner]) -> None:
        """Queue those that are ready, hubs before sites."""
        for c in corners:
            if self._is_ready(c):
                self.ready[0 if isinstance(c, Hub) else 1].append(c)

    def _next(self) -> Corner | None:
        for queue in self.ready:
            while queue:
                if self._is_ready(c := queue.popleft()):
                    return c
        return None

    def _run(self, new: Corner) -> list[Corner]:
        """Corners of the rim that the new one touches."""
        completed = {
            a: b
            for a in self.neighbors[new]
            if (b := self.after.get(a)) is not None and self.third[a, b] == new
        }
        (first,) = completed.keys() - completed.values() or {self.seam[1]}
        run = [first]
        while len(run) <= len(completed) and (b := completed[run[-1]]) != first:
            run.append(b)
        return run

    def _add(self, new: Corner, run: list[Corner], before: int) -> None:
        for a in run[:-1]:
            del self.after[a]
        self.after[run[0]], self.after[new] = new, run[-1]
        if before < len(run):
            self.seam = (new, run[-1])
        self.added.add(new)
        if len(self.added) == len(self.neighbors):
            return
        for edge in ((run[0], new), (new, run[-1])):
            self.triangles[self.third[edge]] += 1
        self.touched.update(self.neighbors[new])
        self._look(self.neighbors[new])


class _Slots:
    """Operations on sites, and the slots that they take: a site leaves when all its bonds are done."""

    def __init__(self, degree: dict[int, int]) -> None:
        self.left = degree
        self.taken: list[int] = []
        self.slot: dict[int, int] = {}
        self.width = 0
        self.operations: list[Operation] = []

    def add(self, site: int, run: list[Corner], before: int) -> None:
        """Insert a site and couple it to its neighbors on the rim."""
        self.slot[site] = len(self.taken)
        self.taken.append(site)
        self.width = max(self.width, len(self.taken))
        self.operations.append(Operation("insert", (site,), (self.slot[site],)))
        for k, other in enumerate(run):
            if not isinstance(other, Hub):
                pair = (site, other) if k else (other, site)
                slots = (self.slot[pair[0]], self.slot[pair[1]])
                self.operations.append(Operation("bond", pair, slots, k >= before))
                self._done(other)
                self._done(site)

    def _done(self, site: int) -> None:
        self.left[site] -= 1
        if not self.left[site]:
            slot, last = self.slot.pop(site), self.taken.pop()
            self.operations.append(Operation("sum", (site,), (slot, len(self.taken))))
            if last != site:
                self.taken[slot], self.slot[last] = last, slot

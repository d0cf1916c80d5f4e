"""The compiled mover of cluster moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statmech_dsl.backends.collective.base import Ledger, Seat
from statmech_dsl.backends.collective.clusters.limits import limits_of
from statmech_dsl.backends.collective.clusters.source import ClusterSource
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.clusters import Clusters, Tie
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import MASK

NONE = np.zeros(0, np.uint32)


class ClusterMover:
    """Makes the moves of one `Clusters`; each replica is one thread's work."""

    def __init__(self, seat: Seat, threads: int) -> None:
        self.threads, self._move, self._seat = threads, seat.move, seat
        self._wanted: dict[str, np.ndarray] = {}
        self.ledger = Ledger(seat.move.reports)
        model, tables = seat.program.model, seat.tables
        variable = model.variable(seat.move.variable)
        self._limits = limits_of(seat.move, model, tables)
        self._values = np.array(variable.domain.values or (), float)
        self._mirrors = tables[seat.move.mirrors] if seat.move.mirrors else None
        self._offsets = np.array(seat.move.offsets(tables), np.int64)
        self._counts = np.diff(self._offsets, prepend=0)[1:]
        places, uniform = (NONE, NONE), False
        if self._limits is not None:
            places = (self._limits.places, self._limits.transposed)
            uniform = self._limits.uniform
        self._graph = (NONE, NONE, NONE, places[0], NONE, NONE, NONE)
        degree = None
        if seat.move.one:
            self._graph = neighbors(seat.move, tables, variable.n_sites, *places)
            degrees = np.diff(self._graph[0])
            degree = int(degrees[0]) if np.ptp(degrees) == 0 else None
        self._source = ClusterSource(
            seat.move,
            model,
            looked_up=self._limits is not None,
            uniform=uniform,
            degree=degree,
        )
        self._tables = [tables[name] for name in self._source.tables]
        self._beta = np.zeros(0)
        self._levels, self._found = NONE, np.zeros((0, 0, 0), np.uint32)

    def replace_tables(self, new: Tables) -> None:
        """Exchange couplings for others of the same shapes; what depends on them follows at the next move."""
        self._wanted.update(new)

    def source(self) -> str:
        """Source of the kernel."""
        return self._source.text

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps in place."""
        own = self._seat.tables
        if any(not np.array_equal(x, own[name]) for name, x in self._wanted.items()):
            self.__init__(replace(self._seat, tables={**own, **self._wanted}), self.threads)
        if self._limits is not None and not np.array_equal(self._beta, state.beta):
            self._find_limits(state.beta)
        kernel = cache.load(self._source.text)
        values = [state.values[name] for name in self._source.variables]
        keys = np.uint64(state.seed & MASK), np.uint64(state.seed >> 32 & MASK)
        graph = (self._offsets, self._counts, self._graph, self._levels, self._found)
        arguments = (state.replicas, state.beta, *keys, *graph, *values, *self._tables)
        if self._move.reports:
            sums = self.ledger.open(state.n_replicas, n * self._move.times)
            arguments = (*arguments, sums)
        spread(
            lambda a, b: kernel(a, b, state.sweep, n, *arguments), state.n_replicas, self.threads
        )

    def _find_limits(self, beta: np.ndarray) -> None:
        """Compute the limits that hold at each temperature."""
        limits, mirrors = self._limits, self._mirrors
        assert limits is not None
        assert mirrors is not None
        levels, which = np.unique(beta, return_inverse=True)
        self._beta, self._levels = beta.copy(), which.astype(np.uint32)
        self._found = np.zeros((len(levels), len(mirrors), limits.size), np.uint32)
        kernel = cache.load(limits.text)
        one = self._move.one
        kernel(levels, self._values, mirrors, self._found, one, limits.starts, *limits.rows)


def neighbors(
    move: Clusters, tables: Tables, n_sites: int, places: np.ndarray, transposed: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Of each site where its ties begin; their numbers, the other sites, and where their limits are."""

    def parts(ties: tuple[Tie, ...]):
        for t, offset in zip(move.ties, move.offsets(tables), strict=False):
            if t in ties:
                yield tuple(tables[s] for s in t.sites), offset + np.arange(t.count(tables))

    here, there, number, place = [NONE], [NONE], [NONE], [NONE]
    for (first, second), ties in parts(move.pairs):
        here += [first, second]
        there += [second, first]
        number += [ties, ties]
        place += [places[ties], transposed[ties]] if len(places) else []
    pointer, order = _grouped(np.concatenate(here), n_sites)
    others, ties, found = (np.concatenate(x).astype(np.uint32) for x in (there, number, place))
    pairs = (pointer, ties[order], others[order], found[order] if len(found) else NONE)
    fields = list(parts(move.fields))
    if not fields:
        return *pairs, NONE, NONE, NONE
    pointer, order = _grouped(np.concatenate([site for (site,), _ in fields]), n_sites)
    ties = np.concatenate([x for _, x in fields]).astype(np.uint32)[order]
    return *pairs, pointer, ties, places[ties] if len(places) else NONE


def _grouped(sites: np.ndarray, n_sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the entries of each site begin, and the order that groups them."""
    order = np.argsort(sites, kind="stable")
    pointer = np.searchsorted(sites[order], np.arange(n_sites + 1))
    return pointer.astype(np.uint32), order

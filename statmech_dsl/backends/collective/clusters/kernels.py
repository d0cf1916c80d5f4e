"""The compiled mover of cluster moves."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.collective.base import Seat
from statmech_dsl.backends.collective.clusters.source import ClusterSource
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import MASK


class ClusterMover:
    """Makes the moves of one `Clusters`; each replica is one thread's work."""

    def __init__(self, seat: Seat, threads: int) -> None:
        self.threads, model = threads, seat.program.model
        self._source = ClusterSource(seat.move, model)
        self._tables = [seat.tables[name] for name in self._source.tables]
        n_sites = model.variable(seat.move.variable).n_sites
        self._graph = neighbors(seat.move, seat.tables, n_sites)

    def source(self) -> str:
        """Source of the kernel."""
        return self._source.text

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps in place."""
        kernel = cache.load(self._source.text)
        values = [state.values[name] for name in self._source.variables]
        keys = np.uint64(state.seed & MASK), np.uint64(state.seed >> 32 & MASK)
        arguments = (state.replicas, state.beta, *keys, *self._graph, *values, *self._tables)
        spread(
            lambda a, b: kernel(a, b, state.sweep, n, *arguments), state.n_replicas, self.threads
        )


def neighbors(move: Clusters, tables: Tables, n_sites: int) -> tuple[np.ndarray, ...]:
    """Of each site where its ties begin; their numbers and other sites. The ghost is site ``n_sites``."""
    here, there, number, start = [], [], [], 0
    for t in move.ties if move.one else ():
        first = tables[t.sites[0]].astype(np.int64)
        second = tables[t.sites[1]] if t in move.pairs else np.full(len(first), n_sites)
        ties = np.arange(start, start := start + len(first))
        here += [first, second]
        there += [second, first]
        number += [ties, ties]
    if not here:
        return np.zeros(n_sites + 1, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.uint32)
    sites = np.concatenate(here)
    order = np.argsort(sites, kind="stable")
    pointer = np.searchsorted(sites[order], np.arange(n_sites + 1))
    return tuple(
        x.astype(np.uint32)
        for x in (pointer, np.concatenate(number)[order], np.concatenate(there)[order])
    )

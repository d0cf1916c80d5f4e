"""The mover of single clusters on bit-sliced states.

Its kernel works on the rows of a chunk, each a word of a site or a tie in all replicas of the chunk. ``whom``
has the number of the replica in each lane, plus 1; ``bonds`` the rows of states at both ends of ties, and their
kinds; ``graph`` is that of places. ``ties``, ``inside`` (the clusters, by place) and the like are memory.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statmech_dsl.backends.collective.base import Seat
from statmech_dsl.backends.collective.clusters.bits.definition import SHIFT
from statmech_dsl.backends.collective.clusters.bits.graph import graph_of
from statmech_dsl.backends.collective.clusters.bits.source import scratch, source
from statmech_dsl.backends.collective.clusters.limits import Limits, limits_of
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.backends.numba_cpu.bit_sliced.kernels import Packed
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import block
from statmech_dsl.backends.numba_cpu.bit_sliced.words import planes_of, words_of, zeros
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.state import State
from statmech_dsl.rng import MASK, MOVE_STREAM, PLANES, TAIL


class BitClusterMover:
    """Makes the moves of one `Clusters`, for all replicas of a chunk at once; see `Graph` for the tables."""

    def __init__(self, seat: Seat, threads: int) -> None:
        self.threads, self._move, program = threads, seat.move, seat.program
        bare = replace(program, collective=())
        self._packer = BitKernels(bare, seat.tables, seat.n_replicas, threads)
        limits = limits_of(seat.move, program.model, seat.tables)
        assert limits is not None
        self._limits: Limits = limits
        variable = program.model.variable(seat.move.variable)
        self._values = np.array(variable.domain.values, float)
        self._mirrors = seat.tables[seat.move.mirrors]
        self._starts = np.unique(limits.places)
        self._graph = g = graph_of(seat.move, variable.n_sites, limits, seat.tables)
        row = self._packer.halos[variable.name].row_of
        place = np.argsort(g.sites[: variable.n_sites])
        self._tables = (
            row[g.sites],
            place[seat.tables[variable.free]],
            (row[g.ties.first], row[g.ties.second], g.ties.kinds),
            (g.block, g.others, g.rows, g.runs, g.more, g.inner, g.beside),
        )
        self._key: tuple = ()
        self._thresholds: tuple[np.ndarray, ...] = ()
        self._rooms: dict[tuple[int, int], tuple[np.ndarray, ...]] = {}

    def source(self) -> str:
        """Source of the kernel."""
        packer = self._packer
        return self._source(block(packer.bits, -(-packer.n_replicas // 64)).words)

    def _source(self, words: int) -> str:
        return source(words, self._graph.others.shape[1])

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps in place."""
        packed = self._packer.pack(state)
        self.move_packed(packed, state, n)
        state.values.update(self._packer.unpack(packed).values)

    def move_packed(self, packed: Packed, state: State, n: int) -> None:
        """Make the moves of n sweeps in place, on a state in bits."""
        self._find_thresholds(packed, state)
        words, chunks = packed.slots.words, len(packed.slots.groups)
        kernel = cache.load(self._source(words))
        stream = self._move.stream | MOVE_STREAM
        keys = (np.uint64(x) for x in (stream, state.seed & MASK, state.seed >> 32 & MASK))
        fixed = (state.sweep, n, self._move.times, *keys)
        x = packed.words[self._move.variable].reshape(chunks, -1)
        whom = packed.slots.spread(state.replicas[None] + 1)[:, 0]
        shared = (x, whom, packed.slots.groups, *self._thresholds, *self._tables)

        def work(first: int, last: int) -> None:
            if (first, words) not in self._rooms:
                self._rooms[first, words] = self._room(words)
            kernel(first, last, *fixed, *self._rooms[first, words], *shared)

        spread(work, chunks, self.threads)

    def _room(self, words: int) -> tuple[np.ndarray, ...]:
        """Memory of a thread: streams and planes, open lanes, ties, clusters, what flows, blocks to do."""
        g = self._graph
        sizes = (
            scratch(words),
            words,
            len(g.ties.kinds) * words,
            (len(g.sites) + 1) * words,
            2 * words,
        )
        return *map(zeros, sizes), np.zeros((2, len(g.beside[0]) - 1), np.uint8)

    def _find_thresholds(self, packed: Packed, state: State) -> None:
        """For each kind of tie planes of its thresholds, lanes where it ties different values, and rests."""
        key = (packed.slots, state.beta.tobytes())
        if key == self._key:
            return
        levels, which = np.unique(state.beta, return_inverse=True)
        found = self._limits.at(levels, self._values, self._mirrors, one=True)
        place, width = self._starts[:, None], int(self._values[-1] - self._values[0]) + 1
        alike = found[which, 0, place]
        unlike = found[which, 0, place + width - 1]
        none = np.zeros((1, len(state.beta)), np.uint64)  # what is no tie
        limit = np.concatenate([np.maximum(alike, unlike).astype(np.uint64), none])
        lanes = packed.slots.spread(limit << np.uint64(SHIFT))
        flip = np.concatenate([unlike > alike, none > 0])
        planes = planes_of(lanes, np.arange(len(limit)), 1, PLANES, TAIL)
        flips = words_of(flip.T, packed.slots)
        tails = lanes & np.uint64((1 << TAIL) - 1)
        self._key = key
        self._thresholds = *(x.reshape(len(x), -1) for x in (planes, flips)), tails

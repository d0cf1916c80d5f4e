"""The kernels of a bit-sliced program: layout of the state, thresholds, threads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.backends.base import Measures, record, swept_energy
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.bit_sliced import sums_source
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import block
from statmech_dsl.backends.numba_cpu.bit_sliced.limits import Limits
from statmech_dsl.backends.numba_cpu.bit_sliced.measures import Counted
from statmech_dsl.backends.numba_cpu.bit_sliced.source import source
from statmech_dsl.backends.numba_cpu.bit_sliced.tables import halos, sum_tables, sweep_tables
from statmech_dsl.backends.numba_cpu.bit_sliced.words import (
    Slots,
    bits_of,
    copy_lanes,
    planes_of,
    words_of,
    zeros,
)
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels
from statmech_dsl.backends.numba_cpu.threads import spread, together
from statmech_dsl.ir.bits import class_energies
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import BIT_TILE, PLANES, TAIL


@dataclass(eq=False)
class Packed:
    """A state as words [chunk, row, word] of each variable, and thresholds of each pass.

    ``levels[p]`` has the planes of a pass's thresholds [chunk, class, plane, word of a part], flattened: those
    of all kinds in turn, the last class of each first subtracted (xor) from its others; ``tails[p]`` the rest,
    [chunk, class, lane].
    """

    state: State
    slots: Slots
    words: dict[str, np.ndarray]
    levels: list[np.ndarray]
    tails: list[np.ndarray]


class BitKernels:
    """Kernels of one bit-sliced program; compiled when first used, or taken from the cache on disk."""

    def __init__(self, program: Program, tables: Tables, n_replicas: int, threads: int) -> None:
        assert program.bits is not None
        self.program, self.bits, self.tables, self.threads = program, program.bits, tables, threads
        self.n_replicas = n_replicas
        self.halos = halos(program, self.bits, tables)
        self.lanes = np.uint64((1 << (self.bits.fold or 64)) - 1)
        self._kernels: dict[int, tuple[str, list[np.ndarray], int]] = {}
        self._counted = Counted(
            program, tables, lambda p: NumbaKernels(p, tables, n_replicas, threads)
        )
        kinds = [[class_energies(k, tables) for k in p.kinds] for p in self.bits.passes]
        # One class that nothing reads where a pass has none.
        self._limits = [Limits(np.concatenate([*x]).tolist() or [0.0]) for x in kinds]
        self._minus = [_last_of_kind([len(e) for e in x]) for x in kinds]
        self._planes = max(8, max(self._counted.n_terms, default=0).bit_length())

    def describe(self) -> str:
        """What the bits of a word hold."""
        if self.bits.fold is not None:
            return f"bit-sliced tier, {self.bits.fold} sites of a color in the bits of a word"
        return "bit-sliced tier, 64 replicas in the bits of a word"

    def source(self) -> str:
        """Source of the kernel."""
        return self._kernel(block(self.bits, -(-self.n_replicas // 64)).words)[0]

    # ---- layout ---------------------------------------------------------------------------------

    def pack(self, state: State) -> Packed:
        """Bring a state into words."""
        fold = self.bits.fold
        n_words = -(-len(set(state.replicas // 8)) // 8) if fold is None else 1
        if self._small_colors:  # too small to be shared by threads, which get words of their own
            n_words = -(-n_words // self.threads)
        slots = Slots.of(state.replicas, fold, block(self.bits, n_words).words)
        words = {}
        for v in self.program.model.variables:
            assert v.domain.values is not None
            high = state.values[v.name] == v.domain.values[1]
            x = words_of(high, slots)
            halo = self.halos[v.name]
            words[v.name] = zeros(len(x), halo.size, x.shape[2])
            words[v.name][:, halo.row_of[:-1]] = x
            self._refresh(words[v.name], v.name)
        packed = Packed(state.copy(), slots, words, [], [])
        self.set_beta(packed, state.beta)
        return packed

    def set_beta(self, packed: Packed, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures: other thresholds."""
        packed.state.beta = np.array(beta, float)
        pairs = [self._levels(k, packed.state.beta, packed.slots) for k in range(len(self._limits))]
        packed.levels, packed.tails = [p[0] for p in pairs], [p[1] for p in pairs]

    def take(self, packed: Packed, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has."""
        to = np.flatnonzero(rows != np.arange(len(rows)))
        if self.bits.fold is None:
            lane = packed.slots.lane
            for x in packed.words.values():
                copy_lanes(x, lane[rows[to]], lane[to])
        else:
            for x in packed.words.values():
                x[to] = x[rows[to]]

    def _refresh(self, x: np.ndarray, variable: str) -> None:
        """Fill the halo."""
        halo, size = self.halos[variable], np.uint64(self.bits.fold or 64)
        copy, down = x[:, halo.source], halo.turn.astype(np.uint64)[:, None]
        x[:, halo.rows + 1 :] = (copy >> down | copy << (size - down)) & self.lanes

    def _levels(self, k: int, beta: np.ndarray, slots: Slots) -> tuple[np.ndarray, np.ndarray]:
        """Planes and rests of the thresholds of pass k."""
        lanes = slots.spread(self._limits[k](beta))
        alike = lanes if self.bits.fold is None else np.repeat(lanes, 64, axis=2)
        repeat = block(self.bits, slots.words).width // slots.words
        planes = planes_of(alike, self._minus[k], repeat, PLANES, TAIL)
        levels = zeros(len(planes), planes[0].size)
        levels[:] = planes.reshape(levels.shape)
        return levels, lanes & np.uint64((1 << TAIL) - 1)

    def unpack(self, packed: Packed) -> State:
        """Copy back into plain arrays."""
        state = packed.state.copy()
        state.values = {name: self.values(packed, name) for name in packed.words}
        return state

    def accepted(self, packed: Packed) -> np.ndarray:
        """None: all draws are exact."""
        return packed.state.accepted.copy()

    def values(self, packed: Packed, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        v = self.program.model.variable(variable)
        high = bits_of(packed.words[variable][:, self.halos[variable].row_of[:-1]], packed.slots)
        return np.asarray(v.domain.values, v.domain.storage_dtype)[high.view(np.uint8)]

    # ---- runs -----------------------------------------------------------------------------------

    def sweep(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place."""
        self._run(packed, 1, n, counted=False)

    def energy(self, packed: Packed) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        tempered, fixed, _ = self.measure(packed)
        return tempered, fixed

    def measure(self, packed: Packed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both energies, and the elements of all sums of ``program.measured``."""
        tempered, fixed, sums = self._measured(packed, 1, 0)
        return tempered[0], fixed[0], sums[0]

    def swept_energy(self, packed: Packed, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then."""
        return swept_energy(self, packed, n)

    def record(self, packed: Packed, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times."""
        if not self._counted.all:
            return record(self, packed, draws, thin)
        return self._measured(packed, draws, thin)

    def _measured(self, packed: Packed, draws: int, thin: int) -> Measures:
        counts = self._run(packed, draws, thin, counted=True)
        return self._counted.measures(counts, lambda: self.unpack(packed))

    def _kernel(self, words: int) -> tuple[str, list[np.ndarray], int]:
        """Source, tables and words of scratch memory for chunks of some number of words."""
        if words not in self._kernels:
            shape = block(self.bits, words)
            arrays = sweep_tables(self.program, self.bits, self.tables, self.halos, shape)
            arrays |= sum_tables(self.bits, self.tables, self.halos, shape)
            printed = source(self.program, self.bits, arrays, shape)
            scratch = max(printed.scratch, sums_source.scratch(words, self._planes))
            self._kernels[words] = printed.text, [arrays[n] for n in printed.tables], scratch
        return self._kernels[words]

    def _run(self, packed: Packed, draws: int, n: int, counted: bool) -> np.ndarray:
        """Sweeps, and counts of set bits [draw, sum, replica]."""
        slots, state = packed.slots, packed.state
        text, tables, scratch = self._kernel(slots.words)
        kernel, chunks = cache.load(text), len(slots.groups)
        folded = self.bits.fold is not None
        team = self.threads if chunks < self.threads and not self._small_colors else 1
        shape = (
            draws * counted,
            chunks,
            team,
            len(self.bits.sums),
            1 if folded else 64 * slots.words,
        )
        out = np.zeros(shape, np.int64)
        levels = [x for pair in zip(packed.levels, packed.tails, strict=True) for x in pair]
        halo = [x for h in self.halos.values() for x in (h.source, h.turn)]
        shared = (np.zeros(1, np.int64), state.sweep, n, np.uint64(state.seed), self.lanes)
        words = [x.reshape(chunks, -1) for x in packed.words.values()]
        more = (slots.groups, draws, out, self._planes, *levels, *words, *halo, *tables)

        def work(first: int, last: int, me: int, team: int) -> None:
            kernel(first, last, me, team, 0, zeros(scratch), *shared, *more)

        if team > 1:
            together(lambda me: work(0, chunks, me, team), team)
        else:
            spread(lambda a, b: work(a, b, 0, 1), chunks, self.threads)
        state.sweep += draws * n
        return slots.gather(out.sum(axis=2)) if counted else out

    # ---- measures -------------------------------------------------------------------------------

    @property
    def _small_colors(self) -> bool:
        """Whether threads cannot share the tiles of a color."""
        if self.bits.fold is not None:
            return False
        sizes = [np.diff(self.tables[p.segments]) for p in self.program.passes]
        return min((int(x.min()) for x in sizes), default=0) < self.threads * BIT_TILE


def _last_of_kind(sizes: list[int]) -> np.ndarray:
    """For each class of a pass the last one of its kind, given the numbers of classes of the kinds."""
    last = np.cumsum(sizes) - 1
    return np.repeat(last, sizes) if sum(sizes) else np.zeros(1, np.int64)

"""The kernels of a bit-sliced program on a device: layout of the state, thresholds, launches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from statmech_dsl.backends.base import Measures, record, swept_energy
from statmech_dsl.backends.cupy_gpu.bit_sliced.layout import GROUP, Layout, n_groups
from statmech_dsl.backends.cupy_gpu.bit_sliced.lending import Lending, Lent
from statmech_dsl.backends.cupy_gpu.bit_sliced.levels import thresholds
from statmech_dsl.backends.cupy_gpu.bit_sliced.source import source
from statmech_dsl.backends.cupy_gpu.bit_sliced.sums_source import SLOTS
from statmech_dsl.backends.cupy_gpu.bit_sliced.tables import Arguments, bounds, of_sum, of_terms
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import terms_of_pass, terms_of_sum
from statmech_dsl.backends.cupy_gpu.device import Device, Launch
from statmech_dsl.backends.cupy_gpu.kernel import Packed as Plain
from statmech_dsl.backends.cupy_gpu.kernels import CupyKernels
from statmech_dsl.backends.cupy_gpu.tables import Layout as PlainLayout
from statmech_dsl.backends.numba_cpu.bit_sliced.measures import Counted
from statmech_dsl.backends.numba_cpu.bit_sliced.words import Slots
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import BIT_TILE, GROUP_LANES, WORD_LANES

COUNTERS = 1 << 23
"""Counters of a launch, 64 MB; a longer recording takes several."""


@dataclass(eq=False)
class Packed:
    """A state on a device: the words of each variable as `Layout` has them.

    ``levels`` and ``tails`` are the thresholds of each pass, see `levels`.
    """

    state: State
    slots: Slots
    words: dict[str, Any]
    numbers: Any
    levels: list[Any]
    tails: list[Any]
    lent: Lent | None = None
    """The state as bytes, once it has been lent."""

    @property
    def groups(self) -> int:
        """Groups of replicas; under a fold, replicas."""
        return len(self.slots.lane) if self.slots.fold else n_groups(self.slots)


class CupyBitKernels:
    """Kernels of one bit-sliced program; compiled when first used."""

    def __init__(self, program: Program, tables: Tables, device: Device) -> None:
        assert program.bits is not None
        self.program, self.bits, self.tables, self.device = program, program.bits, tables, device
        self._layout = Layout(program, self.bits, tables)
        self._counted = Counted(program, tables, lambda p: CupyKernels(p, tables, device))
        fold = self.bits.fold
        self._passes = [terms_of_pass(p, tables, fold) for p in self.bits.passes]
        self._sums = {
            k: terms_of_sum(s.term, tables) for k, s in enumerate(self.bits.sums) if s.term.columns
        }
        self._runs = [
            bounds(tables[p.segments], tables[form.runs], fold or 1)
            for p, form in zip(program.passes, self.bits.passes, strict=True)
        ]
        self._source = source(program, self.bits, self._passes, self._sums)

    def describe(self) -> str:
        """What the bits of a word hold."""
        if self.bits.fold is not None:
            return f"bit-sliced tier, {self.bits.fold} sites of a color in the bits of a word"
        return "bit-sliced tier, 8 replicas of 4 sites in the bits of a word"

    def source(self) -> str:
        """Source of the kernel."""
        return self._source.text

    # ---- states -------------------------------------------------------------------------------------

    def pack(self, state: State) -> Packed:
        """Bring a state to the device."""
        fold = self.bits.fold
        slots = Slots.of(state.replicas, fold, 1)
        if fold is None:
            slots = Slots.of(state.replicas, None, len(slots.groups))
        words = {}
        for v in self.program.model.variables:
            assert v.domain.values is not None
            high = state.values[v.name] == v.domain.values[1]
            words[v.name] = self.device.put(self._layout.words(v.name, high, slots))
        numbers = slots.groups.transpose(0, 2, 1).reshape(-1).astype(np.uint32)
        packed = Packed(state.copy(), slots, words, self.device.put(numbers), [], [])
        self.set_beta(packed, state.beta)
        return packed

    def set_beta(self, packed: Packed, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures: other thresholds."""
        packed.state.beta = np.array(beta, float)
        put = self.device.put
        pairs = [
            thresholds(p, self.tables, packed.state.beta, packed.slots) for p in self.bits.passes
        ]
        packed.levels, packed.tails = [put(p[0]) for p in pairs], [put(p[1]) for p in pairs]
        if packed.lent is not None:
            self._plain.set_beta(packed.lent.plain, beta)

    @property
    def layout(self) -> PlainLayout:
        """Where sites lie in what is lent."""
        return self._plain.layout

    def lend(self, packed: Packed) -> Plain:
        """The state as plain arrays, for what moves sites besides sweeps."""
        if packed.lent is None:
            plain = self._plain.pack(packed.state)
            packed.lent = self.lending.open(plain, packed.slots, packed.words)
        self.lending.copy("spread", packed.words, packed.lent)
        return packed.lent.plain

    def regain(self, packed: Packed) -> None:
        """Take over the values of what was lent."""
        assert packed.lent is not None
        self.lending.copy("gather", packed.words, packed.lent)

    @cached_property
    def _plain(self) -> CupyKernels:
        """Kernels that keep sites as bytes, in their own order."""
        return CupyKernels(replace(self.program, passes=(), bits=None), self.tables, self.device)

    @cached_property
    def lending(self) -> Lending:
        """What copies bits to bytes and back."""
        return Lending(self.program.model.variables, self._layout, self.device)

    def take(self, packed: Packed, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has."""
        put, lane = self.device.put, packed.slots.lane
        if self.bits.fold is not None:
            chosen = put(rows)
            packed.words = {v: x.take(chosen, axis=0) for v, x in packed.words.items()}
            return
        lanes = np.arange(8 * packed.groups, dtype=np.uint32)
        lanes[lane] = lane[rows]
        chosen, groups = put(lanes), np.uint32(packed.groups)
        for v, x in packed.words.items():
            out = self.device.empty(x.shape, np.uint32)
            self._kernels["take"](x.size, groups, np.uint64(x.size), chosen, x, out)
            packed.words[v] = out

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
        words = self.device.get(packed.words[variable])
        high = self._layout.bits(variable, words, packed.slots)
        return np.asarray(v.domain.values, v.domain.storage_dtype)[high.view(np.uint8)]

    # ---- runs ---------------------------------------------------------------------------------------

    def sweep(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place."""
        self._run(packed, 1, n, (0,))

    def energy(self, packed: Packed) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        tempered, fixed, _ = self.measure(packed)
        return tempered, fixed

    def measure(self, packed: Packed) -> Measures:
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
        shape = (packed.groups, SLOTS) if packed.slots.fold else (8 * packed.groups,)
        shape = (len(self.bits.sums), *shape)
        most = max(1, COUNTERS // max(1, math.prod(shape)))
        counts = [
            self.device.get(self._run(packed, min(most, draws - done), thin, shape))
            for done in range(0, draws, most)
        ]
        found = np.concatenate(counts).astype(np.int64)
        found = found.sum(axis=-1) if packed.slots.fold else found[..., packed.slots.lane]
        return self._counted.measures(found, lambda: self.unpack(packed))

    def _run(self, packed: Packed, draws: int, n: int, shape: tuple[int, ...]) -> Any:
        """``draws`` times n sweeps; after each, counts of set bits in the shape of a draw."""
        state, slots = packed.state, packed.slots
        out = self.device.empty((draws, *shape), np.uint64)
        arguments = {
            "sweep0": np.uint32(state.sweep),
            "n": np.uint32(n),
            "seed": np.uint64(state.seed),
            "draws": np.uint32(draws),
            "size_of_draw": np.uint32(math.prod(shape)),
            "out": out,
            "numbers": packed.numbers,
            "replicas": np.uint32(state.n_replicas),
            "size": np.uint32(slots.fold or 0),
            "lanes": np.uint64((1 << (slots.fold or 64)) - 1),
            "groups": np.uint32(packed.groups),
            **{f"X{k}": x for k, x in enumerate(packed.words.values())},
            **{f"rows{k}": np.uint32(x.shape[1]) for k, x in enumerate(packed.words.values())},
            **{f"levels{k}": x for k, x in enumerate(packed.levels)},
            **{f"tails{k}": x for k, x in enumerate(packed.tails)},
            **self._tables,
        }
        values = [arguments[name] for name in self._source.arguments]
        self._kernels["run"](self._items(packed), *values)
        state.sweep += draws * n
        return out

    def _items(self, packed: Packed) -> int:
        """Items of the largest stage."""
        fold = self.bits.fold
        lanes, group = (GROUP_LANES, 1) if fold is None else (WORD_LANES, GROUP)
        counts = [int(n) * group for name, n in self._tables.items() if name.startswith("parts")]
        sweeps = [0]
        for runs in self._runs:
            tiles = -(-runs[:, 1] // BIT_TILE) - runs[:, 0] // BIT_TILE
            sweeps.append(int(tiles.max(initial=0)) * lanes)
        return max(*sweeps, *counts, 1) * packed.groups

    @cached_property
    def _kernels(self) -> Mapping[str, Launch]:
        names = ["run"] if self.bits.fold is not None else ["run", "take"]
        return self.device.compile(self._source.text, names)

    @cached_property
    def _tables(self) -> dict[str, Any]:
        """Arguments that are the same in all runs."""
        rows, folded = self._layout.rows, self.bits.fold is not None
        out: Arguments = {}
        for k, (runs, terms) in enumerate(zip(self._runs, self._passes, strict=True)):
            out |= of_terms(terms, rows, str(k), folded)
            out |= {f"runs{k}": len(runs), f"bounds{k}": runs.astype(np.uint32)}
        for k, terms in self._sums.items():
            out |= of_sum(terms, rows, f"_{k}", folded)
        put = self.device.put
        return {n: put(x) if isinstance(x, np.ndarray) else np.uint32(x) for n, x in out.items()}

"""The CUDA backend's kernels: the layout of a state on the device, arguments, launches."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from statmech_dsl.backends.base import Measures, swept_energy
from statmech_dsl.backends.cupy_gpu.dense import DenseSweep
from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.kernel import Kernel, Packed
from statmech_dsl.backends.cupy_gpu.source import feature_source, measure_source
from statmech_dsl.backends.cupy_gpu.sweep_source import sweep_source
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import TILE, TILE_LANES

TEAM, WARP = 4, 32
"""Replicas that a thread of the field tier has, if there are as many as a warp has threads."""

KEPT = 1 << 25
"""Measured numbers that wait on the device."""


class CupyKernels:
    """Kernels of one program; compiled when first used."""

    def __init__(self, program: Program, tables: Tables, device: Device) -> None:
        self.program, self.device = program, device
        self.layout = layout = Layout(program, tables)
        self.feature_kernel = Kernel("features", feature_source(program), layout, device)
        self.measure_kernel = Kernel("measure", measure_source(program), layout, device)
        self._sweeps: dict[int, Kernel] = {}
        self._starts = np.cumsum([2, *(s.size for s in program.measured.sums)])
        self._ranks = [tables[p.segments].astype(np.int64) for p in program.passes]

    @cached_property
    def dense(self) -> DenseSweep | None:
        """What sweeps if all passes are dense."""
        dense = bool(self.program.passes) and all(p.dense for p in self.program.passes)
        return DenseSweep(self.program, self.layout, self.device) if dense else None

    def source(self) -> str:
        """Source of the kernels of a sweep."""
        return self.dense.source() if self.dense else self.sweep_kernel(TEAM).source.text

    def sweep_kernel(self, width: int) -> Kernel:
        """The sweep for teams of ``width`` replicas."""
        if width not in self._sweeps:
            source = sweep_source(self.program, self.layout, width)
            self._sweeps[width] = Kernel("sweep", source, self.layout, self.device)
        return self._sweeps[width]

    # ---- states -------------------------------------------------------------------------------------

    def pack(self, state: State) -> Packed:
        """Bring a state to the device."""
        put, n = self.device.put, state.n_replicas
        values = {name: put(self._by_row(name, x)) for name, x in state.values.items()}
        features = self.feature_kernel.source.features
        packed = Packed(
            state.copy(),
            values,
            [self.device.empty(values[f.variable].shape, f.stored) for f in features],
            [put(np.zeros((s.size, n))) for s in self.program.model.sums],
            put(np.zeros(n)),
            put(state.replicas.astype(np.uint32)),
            put(state.beta.astype(float)),
            put(state.params.astype(float)),
            put(state.accepted.astype(np.int64)),
            put(state.law_table.astype(float)),
        )
        self.regain(packed)
        return packed

    def lend(self, packed: Packed) -> Packed:
        """The state for what moves sites besides sweeps."""
        return packed

    def regain(self, packed: Packed) -> None:
        """Compute the features of values that have come from elsewhere."""
        if packed.features:
            self.feature_kernel(max(x.size for x in packed.state.values.values()), packed, [])

    def _by_row(self, variable: str, x: np.ndarray) -> np.ndarray:
        """(replicas, sites * components) as [component][row][replica]."""
        sites = self.layout.site_of[variable]
        return np.ascontiguousarray(x.reshape(len(x), len(sites), -1)[:, sites].transpose(2, 1, 0))

    def unpack(self, packed: Packed) -> State:
        """Copy back into plain arrays."""
        state = packed.state.copy()
        state.values = {name: self.values(packed, name) for name in packed.values}
        state.accepted = self.device.get(packed.accepted)
        return state

    def accepted(self, packed: Packed) -> np.ndarray:
        """Moves that each replica has accepted so far, shape (passes, replicas)."""
        return self.device.get(packed.accepted)

    def values(self, packed: Packed, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        by_row = self.device.get(packed.values[variable])
        x = np.empty_like(by_row)
        x[:, self.layout.site_of[variable]] = by_row
        return np.ascontiguousarray(x.transpose(2, 1, 0)).reshape(x.shape[2], -1)

    def set_beta(self, packed: Packed, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures, and the parameters that were tuned at them."""
        packed.state.beta = np.array(beta, float)
        packed.beta = self.device.put(packed.state.beta)
        if params is not None:
            packed.state.params = np.array(params, float)
            packed.params = self.device.put(packed.state.params)

    def take(self, packed: Packed, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has; features go along."""
        chosen = self.device.put(rows)
        packed.values = {v: x.take(chosen, axis=-1) for v, x in packed.values.items()}
        packed.features = [y.take(chosen, axis=-1) for y in packed.features]

    # ---- sweeps -------------------------------------------------------------------------------------

    def sweep(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place: one launch, or several if dense; it returns before they are done."""
        if self.dense:
            self.dense(packed, n)
            return
        state = packed.state
        n_replicas, (low, width) = state.n_replicas, state.law_range
        kernel = self.sweep_kernel(TEAM if n_replicas >= WARP and n_replicas % TEAM == 0 else 1)
        first = [
            np.uint32(n),
            np.uint32(state.sweep),
            np.uint64(state.seed),
            packed.replicas,
            packed.beta,
            packed.accepted,
            packed.law_table,
            np.uint32(len(state.law_table)),
            np.float64(low),
            np.float64(1.0 / width),
            packed.params,
            self._scratch(kernel, packed),
            packed.energy,
        ]
        kernel(self._items(packed), packed, first)
        state.sweep += n

    def _items(self, packed: Packed) -> int:
        """Items of the largest stage of a sweep."""
        lanes = [1]
        for p, segments in zip(self.program.passes, self._ranks, strict=True):
            if not p.exclusive and len(segments) > 1:
                tiles = -(-segments[1:] // TILE) - segments[:-1] // TILE
                lanes.append(int(tiles.max()) * TILE_LANES)
        return max(lanes) * packed.state.n_replicas

    # ---- measures -----------------------------------------------------------------------------------

    def energy(self, packed: Packed) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        tempered, fixed, _ = self.measure(packed)
        return tempered, fixed

    def measure(self, packed: Packed) -> Measures:
        """Both energies, and the elements of all sums of ``program.measured``."""
        tempered, fixed, sums = self._measures(packed, 1, 0)
        return tempered[0], fixed[0], sums[0]

    def swept_energy(self, packed: Packed, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then."""
        return swept_energy(self, packed, n)

    def record(self, packed: Packed, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times; the processor waits when memory is full only."""
        most = max(1, KEPT // int(self._starts[-1] * packed.state.n_replicas))
        parts = [
            self._measures(packed, min(most, draws - done), thin) for done in range(0, draws, most)
        ]
        tempered, fixed, sums = zip(*parts, strict=True)
        return np.concatenate(tempered), np.concatenate(fixed), np.concatenate(sums)

    def _measures(self, packed: Packed, draws: int, thin: int) -> Measures:
        starts = [int(k) for k in self._starts]
        out = self.device.put(np.zeros((draws, starts[-1], packed.state.n_replicas)))
        scratch = self._scratch(self.measure_kernel, packed)
        for rows in out:
            if thin:
                self.sweep(packed, thin)
            sums = tuple(rows[a:b] for a, b in zip(starts, starts[1:], strict=False))
            self.measure_kernel(
                self._parts(self.measure_kernel) * packed.state.n_replicas,
                packed,
                [scratch, rows[0], rows[1]],
                sums,
            )
        found = self.device.get(out)
        return found[:, 0], found[:, 1], found[:, 2:].transpose(0, 2, 1)

    def _parts(self, kernel: Kernel) -> int:
        """Most parts that a kernel adds up at a time."""
        sizes = [self.layout.length(*s) for s in kernel.source.sizes if s[0].how == "parts"]
        return max(sizes, default=1)

    def _scratch(self, kernel: Kernel, packed: Packed) -> Any:
        return self.device.empty((max(1, self._parts(kernel)) * packed.state.n_replicas,), float)

"""The CUDA backend's kernels: the layout of a state on the device, arguments, launches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from statmech_dsl.backends.base import Measures
from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.sweep_source import Source, sweep_source
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State
from statmech_dsl.rng import TILE, TILE_LANES


@dataclass(eq=False)
class Packed:
    """A state on the device: ``values`` and ``features`` [component][row][replica].

    ``state`` has the counters; its values are those of the beginning.
    """

    state: State
    values: dict[str, Any]
    features: list[Any]
    replicas: Any
    beta: Any
    params: Any
    accepted: Any
    law_table: Any


class CupyKernels:
    """Kernels of one program; compiled when first used."""

    def __init__(self, program: Program, tables: Tables, n_replicas: int, device: Device) -> None:
        self.program, self.tables, self.device = program, tables, device
        self._layout = Layout(program, tables)
        self._sweep = sweep_source(program, self._layout.follow)

    def source(self) -> str:
        """Source of the sweep kernel."""
        return self._sweep.text

    # ---- states -------------------------------------------------------------------------------------

    def pack(self, state: State) -> Packed:
        """Bring a state to the device."""
        put = self.device.put
        values = {name: put(self._by_row(name, x)) for name, x in state.values.items()}
        packed = Packed(
            state.copy(),
            values,
            [self.device.empty(values[f.variable].shape, f.real) for f in self._sweep.features],
            put(state.replicas.astype(np.uint32)),
            put(state.beta.astype(float)),
            put(np.concatenate([state.params.reshape(-1), [0.0]])),
            put(np.append(state.accepted.reshape(-1), 0)),
            put(state.law_table.astype(float)),
        )
        return packed

    def _by_row(self, variable: str, x: np.ndarray) -> np.ndarray:
        """(replicas, sites * components) as [component][row][replica]."""
        sites = self._layout.site_of[variable]
        return np.ascontiguousarray(x.reshape(len(x), len(sites), -1)[:, sites].transpose(2, 1, 0))

    def unpack(self, packed: Packed) -> State:
        """Copy back into plain arrays."""
        state = packed.state.copy()
        state.values = {name: self.values(packed, name) for name in packed.values}
        n = state.n_replicas * len(self.program.passes)
        state.accepted = self.device.get(packed.accepted)[:n].reshape(-1, state.n_replicas)
        return state

    def values(self, packed: Packed, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        by_row = self.device.get(packed.values[variable])
        x = np.empty_like(by_row)
        x[:, self._layout.site_of[variable]] = by_row
        return np.ascontiguousarray(x.transpose(2, 1, 0)).reshape(x.shape[2], -1)

    def set_beta(self, packed: Packed, beta: np.ndarray) -> None:
        """Give the replicas other inverse temperatures."""
        packed.state.beta = np.array(beta, float)
        packed.beta = self.device.put(packed.state.beta)

    # ---- kernels ------------------------------------------------------------------------------------

    def sweep(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place."""
        state = packed.state
        low, width = state.law_range
        self._sweep_kernel(
            self._items(packed),
            np.uint32(state.n_replicas),
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
            *self._arguments(packed, self._sweep, self._sweep_tables),
        )
        state.sweep += n

    def _items(self, packed: Packed) -> int:
        """Items of the largest stage of a sweep."""
        n = packed.state.n_replicas
        most = n
        for p in self.program.passes:
            if not p.exclusive:
                colors = np.diff(self.tables[p.segments].astype(np.int64))
                most = max(most, (int(colors.max(initial=0)) // TILE + 2) * TILE_LANES * n)
        return most

    def _arguments(self, packed: Packed, source: Source, tables: list[Any]) -> list[Any]:
        """What follows the first arguments of a kernel."""
        variables = self.program.model.variables
        sizes = [np.uint32(self.tables[name].shape[axis]) for name, axis in source.sizes]
        return [
            *packed.values.values(),
            *(np.uint32(v.n_sites) for v in variables),
            *packed.features[: len(source.features)],
            *tables,
            *sizes,
        ]

    @cached_property
    def _sweep_kernel(self):
        return self.device.compile(self._sweep.text, ["sweep"])["sweep"]

    @cached_property
    def _sweep_tables(self) -> list[Any]:
        return [self.device.put(self._layout.table(t)) for t in self._sweep.tables]

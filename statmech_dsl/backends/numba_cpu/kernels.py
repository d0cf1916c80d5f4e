"""The Numba backend's kernels: layout of the state, arguments, threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from statmech_dsl.backends.base import Measures, record, swept_energy
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.dense import DenseSweep
from statmech_dsl.backends.numba_cpu.dense_arrays import by_lookup, with_lookups
from statmech_dsl.backends.numba_cpu.dense_energy import DenseEnergy
from statmech_dsl.backends.numba_cpu.kernels_source import (
    feature_source,
    measure_source,
    sweep_source,
)
from statmech_dsl.backends.numba_cpu.layouts import BLOCK, ReplicaLanes, SiteLanes, choose_layout
from statmech_dsl.backends.numba_cpu.lookups import LINE
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State

WORTH_SHARING = 1 << 15
"""Sites of a color from which on threads share it: handing out work takes as long as some thousand sites."""
COPIED_AT_ONCE = 1 << 22
"""Numbers that wait for their new place when replicas are copied: memory for a few sites of each."""


@dataclass(eq=False)
class Packed:
    """A state in chunks of lanes: values [chunk, row, lane], numbers of a replica [chunk, lane].

    Lanes beyond the last replica repeat it under a number of its own; they are dropped when unpacked.
    ``features`` are functions of the values that neighbors read, of the same shape; ``fields`` are the cached
    fields of dense passes, ``fields_of`` the couplings that they belong to, ``buffers`` the memory that passes
    by lookup use while they run.
    """

    state: State
    values: dict[str, np.ndarray]
    features: list[np.ndarray]
    replicas: np.ndarray
    beta: np.ndarray
    params: list[np.ndarray]
    accepted: np.ndarray
    fields: list[dict[str, np.ndarray]] = field(default_factory=list)
    fields_of: Any = None
    buffers: list[dict[str, np.ndarray]] = field(default_factory=list)


def read_only(x: np.ndarray) -> np.ndarray:
    """A contiguous read-only view or copy: the type that kernels are compiled for."""
    view = np.ascontiguousarray(x).view()
    view.setflags(write=False)
    return view


class NumbaKernels:
    """Kernels of one program; compiled when first used, or taken from the cache on disk."""

    def __init__(self, program: Program, tables: Tables, n_replicas: int, threads: int) -> None:
        tables = {name: read_only(x) for name, x in tables.items()}
        program = with_lookups(program, tables)
        self.program, self.threads = program, threads
        self._colors = [p.times * (len(tables[p.segments]) - 1) for p in program.passes]
        self._n_sites = sum(p.times * len(tables[p.order]) for p in program.passes)
        layout = choose_layout(program, self._colors, self._n_sites, n_replicas)
        dense, lookups = (
            bool(program.passes) and all(p.dense for p in program.passes),
            by_lookup(program),
        )
        if dense and (lookups or n_replicas < 8):  # an empty lane would cost as much as a full one
            layout = ReplicaLanes(1)
        self.layout, self._sites = layout, isinstance(layout, SiteLanes)
        self.lanes = layout.lanes if isinstance(layout, ReplicaLanes) else 1
        self._dense = DenseSweep(program, tables, self.lanes) if dense else None
        self._sweep = self._dense.source if self._dense else sweep_source(program, tables, layout)
        self._energy = DenseEnergy(program.model, tables, threads) if lookups else None
        self._measured_in = SiteLanes() if lookups else layout
        measured = (
            replace(program, model=replace(program.model, families=())) if lookups else program
        )
        self._measure = measure_source(measured, tables, self._measured_in)
        self._compute = feature_source(program)
        self._tables = tables
        self._sweep_tables = [tables[name] for name in self._sweep.tables]
        self._measure_tables = [tables[name] for name in self._measure.tables]
        self._starts = np.cumsum([2, *(s.size for s in program.measured.sums)])
        self._sum_sizes = np.array([s.size for s in program.model.sums], np.int64)

    def replace_tables(self, new: Tables) -> None:
        """Exchange tables (couplings) for others of the same names and shapes; nothing is compiled.

        Cached fields, and whatever else follows from couplings, are computed afresh; states stay.
        """
        new = {name: read_only(x) for name, x in new.items()}
        self._tables = {**self._tables, **new}
        for source, arrays in (
            (self._sweep, self._sweep_tables),
            (self._measure, self._measure_tables),
        ):
            for k, name in enumerate(source.tables):
                if name in new:
                    arrays[k] = new[name]
        if self._dense:
            self._dense.replace_tables(new)
        if self._energy:
            self._energy.replace_tables(self._tables)

    def describe(self) -> str:
        """What the lanes of a vector hold."""
        if self._energy:
            return f"the lanes of a vector hold the sites of a color, {LINE} at a time"
        if isinstance(self.layout, SiteLanes):
            return f"the lanes of a vector hold the sites of a color, up to {BLOCK} at a time"
        if self.lanes == 1:
            return "the lanes of a vector hold one replica"
        return f"the lanes of a vector hold replicas, {self.lanes} at a time"

    def source(self) -> str:
        """Source of the sweep kernel."""
        return self._sweep.text

    def pack(self, state: State) -> Packed:
        """Bring a state into chunks."""
        values = {name: self._chunks(v, rows=True) for name, v in state.values.items()}
        packed = Packed(
            replace(state, values={}).copy(),
            values,
            [np.empty(values[f.variable].shape, f.stored) for f in self._sweep.features],
            self._chunks(state.replicas),
            self._chunks(state.beta),
            [self._chunks(p) for p in state.params],
            np.stack([self._chunks(a) for a in state.accepted])
            if len(state.accepted)
            else np.zeros((0, 1, 1), np.int64),
        )
        self.refresh(packed)
        return packed

    def refresh(self, packed: Packed) -> None:
        """Compute the features, after values were set from outside."""
        if packed.features:
            kernel = cache.load(self._compute.text)
            arguments = (*packed.values.values(), *packed.features)
            spread(lambda a, b: kernel(a, b, *arguments), len(packed.beta), self.threads)

    def _chunks(self, x: np.ndarray, rows: bool = False) -> np.ndarray:
        """Replicas to [chunk, lane] (or [chunk, row, lane]), the last one repeated as padding."""
        n = len(x)
        padded = -(-n // self.lanes) * self.lanes
        x = x[np.minimum(np.arange(padded), n - 1)] if padded > n else x
        x = x.reshape(padded // self.lanes, self.lanes, *x.shape[1:])
        return np.array(x.transpose(0, 2, 1) if rows else x, order="C")

    def unpack(self, packed: Packed) -> State:
        """Copy back into plain arrays."""
        n = packed.state.n_replicas
        state = packed.state.copy()
        state.values = {name: self.values(packed, name).copy() for name in packed.values}
        state.params = np.array([p.reshape(-1)[:n] for p in packed.params]).reshape(-1, n)
        state.accepted = self.accepted(packed)
        return state

    def set_beta(self, packed: Packed, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures, and the parameters that were tuned at them."""
        packed.state.beta = np.array(beta, float)
        packed.beta = self._chunks(packed.state.beta)
        if params is not None:
            packed.params = [self._chunks(p) for p in params]

    def take(self, packed: Packed, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has; what follows from them goes along."""
        arrays = [*packed.values.values(), *packed.features]
        for fields in packed.fields:
            arrays += [x if name == "seen" else x.swapaxes(1, 2) for name, x in fields.items()]
        to = np.flatnonzero(rows != np.arange(len(rows)))
        (c, lane), (c0, lane0) = divmod(to, self.lanes), divmod(rows[to], self.lanes)
        some = max(1, COPIED_AT_ONCE // max(len(to), 1))
        for x in arrays:
            for a in range(0, x.shape[1], some):
                x[c, a : a + some, lane] = x[c0, a : a + some, lane0]

    def accepted(self, packed: Packed) -> np.ndarray:
        """Moves that each replica has accepted so far, shape (passes, replicas)."""
        n = packed.state.n_replicas
        return packed.accepted.reshape(len(packed.accepted), -1)[:, :n].copy()

    def values(self, packed: Packed, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        x = packed.values[variable]
        return x.transpose(0, 2, 1).reshape(-1, x.shape[1])[: packed.state.n_replicas]

    def sweep(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place."""
        if self._dense:
            self._dense(packed, n, self.threads)
            return
        if self._within_colors(len(packed.beta)):
            self._sweep_within_colors(packed, n)
        else:
            whole = (0, sum(self._colors), 0, 1) if self._sites else ()
            work = self._bound(packed, packed.accepted)
            spread(
                lambda a, b: work(a, b, n, packed.state.sweep, whole),
                len(packed.beta),
                self.threads,
            )
        packed.state.sweep += n

    def _bound(self, packed: Packed, accepted: np.ndarray) -> Callable[..., None]:
        """The kernel as a function of chunks, number of sweeps, first sweep, and which part of each."""
        kernel, state = cache.load(self._sweep.text), packed.state
        low, width = state.law_range
        numbers = (np.uint64(state.seed), packed.replicas, packed.beta, accepted)
        rest = (
            state.law_table,
            low,
            1.0 / width,
            *packed.params,
            *packed.values.values(),
            *packed.features,
            *self._sweep_tables,
        )
        return lambda a, b, n, t, part: kernel(a, b, self._sum_sizes, n, t, *numbers, *part, *rest)

    def _within_colors(self, n_chunks: int) -> bool:
        """Whether threads share the sites of a color, as there are too few replicas to share."""
        large = self._n_sites >= WORTH_SHARING * sum(self._colors)
        return self._sites and n_chunks < self.threads and large

    def _sweep_within_colors(self, packed: Packed, n: int) -> None:
        """Color after color; each thread counts acceptances for itself."""
        counts = [np.zeros_like(packed.accepted) for _ in range(self.threads)]
        works = [self._bound(packed, accepted) for accepted in counts]
        for c in range(len(packed.beta)):
            for t in range(packed.state.sweep, packed.state.sweep + n):
                for stage in range(sum(self._colors)):
                    part = (stage, stage + 1)
                    spread(
                        lambda a, b: works[a](c, c + 1, 1, t, (*part, a, self.threads)),  # noqa: B023
                        self.threads,
                        self.threads,
                    )
        packed.accepted += sum(counts)

    def energy(self, packed: Packed) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        if self._energy:
            tempered = self._energy(packed.values)
            return tempered, np.zeros_like(tempered)
        tempered, fixed, _ = self.measure(packed)
        return tempered, fixed

    def swept_energy(self, packed: Packed, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then. See `swept_energy.py`."""
        rest = self._dense.rest if self._dense and n else None
        if self._dense and rest:
            return self._dense.swept_energy(packed, n, self.threads, rest)
        return swept_energy(self, packed, n)

    def record(self, packed: Packed, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times."""
        return record(self, packed, draws, thin)

    def measure(self, packed: Packed) -> Measures:
        """Both energies, and the elements of all sums of ``program.measured``."""
        kernel, (chunks, lanes) = cache.load(self._measure.text), packed.beta.shape
        out = np.empty((chunks, int(self._starts[-1]), lanes))
        states = packed.values.values()
        if isinstance(self._measured_in, SiteLanes):
            states = [x.reshape(x.shape[:2]) for x in states]
        arguments = (self._sum_sizes, self._starts, out, *states, *self._measure_tables)
        spread(lambda a, b: kernel(a, b, *arguments), chunks, self.threads)
        rows = out.transpose(1, 0, 2).reshape(-1, chunks * lanes)[:, : packed.state.n_replicas]
        if self._energy:
            rows[0] = self._energy(packed.values)
        return rows[0], rows[1], rows[2:].T

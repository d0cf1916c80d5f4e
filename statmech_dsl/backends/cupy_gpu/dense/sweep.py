"""Sweeps of dense programs: products and kernels in turn, queued without waiting for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.backends.cupy_gpu.dense.panels import DenseArrays, Panel
from statmech_dsl.backends.cupy_gpu.dense.source import (
    decide_source,
    gather_source,
    words_source,
)
from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.kernel import Kernel, Packed
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.rng import TILE, TILE_LANES

Step = Callable[[np.uint32], None]
"""Queues a product or kernel of the sweep that it is given."""


class DenseSweep:
    """Sweeps of a program whose passes are all dense."""

    def __init__(self, program: Program, layout: Layout, device: Device) -> None:
        self._device = device
        self.passes = [_Pass(p, z, program, layout, device) for z, p in enumerate(program.passes)]

    @property
    def kernels(self) -> list[Kernel]:
        """All that are launched."""
        return [k for q in self.passes for k in q.kernels]

    def source(self) -> str:
        """Sources of all kernels."""
        return "\n".join(k.source.text for k in self.kernels)

    def __call__(self, packed: Packed, n: int) -> None:
        """Do n sweeps in place."""
        first = packed.state.sweep
        for sweep in range(first, first + n):
            for step in self._steps(packed):
                step(np.uint32(sweep))
        packed.state.sweep += n

    def _steps(self, packed: Packed) -> list[Step]:
        """The steps of a sweep, kept while the arrays that they were given are those of the state."""
        given = (packed.values, packed.beta)
        if packed.kept is None or any(
            a is not b for a, b in zip(packed.kept[0], given, strict=True)
        ):
            buffers = self._buffers(packed.state.n_replicas)
            steps = [step for q in self.passes for step in q.steps(packed, buffers)]
            packed.kept = given, steps
        return packed.kept[1]

    def _buffers(self, n_replicas: int) -> Buffers:
        rows = [2 * (f.last - f.first) for q in self.passes for f in q.arrays.panels]
        in_turn = any(q.in_turn for q in self.passes)
        return Buffers(
            self._device.empty(
                (max(q.arrays.n_sources for q in self.passes), n_replicas), np.float32
            ),
            self._device.empty((max(rows), n_replicas), np.float32),
            self._device.empty((TILE if in_turn else 1, n_replicas), np.uint32),
        )


@dataclass(frozen=True, eq=False)
class Buffers:
    """What all passes use in turn: sources as 0 and 1, fields of a panel, random words of a tile."""

    bits: Any
    fields: Any
    words: Any


class _Pass:
    def __init__(
        self, p: LoweredPass, number: int, program: Program, layout: Layout, device: Device
    ) -> None:
        self._device = device
        self.arrays = DenseArrays(p, layout)
        self.in_turn = self.arrays.form.method == "fields"
        self._gather = Kernel("gather", gather_source(p, program), layout, device)
        self._words = Kernel("words", words_source(p, number, program, layout), layout, device)
        self._decide = Kernel("decide", decide_source(p, number, program, layout), layout, device)
        self._by_rank = [device.put(x) for x in self.arrays.by_rank]
        self._panels = [(device.put(f.digits), device.put(f.matrix)) for f in self.arrays.panels]

    @property
    def kernels(self) -> list[Kernel]:
        """Those that are launched."""
        return [self._gather, *([self._words] if self.in_turn else []), self._decide]

    def steps(self, packed: Packed, buffers: Buffers) -> Iterator[Step]:
        """What one sweep of the pass queues."""
        n, seed = packed.state.n_replicas, np.uint64(packed.state.seed)
        factors = [self._device.put(x) for x in self.arrays.units.factors(packed.state.beta)]
        yield _step(self._gather, self.arrays.n_sources * n, packed, [buffers.bits])
        for f, (digits, matrix) in zip(self.arrays.panels, self._panels, strict=True):
            tile = f.first // TILE
            if self.in_turn and f.first % TILE == 0:
                own = [seed, np.uint32(tile), packed.replicas, buffers.words]
                yield _step(self._words, TILE_LANES * n, packed, own)
            bits, fields = buffers.bits[f.begin : f.end], buffers.fields[: len(digits)]
            yield self._product(digits, bits, fields)
            yield _step(
                self._decide,
                self._items(f) * n,
                packed,
                [
                    seed,
                    np.uint32(f.first),
                    np.uint32(f.last),
                    packed.replicas,
                    packed.beta,
                    *factors,
                    fields,
                    buffers.bits,
                    np.uint32(f.begin),
                    np.uint32(f.end - f.begin),
                    matrix,
                    digits,
                    buffers.words,
                    np.float64(self.arrays.base),
                    *self._by_rank,
                ],
            )

    def _product(self, digits: Any, bits: Any, fields: Any) -> Step:
        return lambda sweep: self._device.matmul(digits, bits, fields)

    def _items(self, f: Panel) -> int:
        tiles = -(-f.last // TILE) - f.first // TILE
        return 1 if self.in_turn else tiles * TILE_LANES


def _step(kernel: Kernel, items: int, packed: Packed, own: list[Any]) -> Step:
    """A launch of a kernel whose first own parameter is the number of the sweep."""
    launch = kernel.launch
    replicas, *others = kernel.arguments(packed, own)
    return lambda sweep: launch(items, replicas, sweep, *others)

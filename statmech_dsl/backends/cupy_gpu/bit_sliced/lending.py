"""States as bytes beside those as bits: for moves that ask for values, on the same device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.backends.cupy_gpu.bit_sliced.layout import GROUP, Layout
from statmech_dsl.backends.cupy_gpu.device import Device, Launch
from statmech_dsl.backends.cupy_gpu.kernel import Packed
from statmech_dsl.backends.cupy_gpu.runtime import runtime
from statmech_dsl.backends.cupy_gpu.source import THREADS
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES
from statmech_dsl.backends.numba_cpu.bit_sliced.words import Slots
from statmech_dsl.ir.model import Variable

_KERNEL = """
extern "C" __global__ void __launch_bounds__({threads}) {name}(
    u64* meeting, const u32 R, const u32 n, const u32* word_of, const u32* bit_of, const u64 stride,
    const u64* begin, const u32* lane, {word}* words, {value}* x, const {value} low, const {value} high) {{
    EACH(item, (u64)n * R) {{
        const u32 r = item % R, i = item / R;
        {word}* const here = words + word_of[i] * stride + begin[r];
        const {word} bit = ({word})1 << (bit_of[i] + lane[r]);
        {copy}
    }}
}}
"""
_COPY = {
    "spread": "x[item] = *here & bit ? high : low;",
    "gather": "if (((*here & bit) != 0) != (x[item] == high)) atomicXor(here, bit);",
}
"""Bits to bytes, and back: that touches only bits that have changed, as several threads write to a word."""


@dataclass(frozen=True, eq=False)
class Lent:
    """The plain state of some replicas, and where theirs begins among the words of a site."""

    plain: Packed
    begin: Any
    lane: Any


class Lending:
    """Copies the values of all sites of all replicas between bits and bytes."""

    def __init__(self, variables: tuple[Variable, ...], layout: Layout, device: Device) -> None:
        self._variables, self._layout, self._device = variables, layout, device
        self._compiled: dict[str, Mapping[str, Launch]] = {}
        self._sites = {v.name: tuple(map(device.put, self._places(v.name))) for v in variables}

    def _places(self, variable: str) -> tuple[np.ndarray, np.ndarray]:
        """For each site the number of its word, and the bit in it where those of replicas begin."""
        rows = self._layout.rows[variable][:-1]
        if (fold := self._layout.fold) is not None:
            return np.tile(rows, fold), np.repeat(np.arange(fold, dtype=np.uint32), len(rows))
        quarter = GROUP // 4
        return rows // GROUP * quarter + rows % quarter, rows % GROUP // quarter * np.uint32(8)

    def open(self, plain: Packed, slots: Slots, words: Mapping[str, Any]) -> Lent:
        """What is lent: a state with any values."""
        begin, lane = slots.lane // 8, slots.lane % 8
        if slots.fold is not None:
            (rows,) = {x.shape[1] for x in words.values()}
            begin, lane = slots.lane * rows, np.zeros_like(slots.lane)
        put = self._device.put
        return Lent(plain, put(begin.astype(np.uint64)), put(lane.astype(np.uint32)))

    def copy(self, how: str, words: Mapping[str, Any], lent: Lent) -> None:
        """Copy all values: ``spread`` or ``gather``."""
        n = lent.plain.state.n_replicas
        for v in self._variables:
            word_of, bit_of = self._sites[v.name]
            stride = 1 if self._layout.fold is not None else words[v.name].shape[1]
            dtype = np.dtype(v.domain.storage_dtype)
            low, high = (dtype.type(x) for x in v.domain.values or ())
            self._kernels(dtype.name)[how](
                v.n_sites * n,
                *(np.uint32(n), np.uint32(v.n_sites)),
                *(word_of, bit_of, np.uint64(stride), lent.begin, lent.lane),
                *(words[v.name], lent.plain.values[v.name], low, high),
            )

    def source(self, dtype: str) -> str:
        """Source of the kernels for values of a type."""
        word = "u32" if self._layout.fold is None else "u64"
        given = {"threads": THREADS, "word": word, "value": C_TYPES[dtype]}
        kernels = (_KERNEL.format(name=name, copy=copy, **given) for name, copy in _COPY.items())
        return "\n".join([runtime(), *kernels])

    def _kernels(self, dtype: str) -> Mapping[str, Launch]:
        if dtype not in self._compiled:
            self._compiled[dtype] = self._device.compile(self.source(dtype), list(_COPY))
        return self._compiled[dtype]

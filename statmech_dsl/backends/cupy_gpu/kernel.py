"""A state on a device, and kernels with what they take of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from statmech_dsl.backends.cupy_gpu.device import Device, Launch
from statmech_dsl.backends.cupy_gpu.source import Source
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.state import State


@dataclass(eq=False)
class Packed:
    """A state on the device.

    ``values`` and ``features`` are [component][row][replica], ``sums`` [element][replica]; ``state`` has
    the counters, its values are those of the beginning.
    """

    state: State
    values: dict[str, Any]
    features: list[Any]
    sums: list[Any]
    energy: Any
    replicas: Any
    beta: Any
    params: Any
    accepted: Any
    law_table: Any
    kept: Any = None
    """What sweeps keep between calls."""


class Kernel:
    """A kernel on a device, compiled when first launched, with its tables."""

    def __init__(self, name: str, source: Source, layout: Layout, device: Device) -> None:
        self.name, self.source, self._layout, self._device = name, source, layout, device

    @cached_property
    def launch(self) -> Launch:
        """Launches with all arguments; see `arguments`."""
        return self._device.compile(self.source.text, [self.name])[self.name]

    @cached_property
    def _tables(self) -> list[Any]:
        layout = self._layout
        tables = [self._device.put(layout.table(t)) for t in self.source.tables]
        return [*tables, *(np.uint32(layout.length(*s)) for s in self.source.sizes)]

    def __call__(
        self, items: int, packed: Packed, first: list[Any], more_sums: tuple[Any, ...] = ()
    ) -> None:
        """Launch; ``first`` are the kernel's own parameters."""
        self.launch(items, *self.arguments(packed, first, more_sums))

    def arguments(
        self, packed: Packed, first: list[Any], more_sums: tuple[Any, ...] = ()
    ) -> list[Any]:
        """The number of replicas, the kernel's own parameters, and the others."""
        rows = [np.uint32(len(sites)) for sites in self._layout.site_of.values()]
        features = packed.features if self.source.features else []
        states = [*packed.values.values(), *rows, *features, *packed.sums, *more_sums]
        return [np.uint32(packed.state.n_replicas), *first, *states, *self._tables]

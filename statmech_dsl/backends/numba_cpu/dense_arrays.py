"""The arrays of a dense pass that follow from its couplings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statmech_dsl.backends.couplings import Couplings, Incidences, Steps, Units, in_steps
from statmech_dsl.backends.numba_cpu.dense_energy import in_pairs
from statmech_dsl.backends.numba_cpu.lookups import CODES, FOUR, LINE
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.ir.model import ModelIR, Tables

LIMIT = {"fields": 2**30, "products": 2**24}
"""Largest sums of steps: of integers of 32 bits, and of whole numbers in float32."""
MOST_LOOKUPS = 1 << 22
"""Bytes of tables up to which looking up sums costs less than a matrix product."""
CACHE_LINE = 16
"""Numbers of 32 bits in a cache line."""


def with_lookups(program: Program, tables: Tables) -> Program:
    """The program, its products by lookup if its passes have one color each and small tables.

    Couplings within a pass, or tables beyond the caches, need the other methods.
    """
    model, size = program.model, 0
    for p in program.passes:
        if p.dense is None or p.dense.method != "products" or len(tables[p.segments]) != 2:
            return program
        n_sources = sum(model.variable(v).n_sites for v in p.dense.sources)
        size += -(-len(tables[p.order]) // LINE) * -(-n_sources // FOUR) * CODES * LINE * 4
    if size > MOST_LOOKUPS or not in_pairs(model):
        return program
    passes = [
        replace(p, dense=replace(p.dense, method="lookups")) for p in program.passes if p.dense
    ]
    return replace(program, passes=tuple(passes))


def by_lookup(program: Program) -> bool:
    """Whether all fields of a program come about by lookup."""
    return any(p.dense is not None and p.dense.method == "lookups" for p in program.passes)


class DenseArrays:
    """What the kernel takes for one pass, by name, besides the cached fields and what beta decides."""

    def __init__(self, p: LoweredPass, model: ModelIR, tables: Tables) -> None:
        assert p.dense is not None
        self.form: DenseForm = p.dense
        self.sizes = [model.variable(v).n_sites for v in self.form.sources]
        self.first = np.cumsum([0, *self.sizes])
        lows = [min(model.variable(v).domain.values or (0.0,)) for v in self.form.sources]
        self.lows = np.repeat(lows, self.sizes).astype(np.int8)
        self.incidences = Incidences(p, model, tables)
        self.order, self.segments = tables[p.order], tables[p.segments]
        self.follow(tables)

    def follow(self, tables: Tables) -> None:
        """Take other couplings."""
        exact = self.incidences(tables)
        steps = in_steps(exact, LIMIT[self.form.method])
        self.units = Units(steps)
        self.arrays = {"scale": self.units.scale, "slack": self.units.slack}
        if self.form.method == "fields":
            self._by_source(steps)
        else:
            self._by_color(steps, exact, self.segments)

    def _by_source(self, steps: Steps) -> None:
        """A row for each source, over the ranks; one more cache line keeps rows off a common cache set."""
        n, n_sources = steps.steps.shape
        width = -(-n // CACHE_LINE) * CACHE_LINE + CACHE_LINE
        rows, self.offset = np.zeros((n_sources, width), np.int32), np.zeros(width, np.int32)
        rows[:, :n], self.offset[:n] = steps.steps.T, steps.offset
        self.arrays |= {"steps": rows, "first": self.first}

    def _by_color(self, steps: Steps, exact: Couplings, segments: np.ndarray) -> None:
        """A block for each color, over the sources that it is coupled to."""
        colors, members = [], []
        rounded, blocks = [], []
        n_entries = n_members = 0
        for a, b in zip(segments, segments[1:], strict=False):
            found = np.flatnonzero(exact.matrix[a:b].any(0))
            variable = np.searchsorted(self.first, found, "right") - 1
            cuts = n_members + np.searchsorted(found, self.first)
            end = n_entries + (b - a) * len(found)
            colors.append([a, b, n_entries, end, *cuts])
            members.append(found - self.first[variable])
            rounded.append(steps.steps[a:b, found].ravel())
            blocks.append(exact.matrix[a:b, found].ravel())
            n_entries, n_members = end, n_members + len(found)
        self.arrays |= {
            "steps": np.concatenate(rounded).astype(np.float32),
            "offset": steps.offset.astype(np.float32),
            "colors": np.array(colors, np.int64),
            "members": np.concatenate(members),
            "matrix": np.concatenate(blocks),
            "constant": exact.offset,
            "error": exact.error,
        }

    def factors(self, beta: np.ndarray) -> dict[str, np.ndarray]:
        """What beta decides; see `Units`."""
        return dict(zip(("exponent", "width"), self.units.factors(beta), strict=True))

    def fresh_fields(self, chunks: int, lanes: int) -> dict[str, np.ndarray]:
        """Fields, and the states they account for: all sources have their low values."""
        if self.form.method != "fields":
            return {}
        return {
            "fields": np.tile(self.offset, (chunks, lanes, 1)),
            "seen": np.tile(self.lows[:, None], (chunks, 1, lanes)),
        }

    def buffers(self, chunks: int) -> dict[str, np.ndarray]:
        """Memory that the pass uses while it runs."""
        return {}

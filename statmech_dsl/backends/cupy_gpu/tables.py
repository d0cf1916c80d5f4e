"""Tables of kernels: a program's index tables as rows, its coefficients in the order in which they are read.

Rows are sites in rank order, clamped sites after; so the neighbors of neighboring ranks often have neighboring
rows, and an index table shrinks to one base for 16 ranks.
"""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.cupy_gpu.names import Table
from statmech_dsl.backends.cupy_gpu.parts import parts
from statmech_dsl.backends.cupy_gpu.reach import reach
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import TILE_LANES

FOLLOWS = np.uint32(1 << 31)
"""Set in a base whose entries follow it."""


class Layout:
    """Where the sites of a program lie, and its tables in those terms."""

    def __init__(self, program: Program, tables: Tables) -> None:
        self.program, self.tables = program, tables
        model, measured = program.model, program.measured
        self._families = {f.name: f for f in model.families + measured.families}
        self._sum_sizes = {s.name: s.size for s in model.sums + measured.sums}
        # Rank k of a reversed pass is row n - 1 - k.
        orders = {p.variable: tables[p.order][:: -1 if p.reversed else 1] for p in program.passes}
        self.site_of: dict[str, np.ndarray] = {}
        """The sites of each variable by row."""
        self._row_of: dict[str, np.ndarray] = {}
        self._distinct: list[str] = []
        for v in program.model.variables:
            sites = np.arange(v.n_sites, dtype=np.uint32)
            ranked = orders.get(v.name, sites[:0])
            self.site_of[v.name] = np.concatenate([ranked, np.setdiff1d(sites, ranked)])
            self._row_of[v.name] = np.empty(v.n_sites, np.uint32)
            self._row_of[v.name][self.site_of[v.name]] = sites

    def alike(self, index: str) -> str:
        """The first index table with the same entries: components of a neighbor have a table each."""
        table = self.tables[index]
        for name in self._distinct:
            if np.array_equal(self.tables[name], table):
                return name
        self._distinct.append(index)
        return index

    def follow(self, index: str, variable: str) -> bool:
        """Whether the rows of an index table mostly follow each other in groups of 16 ranks."""
        bases = self._bases(index, variable)
        return bool((bases >= FOLLOWS).mean() > 0.5)

    def uniform(self, t: Table) -> bool:
        """Whether all elements of a table are the same."""
        x = self.table(t)
        return bool(x.size and (x == x.flat[0]).all())

    def table(self, t: Table) -> np.ndarray:
        """The array of a table."""
        match t.how:
            case "copy":
                return self.tables[t.name].astype(t.dtype)
            case "rows":
                return self._row_of[t.of][self.tables[t.name]]
            case "row_of":
                return self._row_of[t.of]
            case "bases":
                return self._bases(t.name, t.of)
            case "values":
                with np.errstate(over="ignore"):  # beyond float32 everything is too close to call
                    values = self.tables[t.of].astype(t.dtype)
                return values[self.tables[t.name]] if t.name else values
            case "reach":
                return reach(self.program.passes[int(t.name)], int(t.of), self.tables)
            case "parts" | "starts":
                f = self._families[t.name]
                size = 1 if f.feeds is None else self._sum_sizes[f.feeds]
                element = None if f.element is None else self.tables[f.element]
                n = f.n_instances(self.tables)
                rows, starts = parts(element, n, size, t.of == "several")
                return (rows if t.how == "parts" else starts).astype(t.dtype)
        raise NotImplementedError(t.how)

    def length(self, t: Table, axis: int) -> int:
        """Length of an axis of a table."""
        return (self.tables[t.name] if t.how == "copy" else self.table(t)).shape[axis]

    def _bases(self, index: str, variable: str) -> np.ndarray:
        rows = self._row_of[variable][self.tables[index]]
        missing = -rows.shape[1] % TILE_LANES
        steps = np.arange(missing, dtype=np.uint32) + np.uint32(1)
        rows = np.concatenate([rows, rows[:, -1:] + steps], axis=1)
        groups = rows.reshape(len(rows), -1, TILE_LANES)
        follow = (np.diff(groups.astype(np.int64), axis=2) == 1).all(axis=2)
        return groups[:, :, 0] | np.where(follow, FOLLOWS, np.uint32(0))

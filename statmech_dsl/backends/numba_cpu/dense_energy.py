"""Energies of models whose two-valued sites are coupled in pairs: sums of couplings by lookup, in float64.

With n = 1 where a site has its high value and 0 elsewhere, any such energy is
``constant + sum_i n_i (linear_i + sum_j pairs_ij n_j)``. Its terms are added up in another order than those of
the definition: the energy differs in its last digits.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from statmech_dsl.backends.numba_cpu.lookups import (
    CODES,
    FOUR,
    LINE,
    TOGETHER,
    add_lines,
    encode,
    lines_of,
    padded,
    sum_raised,
)
from statmech_dsl.backends.numba_cpu.runtime import row
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.compiled import compiled
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables

AT_ONCE = 64
"""Replicas whose bits are kept."""


def in_pairs(model: ModelIR) -> bool:
    """Whether all energy is that of two-valued sites and of pairs of them, and T divides it."""
    return not model.sums and all(
        f.tempered
        and len(_states(f)) <= 2
        and all(_two_bytes(model.variable(c.array).domain) for c in _states(f))
        for f in model.energy_families
    )


def _two_bytes(domain: Domain) -> bool:
    return len(domain.values or ()) == 2 and domain.storage_dtype == "int8"


def _states(f: Family) -> list[Column]:
    return [c for c in f.columns if c.kind == "state"]


Pairs = dict[tuple[str, str], np.ndarray]
"""Matrices by the variables of their rows and columns."""


def polynomial(model: ModelIR, tables: Tables) -> tuple[float, dict[str, np.ndarray], Pairs]:
    """The energy of a model `in_pairs`: its constant, what sites add by variable, and what pairs add."""
    constant, pairs = 0.0, {}
    linear = {v.name: np.zeros(v.n_sites) for v in model.variables}
    for f in model.energy_families:
        constant += _add(f, model, tables, linear, pairs)
    return constant, linear, pairs


def _add(
    f: Family, model: ModelIR, tables: Tables, linear: dict[str, np.ndarray], pairs: Pairs
) -> float:
    """Add the instances of a family; their energy where all sites have their low values."""
    states = _states(f)
    shape = f.n_instances(tables)
    ends = [
        (c.array, np.broadcast_to(0 if c.index is None else tables[c.index], shape).astype(int))
        for c in states
    ]
    at: dict[tuple[int, ...], np.ndarray] = {
        high: np.broadcast_to(_value(f, model, tables, dict(zip(states, high, strict=True))), shape)
        for high in product((0, 1), repeat=len(states))
    }
    none = (0,) * len(states)
    for k, (name, sites) in enumerate(ends):
        alone = tuple(int(n == k) for n in range(len(states)))
        linear[name] += np.bincount(sites, at[alone] - at[none], len(linear[name]))
    if len(states) == 2:
        together = at[1, 1] - at[1, 0] - at[0, 1] + at[0, 0]
        (a, i), (b, j) = ends
        if len(linear[a]) < len(linear[b]):  # long rows fill lines
            (a, i), (b, j) = (b, j), (a, i)
        shape = len(linear[a]), len(linear[b])
        np.add.at(pairs.setdefault((a, b), np.zeros(shape)), (i, j), together)
    return float(at[none].sum())


def _value(f: Family, model: ModelIR, tables: Tables, high: dict[Column, int]):
    def read(c: Column):
        if c.kind == "state":
            return (model.variable(c.array).domain.values or ())[high[c]]
        return tables[c.array][0 if c.index is None else tables[c.index]]

    return evaluate(f.expr, [read(c) for c in f.columns], {})


@dataclass(frozen=True, eq=False)
class Part:
    """``sum_i n_i (start_i + sum_j pairs_ij n_j)`` over the sites i of one variable and j of another.

    ``lines`` is the table of the pairs; see `lookups`.
    """

    rows: str
    columns: str
    start: np.ndarray
    lines: np.ndarray


class DenseEnergy:
    """Energies of replicas, one replica in a chunk; ``threads`` share them."""

    def __init__(self, model: ModelIR, tables: Tables, threads: int) -> None:
        self.model, self.threads = model, threads
        self._sum: tuple[float, list[Part]] | None = None
        self.replace_tables(tables)

    def replace_tables(self, tables: Tables) -> None:
        """Follow other couplings, once an energy is asked for."""
        self._tables, self._sum = tables, None

    @property
    def sum(self) -> tuple[float, list[Part]]:
        """The constant, and what depends on states."""
        if self._sum is None:
            self._sum = self._parts()
        return self._sum

    def _parts(self) -> tuple[float, list[Part]]:
        constant, linear, pairs = polynomial(self.model, self._tables)
        parts = []
        for (rows, columns), x in pairs.items():
            alone = padded(linear.pop(rows, np.zeros(len(x))))
            parts.append(Part(rows, columns, alone, lines_of(x, np.float64).ravel()))
        none = np.zeros(0)
        parts += [Part(name, name, padded(x), none) for name, x in linear.items() if x.any()]
        return constant, parts

    def __call__(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Energies, given states of variables by [replica, site]."""
        values = {name: x.reshape(len(x), -1) for name, x in values.items()}
        n = len(next(iter(values.values())))
        constant, parts = self.sum
        out = np.full(n, constant)
        for p in parts:
            ends = (
                values[p.rows],
                self._high(p.rows),
                values[p.columns],
                self._high(p.columns),
            )
            spread(lambda a, b: add_part(a, b, *ends, p.start, p.lines, out), n, self.threads)  # noqa: B023
        return out

    def _high(self, name: str) -> np.int8:
        return np.int8((self.model.variable(name).domain.values or (0, 0))[1])


@compiled
def add_part(c0, c1, rows, high_row, columns, high_column, start, lines, out):
    """Add a `Part` to the energies of replicas, some at a time: what is looked up stays in the cache."""
    n, width, flat = rows.shape[1], start.shape[0], rows.reshape(-1)
    n_columns, flat_columns = columns.shape[1], columns.reshape(-1)
    fours = lines.shape[0] // (width * CODES)
    stride = -(-n_columns // TOGETHER) * TOGETHER // FOUR
    codes, tail = np.empty(AT_ONCE * stride, np.uint8), np.full(TOGETHER, np.int8(high_column - 1))
    sums, rest = row(LINE, np.float64), row(LINE, np.int8)
    for a in range(c0, c1, AT_ONCE):
        b = min(a + AT_ONCE, c1)
        for c in range(a, b):
            encode(
                flat_columns, c * n_columns, n_columns, high_column, tail, codes, (c - a) * stride
            )
        for k in range(0, width, LINE):
            first, m = k // LINE * fours * CODES, n - k
            for c in range(a, b):
                add_lines(sums, 0, start, k, lines, first, codes, (c - a) * stride, fours, LINE)
                if m >= LINE:
                    out[c] += sum_raised(sums, 0, flat, c * n + k, high_row)
                else:
                    rest[:m] = rows[c, k:]
                    out[c] += sum_raised(sums, 0, rest, 0, high_row)

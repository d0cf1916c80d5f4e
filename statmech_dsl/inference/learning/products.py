"""Energy terms that are products of a coefficient and one or two sites: matrices do their work.

Whatever runs over such terms one by one, statistics and fields of many states, becomes a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from statmech_dsl.inference.problem.space import Arrays
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import Values, rows

DENSE = 0.2
"""Instances, as a part of all pairs of sites, from which a matrix product pays."""


@dataclass(frozen=True, eq=False)
class Product:
    """A family of terms factor * c * x, or factor * c * x * y.

    ``a`` and ``b`` are the variables x and y with the row of each instance; without y, b is "" and its rows
    are 0. ``table`` is the coefficient with the entry of each instance; "" if there is none.
    """

    factor: float
    table: str
    entry: np.ndarray
    a: str
    a_rows: np.ndarray
    b: str
    b_rows: np.ndarray
    shape: tuple[int, int]

    @property
    def n(self) -> int:
        """Number of instances."""
        return len(self.a_rows)

    @property
    def dense(self) -> bool:
        """Whether a matrix over all pairs is worth it."""
        return not self.b or self.n >= DENSE * self.shape[0] * self.shape[1]

    @cached_property
    def at(self) -> np.ndarray:
        """Place of each instance in the matrix, row after row."""
        return self.a_rows * self.shape[1] + self.b_rows

    @cached_property
    def _whole(self) -> bool:
        """Whether the instances are the elements of the matrix in their order."""
        return self.n == self.shape[0] * self.shape[1] and bool(
            (self.at == np.arange(self.n)).all()
        )

    @cached_property
    def _own_entry(self) -> bool:
        """Whether instance m reads entry m, and there are no others."""
        return bool((self.entry == np.arange(self.n)).all())

    def matrix(self, tables: Tables) -> np.ndarray:
        """Couplings of all pairs: the energy is x^T C y."""
        each = self.factor * (tables[self.table] if self.table else np.ones(1))
        each = each if self.table and self._own_entry and len(each) == self.n else each[self.entry]
        if self._whole:
            return each.reshape(self.shape)
        out = np.zeros(self.shape)
        np.add.at(out.reshape(-1), self.at, each)
        return out

    def add_mean(self, out: np.ndarray, values: Values) -> None:
        """Add the mean slope by each entry of the table over states."""
        x = values[self.a]
        n = x.shape[1]
        y = values[self.b] if self.b else np.ones((1, n), x.dtype)
        pairs = (x @ y.T).reshape(-1)
        each = pairs if self._whole else pairs[self.at]
        if self._own_entry and len(out) == self.n:
            out += (self.factor / n) * each
        else:
            out += (self.factor / n) * np.bincount(self.entry, each, len(out))


def product_of(f: Family, ir: ModelIR, tables: Tables) -> Product | None:
    """A family as products; None if it is something else."""
    found = _factors(f.expr)
    if found is None or f.feeds is not None:
        return None
    factor, slots = found
    columns = [f.columns[k] for k in slots]
    states = [c for c in columns if c.kind == "state"]
    others = [c for c in columns if c.kind == "coefficient"]
    if not 1 <= len(states) <= 2 or len(states) + len(others) < len(columns) or len(others) > 1:
        return None
    n = f.n_instances(tables)
    entry = _column(others[0], tables, n) if others else np.zeros(n, np.int64)
    sides = [(c.array, np.broadcast_to(rows(c, ir, tables), n)) for c in states]
    sides += [("", np.zeros(n, np.int64))] * (2 - len(states))
    if len(states) == 2 and _first(sides[0][1]) > _first(sides[1][1]):
        sides.reverse()  # the slower index first, so that a grid lies in the order of its matrix
    (a, a_rows), (b, b_rows) = sides
    sizes = {v.name: v.n_sites * v.domain.components for v in ir.variables} | {"": 1}
    table = others[0].array if others else ""
    return Product(factor, table, entry, a, a_rows, b, b_rows, (sizes[a], sizes[b]))


def _first(index: np.ndarray) -> int:
    """Row of the second instance: a slow index stays where it began."""
    return int(index[min(1, len(index) - 1)] - index[0])


def _column(c: Column, tables: Tables, n: int) -> np.ndarray:
    return np.zeros(n, np.int64) if c.index is None else tables[c.index].astype(np.int64)


def _factors(e: Expr) -> tuple[float, list[int]] | None:
    """A constant times slots, each once; None if it is something else."""
    match e.op:
        case "const":
            return float(e.attr), []  # type: ignore[arg-type]
        case "slot":
            return 1.0, [int(e.attr)]  # type: ignore[arg-type]
        case "neg":
            inner = _factors(e.args[0])
            return inner and (-inner[0], inner[1])
        case "mul":
            left, right = map(_factors, e.args)
            if left is None or right is None or set(left[1]) & set(right[1]):
                return None
            return left[0] * right[0], left[1] + right[1]
    return None


class Statistics:
    """Mean slopes of the energy of states by the entries of coupling tables."""

    def __init__(self, ir: ModelIR, tables: Tables, couplings: tuple[str, ...]) -> None:
        self.tables, self.couplings = tables, couplings
        found = {f.name: product_of(f, ir, tables) for f in ir.families}
        self._products = [p for p in found.values() if p and p.dense and p.table in couplings]
        dense = {name for name, p in found.items() if p and p.dense}
        self._rest = replace(ir, families=tuple(f for f in ir.families if f.name not in dense))
        read = {c.array for f in self._rest.families for c in f.columns}
        self._others = tuple(name for name in couplings if name in read)

    def mean(self, values: Values) -> Arrays:
        """By table; ``values`` have a column for each state."""
        out = {name: np.zeros(len(self.tables[name])) for name in self.couplings}
        for p in self._products:
            p.add_mean(out[p.table], values)
        if self._others:
            for name, each in slopes(self._rest, self.tables, values, self._others).items():
                out[name] += each.mean(axis=0)
        return out

"""Energies of real fields as quadratic forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.solvers.evaluate import coefficients
from statmech_dsl.solvers.polynomial import Polynomial, polynomial
from statmech_dsl.solvers.system import rows


@dataclass(frozen=True, eq=False)
class Form:
    """``constant + linear . x + x . matrix x / 2``, the matrix being symmetric."""

    constant: float
    linear: np.ndarray
    matrix: Any

    def at(self, x: np.ndarray) -> float:
        """Value."""
        return float(self.constant + self.linear @ x + x @ (self.matrix @ x) / 2)


@dataclass(frozen=True, eq=False)
class Reader:
    """Adds up terms. A row of coefficients is an affine function: one for each free site, then the constant."""

    ir: ModelIR
    tables: Tables
    numbers: dict[str, np.ndarray]
    base: dict[str, np.ndarray]
    n: int

    def form(self, tempered: bool) -> Form:
        """The sum of the energies that T divides, or of those that it does not."""
        n = self.n
        # The last row and column belong to the number 1.
        total = csr_array((n + 1, n + 1))
        for f in self.ir.energy_families:
            if f.tempered == tempered:
                total = total + self._term(f)
        total = total + total.T
        return Form(
            float(total[n, n]) / 2, total[[n], :n].toarray().ravel(), csr_array(total[:n, :n])
        )

    def _term(self, f: Family) -> Any:
        """Matrix B of a family, which is x . B x, by x = (free sites, 1)."""
        n = f.n_instances(self.tables)
        p, columns = self._polynomial(f)
        ones = _one(n, self.n)
        total = _weighted(ones, np.broadcast_to(p.constant, n), ones)
        for k, x in p.linear.items():
            total = total + _weighted(columns[k], np.broadcast_to(x, n), ones)
        for (k, m), x in p.second.items():
            total = total + _weighted(columns[k], np.broadcast_to(x, n), columns[m])
        return total

    def _polynomial(self, f: Family) -> tuple[Polynomial, dict[int, Any]]:
        """The polynomial of a family in its slots, and each slot as an affine function, a row an instance."""
        n = f.n_instances(self.tables)
        slots, columns = [], {}
        for k, c in enumerate(f.columns):
            if c.kind == "coefficient":
                slots.append(np.broadcast_to(coefficients(c, self.tables), n))
            else:
                slots.append(None)
                columns[k] = self._state(c, n) if c.kind == "state" else self._sum(c, n)
        p = polynomial(f.expr, slots)
        if p is None:
            raise InfeasibleError(
                f"gaussian needs a quadratic energy, and {f.term!r} is not",
                mend="sample it",
            )
        return p, columns

    def _state(self, c: Column, n: int) -> Any:
        row = np.broadcast_to(rows(c, self.ir, self.tables), n)
        site, value = self.numbers[c.array][row], self.base[c.array][row]
        free = site >= 0
        at = np.where(free, site, self.n)
        return csr_array((np.where(free, 1.0, value), (np.arange(n), at)), shape=(n, self.n + 1))

    def _sum(self, c: Column, n: int) -> Any:
        size = next(s.size for s in self.ir.sums if s.name == c.array)
        total = csr_array((size, self.n + 1))
        for f in self.ir.feeding(c.array):
            p, columns = self._polynomial(f)
            m = f.n_instances(self.tables)
            if p.second:
                raise InfeasibleError(
                    f"gaussian needs a quadratic energy, and {f.term!r} is a function of a sum of squares",
                    mend="sample it",
                )
            affine = _scaled(np.broadcast_to(p.constant, m), _one(m, self.n))
            for k, x in p.linear.items():
                affine = affine + _scaled(np.broadcast_to(x, m), columns[k])
            element = np.zeros(m, int) if f.element is None else self.tables[f.element].astype(int)
            total = (
                total + csr_array((np.ones(m), (element, np.arange(m))), shape=(size, m)) @ affine
            )
        index = np.zeros(n, int) if c.index is None else self.tables[c.index].astype(int)
        return total[index]


def _one(n: int, n_sites: int) -> Any:
    return csr_array((np.ones(n), (np.arange(n), np.full(n, n_sites))), shape=(n, n_sites + 1))


def _scaled(x: np.ndarray, rows: Any) -> Any:
    return diags_array(x, format="csr") @ rows


def _weighted(a: Any, x: np.ndarray, b: Any) -> Any:
    return csr_array(a.T @ _scaled(x, b))

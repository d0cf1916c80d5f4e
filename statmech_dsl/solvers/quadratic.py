"""Energies of two-valued sites as polynomials of second order in signs.

A site with the values a and b is a sign, -1 or +1, for the lower and the higher one. The table of a term
over the signs of its sites has an expansion in products of signs (the Walsh-Hadamard transform); products
of three or more must not occur.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.solvers.evaluate import coefficients, evaluate, require_defined
from statmech_dsl.solvers.system import rows

MAX_SITES = 12
"""Sites of a term, at most: its table has 2^12 entries."""
PROBES = np.array([0.0, 1.0, -1.0, 2.0])
"""Values of a running sum that tell whether a function of it is quadratic."""


@dataclass(eq=False)
class Quadratic:
    """``offset + sum_i linear[i] s_i + sum_{i<j} pairs[i, j] s_i s_j`` over signs."""

    offset: float
    linear: np.ndarray
    pairs: dict[tuple[int, int], float]

    def add_pairs(self, i: np.ndarray, j: np.ndarray, x: np.ndarray) -> None:
        """Add terms; those of a site with itself are constants."""
        for a, b, value in zip(i.tolist(), j.tolist(), x.tolist(), strict=True):
            if a == b:
                self.offset += value
            elif value:
                key = (a, b) if a < b else (b, a)
                self.pairs[key] = self.pairs.get(key, 0.0) + value


Levels = dict[str, tuple[int, np.ndarray, np.ndarray]]
"""Number of the first site of each variable, and the low and high value of each of its sites."""


def quadratic(ir: ModelIR, tables: Tables, levels: Levels) -> Quadratic:
    """Expand the energy that T divides.

    Raises
    ------
    ModelError
        A term is of higher order.
    """
    n = sum(len(low) for _, low, _ in levels.values())
    total = Quadratic(0.0, np.zeros(n), {})
    sums = {s.name: (np.zeros((s.size, n)), np.zeros(s.size)) for s in ir.sums}
    for f in ir.families:
        if f.feeds is not None:
            _feed(f, ir, tables, levels, sums[f.feeds])
    for f in ir.energy_families:
        if not f.tempered:
            continue
        if any(c.kind == "sum" for c in f.columns):
            _add_squares(f, tables, sums, total)
            continue
        for sites, x in _products(f, ir, tables, levels):
            if len(sites) == 0:
                total.offset += float(x.sum())
            elif len(sites) == 1:
                np.add.at(total.linear, sites[0], x)
            else:
                total.add_pairs(sites[0], sites[1], x)
    return total


def _products(
    f: Family, ir: ModelIR, tables: Tables, levels: Levels
) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """Products of at most two signs in a family: their sites, and a coefficient for each instance."""
    n, states = f.n_instances(tables), [k for k, c in enumerate(f.columns) if c.kind == "state"]
    if len(states) > MAX_SITES:
        raise _too_high(f, f"a term couples {len(states)} sites")
    slots, sites = [], []
    for c in f.columns:
        if c.kind == "coefficient":
            slots.append(coefficients(c, tables))
            continue
        row = np.broadcast_to(rows(c, ir, tables), n)
        first, low, high = levels[c.array]
        shape = [1] * len(states) + [n]
        shape[len(sites)] = 2
        slots.append(np.stack([low[row], high[row]]).reshape(shape))
        sites.append(first + row)
    table = np.broadcast_to(evaluate(f.expr, slots), (*[2] * len(states), n))
    require_defined(f, table)
    for axis in range(len(states)):
        a, b = table.take(0, axis), table.take(1, axis)
        table = np.stack([(a + b) / 2, (b - a) / 2], axis)
    scale = abs(table).max(initial=1.0)
    found = []
    for order in range(len(states) + 1):
        for which in combinations(range(len(states)), order):
            x = table[tuple(int(k in which) for k in range(len(states)))]
            if order <= 2:
                found.append(([sites[k] for k in which], x))
            elif abs(x).max(initial=0.0) > 1e-12 * scale:
                raise _too_high(f, f"it has products of {order} sites")
    return found


def _feed(
    f: Family, ir: ModelIR, tables: Tables, levels: Levels, into: tuple[np.ndarray, np.ndarray]
) -> None:
    """Add a family to the coefficients and the constants of a vector of running sums."""
    weights, constants = into
    element = np.zeros(1, int) if f.element is None else tables[f.element].astype(int)
    for sites, x in _products(f, ir, tables, levels):
        to = np.broadcast_to(element, len(x))
        if len(sites) == 2 and np.any(x):
            raise _too_high(f, "it is a function of a sum of products")
        if len(sites) == 1:
            np.add.at(weights, (to, sites[0]), x)
        elif not sites:
            np.add.at(constants, to, x)


def _add_squares(
    f: Family,
    tables: Tables,
    sums: dict[str, tuple[np.ndarray, np.ndarray]],
    total: Quadratic,
) -> None:
    """Add a function ``a S^2 + b S + c`` of one element of a running sum, for each instance."""
    readers = [c for c in f.columns if c.kind == "sum"]
    if len(readers) > 1 or any(c.kind == "state" for c in f.columns):
        raise _too_high(f, "it mixes sums over sites with something else")
    (c,) = readers
    weights, constants = sums[c.array]
    slots = [
        PROBES[:, None] if k.kind == "sum" else coefficients(k, tables)[None, :] for k in f.columns
    ]
    n = f.n_instances(tables)
    g = np.broadcast_to(evaluate(f.expr, slots), (len(PROBES), n))
    require_defined(f, g)
    square, slope = (g[1] + g[2]) / 2 - g[0], (g[1] - g[2]) / 2
    if not np.allclose(g[0] + 2 * slope + 4 * square, g[3], rtol=1e-9, atol=1e-12 * abs(g).max()):
        raise _too_high(f, "it is no quadratic function of a sum over sites")
    index = np.zeros(n, int) if c.index is None else tables[c.index].astype(int)
    w, b = weights[index], constants[index]
    total.offset += float((g[0] + slope * b + square * b**2).sum() + (square @ w**2).sum())
    total.linear += (slope + 2 * square * b) @ w
    dense = 2 * (w.T * square) @ w
    i, j = np.triu_indices(len(dense), 1)
    total.add_pairs(i, j, dense[i, j])


def _too_high(f: Family, why: str) -> ModelError:
    return ModelError(
        f"the energy is not quadratic: {why}",
        where=f"energy term {f.term!r}",
        mend="write higher products with additional variables and a penalty",
    )

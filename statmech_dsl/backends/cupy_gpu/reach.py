"""How far the log weights of a site may be off in float32: what depends on its couplings, for every rank."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.numba_cpu.field_printer import margin
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.kernel import SIZE, FieldForm, Gather, LoweredPass
from statmech_dsl.ir.model import Column, Tables

_OPERATIONS = {
    "add": np.add,
    "mul": np.multiply,
    "sqr": np.square,
    "abs": np.abs,
    "max": np.maximum,
}
ROUNDING = 1 + 2.0**-20
"""For the roundings of a bound."""


def reach(p: LoweredPass, n_values: int, tables: Tables) -> np.ndarray:
    """The number that a margin has for each unit of |beta| (or 1 + |beta|), by rank, in float32."""
    assert isinstance(p.field, FieldForm)
    n = len(tables[p.order])
    size, degree = np.zeros((2, n))
    with np.errstate(over="ignore"):
        for g in p.field.accumulate.gathers:
            if g.role.pointer is None:
                counts, rank = np.full(n, g.role.degree), np.tile(np.arange(n), g.role.degree or 0)
            else:
                counts = np.diff(tables[g.role.pointer].astype(np.int64))
                rank = np.repeat(np.arange(n), counts)
            values = np.broadcast_to(_sizes(g, tables), len(rank))
            size += np.bincount(rank, values, n)
            degree += counts
        _, each, every = margin(p.field, n_values)
        return (ROUNDING * (each + every * degree) * size).astype(np.float32)


def _sizes(g: Gather, tables: Tables) -> np.ndarray:
    """The largest size of what each incidence adds, incidence after incidence of its tables."""
    (bound,) = (e for name, e in g.terms if name == SIZE)

    def of(e: Expr) -> np.ndarray:
        if e.op == "const":
            return np.array(e.attr)
        if e.op == "slot":
            return _coefficient(g.role.columns[e.attr], tables)  # type: ignore[index]
        return _OPERATIONS[e.op](*(of(x) for x in e.args))

    return of(bound)


def _coefficient(c: Column, tables: Tables) -> np.ndarray:
    assert c.kind == "coefficient", "a bound reads no state"
    values = tables[c.array]
    return values[0] if c.index is None else values[tables[c.index]].reshape(-1)

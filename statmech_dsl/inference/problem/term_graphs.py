"""Terms of the energy of given states as PyTensor graphs of their coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from statmech_dsl.ir.arrays import ARRAY_OPS
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.solvers.system import rows

GRAPH_OPS: dict[str, Any] = {
    "sqr": pt.sqr,
    "min": pt.minimum,
    "max": pt.maximum,
    "where": lambda c, a, b: pt.switch(pt.neq(c, 0), a, b),
    "div": pt.true_div,
    "atan2": pt.arctan2,
    "ne": pt.neq,
}
"""The operations of `statmech_dsl.ir.ops` as graphs, where PyTensor does not call them by the same name."""


def energy_graph(
    ir: ModelIR,
    tables: Tables,
    families: tuple[Family, ...],
    states: Mapping[str, Any],
    coefficients: Mapping[str, Any],
) -> Any:
    """Sum of some families over all states.

    Parameters
    ----------
    ir, tables
        The model.
    families : tuple of Family
        Families that add to its energy.
    states : dict of str to TensorVariable, shape (rows, states)
        The states of all variables, one in each column.
    coefficients : dict of str to TensorVariable
        Graphs that take the place of coefficient tables.
    """
    sums: dict[str, Any] = {}

    def index(name: str | None, m: int) -> Any:
        """An index table as a constant: PyTensor would walk an array element by element."""
        return pt.constant(np.zeros(m, np.int64) if name is None else tables[name].astype(np.int64))

    def read(c: Column) -> Any:
        if c.kind == "state":
            return states[c.array][pt.constant(rows(c, ir, tables))]
        if c.kind == "sum":
            return sums[c.array][index(c.index, 1)]
        table = pt.as_tensor_variable(coefficients.get(c.array, tables[c.array]))
        return table[index(c.index, 1)][:, None]

    def instances(f: Family) -> Any:
        return f.n_instances(tables), _graph(f.expr, [read(c) for c in f.columns])

    n = next(iter(states.values())).shape[1]
    for s in ir.sums:
        out: Any = pt.zeros((s.size, n))
        for f in ir.feeding(s.name):
            m, each = instances(f)
            out = pt.inc_subtensor(out[index(f.element, m)], pt.broadcast_to(each, (m, n)))
        sums[s.name] = out
    energy: Any = pt.constant(0.0)
    for f in families:
        m, each = instances(f)
        energy = energy + pt.broadcast_to(each, (m, n)).sum()
    return energy


def _graph(e: Expr, slots: list[Any]) -> Any:
    if e.op == "const":
        return pt.constant(e.attr)
    if e.op == "slot":
        return slots[e.attr]  # type: ignore[index]
    assert e.op in ARRAY_OPS
    arguments = [_graph(x, slots) for x in e.args]
    found = GRAPH_OPS.get(e.op) or getattr(pt, e.op)
    return pt.cast(found(*arguments), "float64")

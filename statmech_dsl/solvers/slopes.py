"""Derivatives of the energy of given states with respect to couplings: the statistics that data enter by."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy.sparse import coo_array

from statmech_dsl.errors import EnergyError
from statmech_dsl.ir.arrays import evaluate
from statmech_dsl.ir.expr import Expr, slots_of
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.lower.derivative import NotDifferentiable, derivative
from statmech_dsl.solvers.evaluate import running_sums, slot_values
from statmech_dsl.solvers.system import Values

CHUNK = 2**22
"""Entries of an array that is made at a time."""


def is_linear(ir: ModelIR, names: Collection[str]) -> bool:
    """Whether the energy is linear in the entries of coefficient tables."""
    for f in ir.families:
        slots = _slots(f, names)
        if f.feeds is not None and slots:
            return False
        if any(slots_of(_by(f, k)) & slots for k in slots):
            return False
    return True


def slopes(
    ir: ModelIR, tables: Tables, values: Values, names: Collection[str]
) -> dict[str, np.ndarray]:
    """Derivative of the energy of each state by each entry of some coefficient tables.

    Where the energy is linear in them, these are its sufficient statistics: E = E_0 + sum_a c_a S_a.

    Parameters
    ----------
    ir, tables
        The model.
    values : dict of str to ndarray, shape (rows, states)
        The states, one in each column.
    names : collection of str
        Coefficient tables. Terms count whether T divides them or not.

    Returns
    -------
    dict of str to ndarray, shape (states, entries)

    Raises
    ------
    EnergyError
        The energy is not differentiable, or a running sum depends on the coefficients.
    """
    n = next(iter(values.values())).shape[1]
    out = {name: np.zeros((n, len(tables[name]))) for name in names}
    sums = running_sums(ir, tables, values)
    for f in ir.families:
        for k in sorted(_slots(f, names)):
            if f.feeds is not None:
                raise EnergyError(
                    "a coupling that is a parameter stands inside a function of a sum over sites",
                    where=f"energy term {f.term!r}",
                    mend="multiply the function by parameters, not what it is a function of",
                )
            _add(out[f.columns[k].array], f, k, _by(f, k), (ir, tables, values, sums))
    return out


def _add(out: np.ndarray, f: Family, k: int, slope: Expr, source: tuple) -> None:
    """Add the slopes of the instances of a family to the entries of the table that slot k reads."""
    ir, tables, values, sums = source
    m, n = f.n_instances(tables), len(out)
    index = f.columns[k].index
    step = max(1, CHUNK // max(m, 1))
    for start in range(0, n, step):
        part = slice(start, start + step)
        some = {name: x[:, part] for name, x in values.items()}
        here = {name: x[:, part] for name, x in sums.items()}
        slots = [slot_values(c, ir, tables, some, here) for c in f.columns]
        each = np.broadcast_to(evaluate(slope, slots), (m, len(out[part])))
        if index is None:
            out[part, 0] += each.sum(axis=0)
        elif m == out.shape[1] and (tables[index] == np.arange(m)).all():
            out[part] += each.T
        else:
            at = coo_array((np.ones(m), (np.arange(m), tables[index])), (m, out.shape[1]))
            out[part] += each.T @ at


def _slots(f: Family, names: Collection[str]) -> set[int]:
    """Slots that read a coefficient of the given tables."""
    return {k for k, c in enumerate(f.columns) if _is_one_of(c, names)}


def _is_one_of(c: Column, names: Collection[str]) -> bool:
    return c.kind == "coefficient" and c.array in names


def _by(f: Family, k: int) -> Expr:
    try:
        return derivative(f.expr, k)
    except NotDifferentiable as why:
        raise EnergyError(
            f"the energy jumps as a function of a parameter: {why}",
            where=f"energy term {f.term!r}",
            mend="make it a smooth function of parameters",
        ) from None

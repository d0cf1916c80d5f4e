"""Terms of the energy, evaluated by NumPy for many states at once."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from statmech_dsl.errors import ImproperDistributionError
from statmech_dsl.ir.arrays import evaluate
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.solvers.system import Values, rows


def energies(ir: ModelIR, tables: Tables, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Energy of states, split into what T divides and what it does not.

    Parameters
    ----------
    ir, tables
        The model.
    values : dict of str to ndarray, shape (rows, states)
        The states, one in each column.

    Returns
    -------
    tempered, fixed : ndarray, shape (states,)
        Total energies; the weight of a state is exp(-tempered / T - fixed). An infinite energy T
        divides is moved to ``fixed``, as its weight is 0 at any T.

    Raises
    ------
    ImproperDistributionError
        An energy is NaN or minus infinity.
    """
    n = next(iter(values.values())).shape[1]
    sums = running_sums(ir, tables, values)
    total = np.zeros((2, n))
    for f in ir.energy_families:
        term = _instances(f, ir, tables, values, sums).sum(axis=0)
        require_defined(f, term)
        total[0 if f.tempered else 1] += term
    return exclude(*total)


def running_sums(ir: ModelIR, tables: Tables, values: Values) -> Values:
    """The running sums of states, shape (elements, states)."""
    n = next(iter(values.values())).shape[1]
    sums = {s.name: np.zeros((s.size, n)) for s in ir.sums}
    for f in ir.families:
        if f.feeds is not None:
            terms = _instances(f, ir, tables, values, sums)
            if f.element is None:
                sums[f.feeds][0] += terms.sum(axis=0)
            else:
                at = (tables[f.element], np.arange(len(terms)))
                shape = (len(sums[f.feeds]), len(terms))
                sums[f.feeds] += coo_array((np.ones(len(terms)), at), shape) @ terms
    return sums


def require_defined(f: Family, energy: np.ndarray) -> None:
    """Raise ImproperDistributionError if an energy is NaN or minus infinity.

    Raises
    ------
    ImproperDistributionError
        The term is named.
    """
    if np.isnan(energy).any() or np.isneginf(energy).any():
        what = "NaN" if np.isnan(energy).any() else "minus infinity"
        raise ImproperDistributionError(
            f"the energy {f.term!r} is {what} in some states",
            mend="use an expression that is defined for all values; +inf forbids a state",
        )


def exclude(tempered: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move infinite energies to the part that T does not divide: weight 0, and no 0 * inf later."""
    forbidden = np.isposinf(tempered)
    return np.where(forbidden, 0.0, tempered), np.where(forbidden, np.inf, fixed)


def _instances(f: Family, ir: ModelIR, tables: Tables, values: Values, sums: Values) -> np.ndarray:
    """Value of every instance in every state, shape (instances, states)."""
    n = next(iter(values.values())).shape[1]
    slots = [slot_values(c, ir, tables, values, sums) for c in f.columns]
    return np.broadcast_to(evaluate(f.expr, slots), (f.n_instances(tables), n))


def slot_values(c: Column, ir: ModelIR, tables: Tables, values: Values, sums: Values) -> np.ndarray:
    """Read a column, shape (instances or 1, states or 1)."""
    if c.kind == "state":
        return values[c.array][rows(c, ir, tables)]
    index = [0] if c.index is None else tables[c.index]
    return sums[c.array][index] if c.kind == "sum" else coefficients(c, tables)[:, np.newaxis]


def coefficients(c: Column, tables: Tables) -> np.ndarray:
    """Read a coefficient column: one number for each instance, or one for all."""
    return tables[c.array][[0] if c.index is None else tables[c.index]].astype(np.float64)

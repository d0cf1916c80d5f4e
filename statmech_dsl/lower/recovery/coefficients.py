"""Couplings as coefficient tables: constant ones, and those that depend on what can change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from statmech_dsl.errors import EnergyError
from statmech_dsl.ir.expr import const, slot
from statmech_dsl.lower.recovery.known import Known
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, indicator, place

LARGEST_LITERAL = 16
"""Whole numbers up to this belong to the structure of a term; larger ones are mostly sizes."""


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A table of float64, and the graph that it is the present value of (None: a constant)."""

    values: np.ndarray
    graph: Any = None


@dataclass(eq=False)
class Coefficients:
    """All coefficient tables of a model; equal constants share one."""

    known: Known
    tables: dict[str, Coefficient] = field(default_factory=dict)
    _names: dict[Any, str] = field(default_factory=dict)

    def value(self, v: Variable) -> Value:
        """A tensor that does not depend on our variables, as terms."""
        x = np.asarray(self.known.value(v))
        if x.dtype.kind not in "biuf":
            raise EnergyError(f"a coupling of type {x.dtype} is no real array")
        return self.constant(x) if self.known.is_fixed(v) else self._parameter(v, x)

    def constant(self, x: np.ndarray) -> Value:
        """A constant array. Zeros have no instances, so that they drop out of every product."""
        if x.dtype == bool:
            return indicator(x)
        where = np.flatnonzero(x)
        if not len(where):
            return Value(x.shape, ())
        y = x.ravel()[where].astype(np.float64)
        _check_finite(x)
        if not (y == y[0]).all():
            t = Term(slot(0), (self.leaf(y),), None, len(y))
        elif x.dtype.kind in "iu" and abs(y[0]) <= LARGEST_LITERAL or np.isinf(y[0]):
            t = Term(const(y[0]), (), None, len(y))
        else:
            t = Term(slot(0), (self.leaf(y[:1]),), None, len(y))
        return Value(x.shape, (place(t, where, x.size),))

    def leaf(self, values: np.ndarray) -> Leaf:
        """Leaf that reads a constant table, one entry for each instance (or one for all)."""
        return _whole(self._name(_digest(values), Coefficient(values)), len(values))

    def _parameter(self, v: Variable, x: np.ndarray) -> Value:
        values = x.astype(np.float64).ravel()
        if not self.known.is_random(v):
            _check_finite(x)
        graph = pt.cast(pt.flatten(v), "float64")  # type: ignore[arg-type]
        name = self._name(v, Coefficient(values, graph))
        terms = (Term(slot(0), (_whole(name, x.size),), None, x.size),) if x.size else ()
        return Value(x.shape, terms)

    def element(self, leaf: Leaf) -> Leaf:
        """The same leaf, as a scalar of its own where all instances read one element."""
        if leaf.index is None or not len(leaf.index) or leaf.index.min() < leaf.index.max():
            return leaf
        k, table = int(leaf.index[0]), self.tables[leaf.array]
        if table.graph is None:
            return self.leaf(table.values[k : k + 1])
        scalar = Coefficient(table.values[k : k + 1], table.graph[k : k + 1])
        return Leaf("coefficient", self._name((leaf.array, k), scalar), None)

    def _name(self, key: Any, c: Coefficient) -> str:
        if key not in self._names:
            self._names[key] = name = f"c.{len(self._names)}"
            c.values.setflags(write=False)
            self.tables[name] = c
        return self._names[key]


def _whole(name: str, n: int) -> Leaf:
    return Leaf("coefficient", name, None if n == 1 else np.arange(n, dtype=np.uint32))


def _digest(values: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(values).data).digest()


def _check_finite(x: np.ndarray) -> None:
    wrong = ~np.isfinite(x)
    if not wrong.any() or x.size == 1 and np.isinf(x).all():  # infinite bounds are fine
        return
    first = tuple(int(k) for k in np.argwhere(wrong)[0])
    raise EnergyError(
        f"a coupling is {x[first]} at index {first}; {wrong.sum()} of {x.size} entries are not finite"
    )

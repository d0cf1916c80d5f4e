"""Couplings as coefficient tables: constant ones, and those that depend on what can change."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.elemwise import Elemwise

from statmech_dsl.errors import EnergyError
from statmech_dsl.ir.expr import Expr, const, evaluate, slot, slots_of, walk
from statmech_dsl.ir.ops import OPS
from statmech_dsl.lower.recovery.known import Known
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, indicator, place

LARGEST_LITERAL = 16
"""Whole numbers up to this belong to the structure of a term; larger ones are mostly sizes."""
TURNS = frozenset(2 * math.pi / q for q in range(2, 65))
"""Angles between the directions of clock variables belong to the structure too."""


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A table of float64, and the graph that it is the present value of (None: a constant).

    ``whole``: the user wrote whole numbers, such as signs.
    """

    values: np.ndarray
    graph: Any = None
    whole: bool = False


@dataclass(eq=False)
class Coefficients:
    """All coefficient tables of a model; equal constants share one."""

    known: Known
    infinite: bool = False
    """Whether couplings may be infinite: energies must not, a log-density is where a value is impossible."""
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
        self._check_finite(x)
        y = x.ravel()[where].astype(np.float64)
        leaf = self.leaf(y[:1] if (y == y[0]).all() else y, whole=x.dtype.kind in "iu")
        literal = self.literal(leaf)
        t = Term(slot(0), (leaf,), None, len(y))
        if literal is not None:
            t = Term(const(literal), (), None, len(y))
        return Value(x.shape, (place(t, where, x.size),))

    def leaf(self, values: np.ndarray, whole: bool = False) -> Leaf:
        """Leaf that reads a constant table, one entry for each instance (or one for all)."""
        key = (hashlib.sha256(np.ascontiguousarray(values).data).digest(), whole)
        return _leaf(self._name(key, Coefficient(values, whole=whole)), len(values))

    def applied(self, scalar: Any, leaf: Leaf) -> Leaf:
        """Leaf that reads a scalar operation of what ``leaf`` reads."""
        table = self.tables[leaf.array]
        graph: Any = Elemwise(scalar)(
            pt.constant(table.values) if table.graph is None else table.graph
        )
        with np.errstate(all="ignore"):
            values = np.asarray(self.known.value(graph), np.float64)
        result = Coefficient(values, None if table.graph is None else pt.cast(graph, "float64"))
        return replace(leaf, array=self._name((leaf.array, scalar), result))

    def _parameter(self, v: Variable, x: np.ndarray) -> Value:
        if not self.known.is_random(v):
            self._check_finite(x)
        graph = pt.cast(pt.flatten(v), "float64")  # type: ignore[arg-type]
        name = self._name(v, Coefficient(x.astype(np.float64).ravel(), graph))
        terms = (Term(slot(0), (_leaf(name, x.size),), None, x.size),) if x.size else ()
        return Value(x.shape, terms)

    def is_constant(self, leaf: Leaf) -> bool:
        """Whether a leaf reads numbers that never change."""
        return leaf.kind == "coefficient" and self.tables[leaf.array].graph is None

    def literal(self, leaf: Leaf) -> float | None:
        """Number that stands in the expression itself: small and whole, a part of a turn, infinite."""
        table = self.tables[leaf.array]
        if leaf.index is not None or table.graph is not None:
            return None
        x = float(table.values[0])
        small = table.whole and abs(x) <= LARGEST_LITERAL
        return x if small or abs(x) in TURNS or np.isinf(x) else None

    def uniform(self, leaf: Leaf) -> Leaf:
        """The same leaf, as a scalar if all instances read the same number or element."""
        if leaf.index is None or not len(leaf.index):
            return leaf
        table = self.tables[leaf.array]
        if table.graph is None:
            values = table.values[leaf.index]
            return self.leaf(values[:1], table.whole) if (values == values[0]).all() else leaf
        if (leaf.index != leaf.index[0]).any():
            return leaf
        k = int(leaf.index[0])
        scalar = Coefficient(table.values[k : k + 1], pt.expand_dims(table.graph[k], 0))
        return Leaf("coefficient", self._name((leaf.array, k), scalar), None)

    def numbers(self, e: Expr, t: Term) -> float | np.ndarray | None:
        """Value of an expression in each instance, if it is plain arithmetic of constants."""
        read = {k: t.leaves[k] for k in slots_of(e)}
        if not all(self.is_constant(x) for x in read.values()):
            return None
        columns = {k: self.entries(x) for k, x in read.items()}
        if all(x.index is None for x in read.values()):
            return evaluate(e, {k: float(c) for k, c in columns.items()}, {})
        return _vectorized(e, columns) if {x.op for x in walk(e)} <= _VECTORIZED else None

    def entries(self, leaf: Leaf) -> Any:
        """Present numbers that a leaf reads: one for each instance, or one for all."""
        return self.tables[leaf.array].values[0 if leaf.index is None else leaf.index]

    def _check_finite(self, x: np.ndarray) -> None:
        wrong = np.isnan(x) if self.infinite else ~np.isfinite(x)
        if not wrong.any() or x.size == 1 and np.isinf(x).all():  # infinite bounds are fine
            return
        first = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise EnergyError(
            f"a coupling is {x[first]} at index {first}, {wrong.sum()} of {x.size} are not finite",
            mend="give every coupling a finite value",
        )

    def _name(self, key: Any, c: Coefficient) -> str:
        if key not in self._names:
            self._names[key] = name = f"c.{len(self._names)}"
            c.values.setflags(write=False)
            self.tables[name] = c
        return self._names[key]


_VECTORIZED = {"slot", "const", "add", "sub", "mul", "div", "neg", "sqr"}


def _vectorized(e: Expr, columns: dict[int, np.ndarray]) -> Any:
    match e.op:
        case "slot":
            return columns[e.attr]  # type: ignore[index]
        case "const":
            return e.attr
        case "div":
            x, y = (_vectorized(a, columns) for a in e.args)
            return np.divide(x, y)
    return OPS[e.op](*(_vectorized(a, columns) for a in e.args))


def _leaf(name: str, n: int) -> Leaf:
    return Leaf("coefficient", name, None if n == 1 else np.arange(n, dtype=np.uint32))

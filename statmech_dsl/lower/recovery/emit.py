"""From terms to the IR: families of columns, tables, running sums."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import call, const, evaluate, renumber, slot, walk
from statmech_dsl.ir.model import Column, Family, Sum
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.sums import RunningSum
from statmech_dsl.lower.recovery.terms import Leaf, Term, Value, fuse, join

_KINDS = ("state", "sum", "coefficient")
_ARITHMETIC = {"add", "sub", "mul", "neg", "sqr", "abs", "slot", "const"}
MANY = 4
"""More terms than this that differ in constants only share one table of them."""


@dataclass(eq=False)
class Emitter:
    """Collects families and the tables that they read; equal index tables are one."""

    coefficients: Coefficients
    domains: Mapping[str, Domain]
    families: list[Family] = field(default_factory=list)
    tables: dict[str, np.ndarray] = field(default_factory=dict)
    _indices: dict[bytes, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def energy(self, term: str, value: Value, tempered: bool) -> None:
        """Add the families of a scalar energy term."""
        offset = 0.0
        for t in self._normal(value):
            _check_sums(term, t)
            if (number := self._number(t)) is None:
                self._family(term, self._counted(t), tempered=tempered)
            else:
                offset += number
        if offset:
            t = Term(slot(0), (self.coefficients.leaf(np.array([offset])),), None, 1)
            self._family(term, t, tempered=tempered)

    def running_sum(self, s: RunningSum) -> Sum:
        """Add the families that feed a running sum."""
        for t in self._normal(s.value):
            if s.value.size == 1:
                self._family(s.term, self._counted(t), feeds=s.name)
            else:
                out = np.arange(t.n) if t.out is None else t.out
                self._family(s.term, t, feeds=s.name, element=self._index(out))
        return Sum(s.name, s.value.size)

    def _normal(self, value: Value) -> list[Term]:
        """Terms in their final form: one component per slot, leaves in order, alike ones fused."""
        terms = [self._ordered(x) for t in value.terms for x in self._by_component(t)]
        terms = self._share_constants(fuse(Value(value.shape, tuple(terms))))
        return [t for t in terms if t.n and t.expr != const(0.0)]

    def _by_component(self, t: Term) -> list[Term]:
        """Split a term by which components of vector variables its slots read."""
        n = [self.domains[x.array].components if x.kind == "state" else 1 for x in t.leaves]
        vectors = [k for k in range(len(n)) if n[k] > 1]
        if not vectors:
            return [t]
        pattern = np.zeros(t.n, np.int64)
        for k in vectors:
            pattern = pattern * n[k] + t.leaves[k].index % n[k]  # type: ignore[operator]
        parts = []
        for value in np.unique(pattern):
            part = t.pick(np.flatnonzero(pattern == value), None, 0)
            out = np.flatnonzero(pattern == value) if t.out is None else t.out[pattern == value]
            leaves = tuple(
                replace(x, index=x.index // n[k], component=int(x.index[0] % n[k]))  # type: ignore[operator, index]
                if k in vectors
                else x
                for k, x in enumerate(part.leaves)
            )
            parts.append(Term(t.expr, leaves, out, len(out)))
        return parts

    def _ordered(self, t: Term) -> Term:
        """States first, then sums, then coefficients."""
        leaves = [self.coefficients.element(x) if x.kind == "coefficient" else x for x in t.leaves]
        key = {k: (_KINDS.index(x.kind), x.array, x.component) for k, x in enumerate(leaves)}
        order = sorted(key, key=key.__getitem__)
        expr = renumber(t.expr, {k: n for n, k in enumerate(order)})
        return replace(t, expr=expr, leaves=tuple(leaves[k] for k in order))

    def _share_constants(self, value: Value) -> list[Term]:
        """Merge terms that differ in constants only, if there are many: an energy written in a loop."""
        alike: dict[object, list[Term]] = {}
        for t in value.terms:
            what = tuple("constant" if self._is_constant(x) else (x.array, x.component) for x in t.leaves)
            alike.setdefault((t.expr, what), []).append(t)
        return [
            t
            for ts in alike.values()
            for t in (ts if len(ts) <= MANY else [self._with_one_table(ts)])
        ]

    def _is_constant(self, x: Leaf) -> bool:
        return x.kind == "coefficient" and self.coefficients.tables[x.array].graph is None

    def _with_one_table(self, terms: list[Term]) -> Term:
        columns = []
        for k, x in enumerate(terms[0].leaves):
            parts = [self._entries(t, k) for t in terms]
            if self._is_constant(x):
                columns.append(self.coefficients.leaf(np.concatenate(parts)))
            else:
                columns.append(replace(x, index=np.concatenate(parts)))
        out = np.concatenate([np.arange(t.n) if t.out is None else t.out for t in terms])
        return Term(terms[0].expr, tuple(columns), out, len(out))

    def _entries(self, t: Term, k: int) -> np.ndarray:
        """Constants that a slot reads, or the index of a state or sum."""
        x = t.leaves[k]
        index = np.zeros(t.n, np.uint32) if x.index is None else x.index
        return self.coefficients.tables[x.array].values[index] if self._is_constant(x) else index

    def _number(self, t: Term) -> float | None:
        """Sum of the instances of a term that reads constants only, where it is easy to have."""
        if not all(self._is_constant(x) for x in t.leaves):
            return None
        if all(x.index is None for x in t.leaves):
            return t.n * evaluate(t.expr, [float(self._entries(replace(t, n=1), k)[0]) for k in range(len(t.leaves))], {})
        if not {e.op for e in walk(t.expr)} <= _ARITHMETIC:
            return None
        return float(np.sum(evaluate(t.expr, [self._entries(t, k) for k in range(len(t.leaves))], {})))

    def _counted(self, t: Term) -> Term:
        """The same sum with one instance, if all instances are the same."""
        if t.n == 1 or any(x.index is not None for x in t.leaves):
            return t
        n = Term(slot(0), (self.coefficients.leaf(np.array([float(t.n)])),), None, 1)
        one = replace(t, out=None, n=1)
        return self._ordered(join(lambda x, y: call("mul", x, y), one, n, (None, None, 1), None))

    def _family(
        self, term: str, t: Term, tempered: bool = True, feeds: str | None = None, element: str | None = None
    ) -> None:
        columns = tuple(
            Column(x.kind, x.array, None if x.index is None else self._index(x.index), x.component)
            for x in t.leaves
        )
        for x in t.leaves:
            if x.kind == "coefficient":
                self.tables[x.array] = self.coefficients.tables[x.array].values
        k = self._counts.get(term, 0)
        self._counts[term] = k + 1
        self.families.append(Family(f"{term}.{k}", term, t.expr, columns, tempered, feeds, element))

    def _index(self, index: np.ndarray) -> str:
        table = np.ascontiguousarray(index, dtype=np.uint32)
        key = hashlib.sha256(table.data).digest()
        if key not in self._indices:
            name = f"i.{len(self._indices)}"
            self._indices[key] = name
            self.tables[name] = table
            table.setflags(write=False)
        return self._indices[key]


def _check_sums(term: str, t: Term) -> None:
    indexed = {x.kind for x in t.leaves if x.index is not None}
    if t.reads("sum") and indexed and "sum" not in indexed:
        raise NonLocalEnergyError(
            "a function of one running sum is added up over elements with different couplings",
            where=f"energy term {term!r}",
            mend="put the couplings inside of the sum, f(sum(h[k] * s)), or outside of the function",
        )

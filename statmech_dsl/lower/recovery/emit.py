"""From terms to the IR: families, their columns and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from statmech_dsl.errors import EnergyError, NonLocalEnergyError
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import call, slot
from statmech_dsl.ir.model import Column, Family, Sum
from statmech_dsl.lower.recovery.coefficients import Coefficients
from statmech_dsl.lower.recovery.normal import normal_form
from statmech_dsl.lower.recovery.sums import RunningSum
from statmech_dsl.lower.recovery.terms import Term, Value, in_order


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
        """Add the families of a scalar energy term; its constants become one instance."""
        offset = 0.0
        for t in normal_form(value, self.coefficients, self.domains):
            _check_sums(t)
            number = self.coefficients.numbers(t.expr, t)
            if number is None:
                self._family(term, self._counted(t), tempered=tempered)
            else:
                offset += float(np.sum(np.broadcast_to(number, t.n)))
        if not np.isfinite(offset):
            raise EnergyError(
                f"the energy is {offset} in every state", mend="look for a division by zero in it"
            )
        if offset:
            leaf = self.coefficients.leaf(np.array([offset]))
            self._family(term, Term(slot(0), (leaf,), None, 1), tempered=tempered)

    def running_sum(self, s: RunningSum) -> Sum:
        """Add the families that feed a running sum."""
        for t in normal_form(s.value, self.coefficients, self.domains):
            if s.value.size == 1:
                self._family(s.term, self._counted(t), feeds=s.name)
            else:
                t = in_order(t)
                self._family(s.term, t, feeds=s.name, element=self._index(t.positions))
        return Sum(s.name, s.value.size)

    def _counted(self, t: Term) -> Term:
        """The same sum with one instance, if all instances are the same."""
        if t.n == 1 or any(x.index is not None for x in t.leaves):
            return t
        n = self.coefficients.leaf(np.array([float(t.n)]))
        return Term(call("mul", t.expr, slot(len(t.leaves))), (*t.leaves, n), None, 1)

    def _family(
        self,
        term: str,
        t: Term,
        *,
        tempered: bool = True,
        feeds: str | None = None,
        element: str | None = None,
    ) -> None:
        columns = []
        for x in t.leaves:
            if x.kind == "coefficient":
                self.tables[x.array] = self.coefficients.tables[x.array].values
            index = None if x.index is None else self._index(x.index)
            columns.append(Column(x.kind, x.array, index, x.component))
        k = self._counts[term] = self._counts.get(term, -1) + 1
        family = Family(f"{term}.{k}", term, t.expr, tuple(columns), tempered, feeds, element)
        self.families.append(family)

    def _index(self, index: np.ndarray) -> str:
        table = np.ascontiguousarray(index, dtype=np.uint32)
        key = hashlib.sha256(table.data).digest()
        if key not in self._indices:
            self._indices[key] = name = f"i.{len(self._indices)}"
            self.tables[name] = table
            table.setflags(write=False)
        return self._indices[key]


def _check_sums(t: Term) -> None:
    indexed = {x.kind for x in t.leaves if x.index is not None}
    if t.reads("sum") and indexed and "sum" not in indexed:
        raise NonLocalEnergyError(
            "a function of one running sum is added up over elements with different couplings",
            mend="put the couplings inside of the sum, f(sum(h[k] * s)), or outside of f",
        )

"""Paths between two models of the same variables.

On the way from model 0 to model 1 the log weight is -(1 - x) u_0 - x u_1, where u = E/T is the energy in
units of temperature, with all terms that T does not divide. A path is a model like any other: u_0 is the part
that T does not divide, u_1 - u_0 the energy, and x takes the place of beta.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.ir.expr import call, slot
from statmech_dsl.ir.model import Column, Family, ModelIR, Sum, Tables
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.lower.reductions import Measured


def path(start: Recovered, stop: Recovered, beta: float) -> Recovered:
    """The path from one model at an inverse temperature to another one; terms that both have stay as they are.

    Raises
    ------
    ModelError
        The models have different variables.
    """
    _refuse_others(start, stop)
    tables = {name: start.tables[name] for name in (v.free for v in start.ir.variables)}
    sides = [_Side(r, prefix, beta, tables) for r, prefix in ((start, "0."), (stop, "1."))]
    families: list[Family] = []
    off, on = (s.by_key() for s in sides)
    for f in off.values():
        families.append(sides[0].scaled(f, 1.0, tempered=False))
    families += [sides[0].scaled(f, -1.0, tempered=True) for k, f in off.items() if k not in on]
    families += [sides[1].scaled(f, 1.0, tempered=True) for k, f in on.items() if k not in off]
    sums: list[Sum] = []
    for side in sides:
        more, fed = side.sums(families)
        sums, families = [*sums, *more], [*families, *fed]
    ir = ModelIR(start.ir.variables, tuple(families), tuple(sums))
    for table in tables.values():
        table.setflags(write=False)
    return Recovered(ir, tables, start.clamped, {}, frozenset())


def steered(
    model: Recovered, beta: float, measured: Measured, observable: str, stiffness: float, low: float
) -> Recovered:
    """A model that is held by a spring to values of an observable: the larger x, the larger they are.

    With A the observable above ``low``, the log weight is -u - stiffness A^2 / 2 + x A: a spring of this
    stiffness that pulls to A = x / stiffness.

    Raises
    ------
    ArgumentError
        The observable is no multiple of one sum over sites, plus a constant.
    """
    slope, offset = _straight(measured, observable)
    tables = {v.free: model.tables[v.free] for v in model.ir.variables}
    side = _Side(model, "0.", beta, tables)
    families = [side.scaled(f, 1.0, tempered=False) for f in model.ir.energy_families]
    sums, fed = side.sums(families)
    (name,) = measured.sums[observable]
    source = _Side(
        Recovered(measured.ir, {**model.tables, **measured.tables}, {}, {}, frozenset()),
        "A.",
        1.0,
        tables,
    )
    feeding = [source.feeding(f) for f in measured.ir.feeding(name)]
    for key, x in {"slope": slope, "offset": offset - low, "stiffness": stiffness / 2}.items():
        tables[f"A.{key}"] = np.array([x])
    columns = (
        Column("sum", f"A.{name}", None),
        Column("coefficient", "A.slope", None),
        Column("coefficient", "A.offset", None),
        Column("coefficient", "A.stiffness", None),
    )
    above = slot(0) * slot(1) + slot(2)
    steering = [
        Family("A.spring", "spring", slot(3) * call("sqr", above), columns, tempered=False),
        Family("A.pull", "spring", -above, columns[:3]),
    ]
    ir = ModelIR(
        model.ir.variables,
        (*families, *steering, *fed, *feeding),
        (*sums, Sum(f"A.{name}", 1)),
    )
    for table in tables.values():
        table.setflags(write=False)
    return Recovered(ir, tables, model.clamped, {}, frozenset())


def independent(
    like: Recovered, mean: Mapping[str, np.ndarray], width: Mapping[str, np.ndarray]
) -> Recovered:
    """A model of independent sites: normal where ``mean`` and ``width`` have the variable, else uniform.

    Both hold the numbers of the free sites; the energy is the sum of (x - mean)^2 / (2 width^2).
    """
    tables = {v.free: like.tables[v.free] for v in like.ir.variables}
    families = []
    for name, m in mean.items():
        each = f"{name}.each"
        tables[each] = np.arange(len(m), dtype=np.uint32)
        tables[f"{name}.mean"], tables[f"{name}.stiffness"] = m, 0.5 / width[name] ** 2
        columns = (
            Column("state", name, f"{name}.free"),
            Column("coefficient", f"{name}.mean", each),
            Column("coefficient", f"{name}.stiffness", each),
        )
        expr = slot(2) * call("sqr", slot(0) - slot(1))
        families.append(Family(f"{name}.reference", "reference", expr, columns, tempered=False))
    return Recovered(
        ModelIR(like.ir.variables, tuple(families)), tables, like.clamped, {}, frozenset()
    )


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the two models, whose names get a prefix; its tables go to those of the path as they are used."""

    recovered: Recovered
    prefix: str
    beta: float
    tables: dict[str, np.ndarray]

    @property
    def ir(self) -> ModelIR:
        return self.recovered.ir

    def by_key(self) -> dict[tuple[str, int], Family]:
        """Families by what tells them from others, and the number of such that come before."""
        found: dict[tuple[str, int], Family] = {}
        for f in self.ir.energy_families:
            key = self._key(f)
            found[key, sum(k == key for k, _ in found)] = f
        return found

    def _key(self, f: Family) -> str:
        source: Tables = self.recovered.tables
        digest = hashlib.sha256(repr((f.expr, f.tempered)).encode())
        for c in f.columns:
            if c.kind == "sum":
                return f"{self.prefix}{f.name}"
            digest.update(repr((c.kind, c.component)).encode())
            digest.update(c.array.encode() if c.kind == "state" else source[c.array].tobytes())
            digest.update(source[c.index].tobytes() if c.index else b"one")
        return digest.hexdigest()

    def scaled(self, f: Family, factor: float, tempered: bool) -> Family:
        """A family times a number, in units of temperature."""
        factor *= self.beta if f.tempered else 1.0
        name = f"{self.prefix}{f.name}{'' if factor > 0 else '.off'}{'.x' if tempered else ''}"
        if factor == 1.0:
            expr, more = f.expr, ()
        else:
            self.tables[f"{name}.factor"] = np.array([factor])
            expr = slot(len(f.columns)) * f.expr
            more = (Column("coefficient", f"{name}.factor", None),)
        columns = (*map(self._column, f.columns), *more)
        return replace(f, name=name, expr=expr, columns=columns, tempered=tempered)

    def sums(self, families: list[Family]) -> tuple[list[Sum], list[Family]]:
        """The running sums that the families of this side read, and what feeds them."""
        read = {c.array for f in families for c in f.columns if c.kind == "sum"}
        sums = [replace(s, name=self.prefix + s.name) for s in self.ir.sums]
        sums = [s for s in sums if s.name in read]
        fed = [f for s in sums for f in self.ir.feeding(s.name.removeprefix(self.prefix))]
        return sums, list(map(self.feeding, fed))

    def feeding(self, f: Family) -> Family:
        """A family that feeds a running sum."""
        columns = tuple(map(self._column, f.columns))
        element = f.element and self._table(f.element)
        name, feeds = self.prefix + f.name, f"{self.prefix}{f.feeds}"
        return replace(f, name=name, columns=columns, feeds=feeds, element=element)

    def _column(self, c: Column) -> Column:
        array = {"state": lambda x: x, "sum": lambda x: self.prefix + x}.get(c.kind, self._table)
        return replace(c, array=array(c.array), index=c.index and self._table(c.index))

    def _table(self, name: str) -> str:
        new = name if name in self.tables and name.endswith(".free") else self.prefix + name
        self.tables[new] = self.recovered.tables[name]
        return new


def _straight(measured: Measured, observable: str) -> tuple[float, float]:
    """Slope and offset of an observable as a function of the sum that it reads."""
    sums = [s for s in measured.ir.sums if s.name in measured.sums.get(observable, ())]
    if len(sums) == 1 and sums[0].size == 1:
        start = np.cumsum([0, *(s.size for s in measured.ir.sums)])
        x = np.zeros((4, start[-1]))
        x[:, start[measured.ir.sums.index(sums[0])]] = [0.0, 1.0, 2.0, -3.0]
        y = np.asarray(measured(x)[observable], float)
        slope = y[1] - y[0] if y.ndim == 1 else 0.0
        if slope and np.allclose(y, y[0] + slope * np.array([0.0, 1.0, 2.0, -3.0])):
            return float(slope), float(y[0])
    raise ArgumentError(
        f"the observable {observable!r} is no multiple of one sum over sites",
        mend="declare one that is, such as sm.Observable('m', s.mean())",
    )


def _refuse_others(start: Recovered, stop: Recovered) -> None:
    def about(r: Recovered) -> Iterator[tuple]:
        for v in r.ir.variables:
            mask, values = r.clamped.get(v.name, (np.zeros(0), np.zeros(0)))
            yield v, mask.tobytes(), values.tobytes()

    if list(about(start)) != list(about(stop)):
        names = [", ".join(f"{v.name} {v.shape}" for v in r.ir.variables) for r in (start, stop)]
        raise ModelError(
            "a path joins models of the same variables, with the same sites clamped to the same values",
            where=f"{names[0]} against {names[1]}",
        )

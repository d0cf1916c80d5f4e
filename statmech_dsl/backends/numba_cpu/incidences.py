"""Print sums over the incidences of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.features import feature
from statmech_dsl.backends.numba_cpu.layouts import UNROLL, Load, SiteLanes, bounds, cast
from statmech_dsl.backends.numba_cpu.spell import Shared, number, spell
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.kernel import Accumulate, Bump, Gather, Role

if TYPE_CHECKING:
    from statmech_dsl.backends.numba_cpu.printer import PassPrinter

AT_A_TIME = 8
"""Unrolled incidences that are added in one loop."""


class Incidence:
    """Reads the columns of an incidence and their features, each when first asked for."""

    def __init__(self, printer: PassPrinter, role: Role, entry: str, tag: str) -> None:
        self.printer, self.role, self.entry, self.tag = printer, role, entry, tag
        self.before: Lines = []
        self.lanes: Lines = []
        self._known: dict[str, str] = {}

    def spell(self, e: Expr) -> str:
        """Print an expression over the columns."""
        return spell(e, self._leaf, self.printer.shared, self.printer.real)

    def _leaf(self, e: Expr) -> str | None:
        if e.op == "slot":
            return self._slot(e.attr)  # type: ignore[arg-type]
        real, stored = self.printer.p.real, self.printer.real
        hit = feature(e, self.role.columns, real, stored)
        if hit is None or hit[0] not in self.printer.features:
            return self.printer.leaf(e)
        (f, k), array = hit, self.printer.features[hit[0]]
        index = self.role.columns[k].index
        return self._state(f"{self.tag}_{k}{array}", array, f.variable, f.component, index)

    def _slot(self, k: int) -> str:
        column, names, real = self.role.columns[k], self.printer.names, self.printer.real
        tag = f"{self.tag}_{k}"
        if column.kind == "state":
            array = names.state(column.array)
            text = self._state(tag, array, column.array, column.component, column.index)
            return cast(text, names.storage(column.array), real)
        index = "0" if column.index is None else f"{names.table(column.index)}[{self.entry}]"
        layout = self.printer.layout
        if column.kind == "sum":
            array = names.sums[column.array]
            return cast(
                self._take(tag, layout.state(names, array, "float64", index, tag)), "float64", real
            )
        return self._take(tag, layout.coefficient(names, column.array, index, tag, real))

    def _state(self, tag: str, array: str, variable: str, component: int, index: str | None) -> str:
        names = self.printer.names
        place = names.place(variable, f"{names.table(index or '')}[{self.entry}]", component)
        return self._take(
            tag, self.printer.layout.state(names, array, names.kind(array), place, tag)
        )

    def _take(self, tag: str, load: Load) -> str:
        if tag not in self._known:
            self._known[tag] = load.text
            self.before += load.before
            self.lanes += load.lanes
        return self._known[tag]


def accumulate(printer: PassPrinter, s: Accumulate) -> Lines:
    """Lines that bind the accumulators, rows all of them."""
    out: Lines = []
    started: set[str] = set()
    unrolled = [
        (g, d)
        for g in s.gathers
        if g.role.degree is not None and g.role.degree <= UNROLL
        for d in range(g.role.degree)
    ]
    others = [g for g in s.gathers if g.role.degree is None or g.role.degree > UNROLL]
    if _in_order(s.gathers, others):
        for at in range(0, len(unrolled), AT_A_TIME):
            out += _add_together(printer, unrolled[at : at + AT_A_TIME], started)
    else:
        others = list(s.gathers)
    zero = [f"{printer.name(n)} = {number(0.0, printer.real)}" for n in s.names if n not in started]
    out += [printer.layout.loop, *indent(zero)] if zero else []
    for g in others:
        out += _add_in_loop(printer, g.role, [(printer.name(n), e) for n, e in g.terms])
    return out


def bump(printer: PassPrinter, s: Bump) -> Lines:
    """Lines that move running sums. Replica lanes only: a pass with running sums is exclusive."""
    names = printer.names
    entry = printer.layout.entry("d") if s.role.degree is not None else "d"
    index = "0" if s.target.index is None else f"{names.table(s.target.index)}[{entry}]"
    return _add_in_loop(printer, s.role, [(f"{names.sums[s.target.array]}[{index}, r]", s.expr)])


def _add_together(printer: PassPrinter, part: list[tuple[Gather, int]], started: set[str]) -> Lines:
    printer.shared = Shared()
    loads: list[Incidence] = []
    sums: dict[str, str] = {}
    for z, (g, d) in enumerate(part):
        here = Incidence(printer, g.role, printer.layout.entry(str(d)), f"q{z}")
        for name, e in g.terms:
            first = printer.name(name) if name in started else number(0.0, printer.real)
            sums[name] = f"({sums.get(name, first)} + {here.spell(e)})"
        loads.append(here)
    started.update(sums)
    body = [f"{printer.name(n)} = {total}" for n, total in sums.items()]
    return _loop(printer, loads, [*printer.shared.take(), *body])


def _add_in_loop(printer: PassPrinter, role: Role, terms: list[tuple[str, Expr]]) -> Lines:
    printer.shared = Shared()
    regular, sites = role.degree is not None, isinstance(printer.layout, SiteLanes)
    here = Incidence(printer, role, printer.layout.entry("d") if regular else "d", "q")
    add = [f"{target} = {target} + {here.spell(e)}" for target, e in terms]
    add = [*printer.shared.take(), *add]
    low, high = bounds(printer.names, role, printer.layout)
    if sites and not regular:
        inner = [f"for d in range({low}, {high}):", *indent([*here.lanes, *add])]
        return [*here.before, printer.layout.loop, *indent(inner)]
    return [f"for d in range({low}, {high}):", *indent(_loop(printer, [here], add))]


def _loop(printer: PassPrinter, loads: list[Incidence], body: Lines) -> Lines:
    """A loop over lanes, after what has to be read for it."""
    before = [line for here in loads for line in here.before]
    lanes = [line for here in loads for line in here.lanes]
    gather = [printer.layout.loop, *indent(lanes)] if lanes else []
    return [*before, *gather, printer.layout.loop, *indent(body)]


def _in_order(gathers: tuple[Gather, ...], others: list[Gather]) -> bool:
    """Whether the unrolled gathers come first, so that unrolling them keeps the order of the sum."""
    first = len(gathers) - len(others)
    return list(gathers[first:]) == others

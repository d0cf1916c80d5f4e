"""Print sums over the incidences of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statmech_dsl.backends.cupy_gpu.names import Table
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, Shared, block, number, spell
from statmech_dsl.backends.numba_cpu.features import feature
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.kernel import Accumulate, Bump, Role

if TYPE_CHECKING:
    from statmech_dsl.backends.cupy_gpu.printer import PassPrinter

UNROLL = 16
"""Regular roles up to this degree are unrolled; a larger degree is a size, no part of the source."""


class Incidence:
    """Reads the columns of an incidence and their features, each once."""

    def __init__(self, printer: PassPrinter, role: Role) -> None:
        self.printer, self.role = printer, role
        self.shared = Shared("y")
        self._loads: Lines = []
        self._known: dict[str, str] = {}

    @property
    def loop(self) -> str:
        """Head of the loop over the incidences of rank k."""
        degree, names = self.role.degree, self.printer.names
        if degree is None:
            pointer = names.copy(self.role.pointer or "")
            return f"for (u32 m = {pointer}[k]; m < {pointer}[k + 1]; ++m)"
        index = next((c.index for c in self.role.columns if c.index), None)
        end = (
            f"{degree}"
            if degree <= UNROLL or index is None
            else names.size(Table("copy", index), 0)
        )
        return f"for (u32 d = 0; d < {end}; ++d)"

    @property
    def entry(self) -> str:
        """Where a table holds the incidence."""
        return "m" if self.role.degree is None else f"(u64)d * {self.printer.ranks} + k"

    def spell(self, e: Expr) -> str:
        """Print an expression over the columns."""
        return spell(e, self._leaf, self.shared, self.printer.real)

    def lines(self, body: Lines) -> Lines:
        """The loop, whose body comes after the loads and the elementary functions that it needs."""
        unroll = ["#pragma unroll"] if self.role.degree and self.role.degree <= UNROLL else []
        return [*unroll, *block(self.loop, [*self._loads, *self.shared.take(), *body])]

    def _leaf(self, e: Expr) -> str | None:
        if e.op == "slot":
            return self._slot(e.attr)  # type: ignore[arg-type]
        hit = feature(e, self.role.columns, self.printer.p.real, self.printer.real)
        if hit is None or hit[0] not in self.printer.features:
            return self.printer.leaf(e)
        (f, k), array = hit, self.printer.features[hit[0]]
        return self._state(array, k, f.component)

    def _slot(self, k: int) -> str:
        column, names, real = self.role.columns[k], self.printer.names, self.printer.real
        if column.kind == "state":
            return self._state(names.states[column.array], k, column.component)
        if column.kind == "sum":
            index = "0" if column.index is None else f"{names.copy(column.index)}[{self.entry}]"
            return self._load(f"q{k}", f"{names.sums[column.array]}[(u64){index} * R + r]")
        if column.index is None:
            return names.scalar(column.array, real)
        values = Table("values", column.index, column.array, real)
        at = "0" if self.printer.layout.uniform(values) else self.entry
        return self._load(f"q{k}", f"{names.table(values)}[{at}]")

    def _state(self, array: str, k: int, component: int) -> str:
        column = self.role.columns[k]
        row = self._load(f"row_{column.index}", self._row(column.index or "", column.array), "u32")
        return self._load(
            array + f"_{k}", self.printer.names.element(array, column.array, component, row)
        )

    def _row(self, index: str, variable: str) -> str:
        names, index = self.printer.names, self.printer.layout.alike(index)
        rows = names.table(Table("rows", index, variable))
        if self.role.degree is None or not self.printer.layout.follow(index, variable):
            return f"{rows}[{self.entry}]"
        bases = names.table(Table("bases", index, variable))
        return f"follower({bases}, {rows}, {self.printer.ranks}, d, k)"

    def _load(self, key: str, text: str, kind: str = "") -> str:
        if key not in self._known:
            name = f"q{len(self._known)}"
            self._known[key] = name
            kind = kind or C_TYPES[self.printer.real]
            self._loads.append(f"const {kind} {name} = ({kind}){text};")
        return self._known[key]


def accumulate(printer: PassPrinter, s: Accumulate) -> Lines:
    """Lines that bind the accumulators."""
    kind, zero = C_TYPES[printer.real], number(0.0, printer.real)
    out = [f"{kind} {printer.name(n)} = {zero};" for n in s.names]
    for g in s.gathers:
        here = Incidence(printer, g.role)
        body = [f"{printer.name(n)} = {printer.name(n)} + {here.spell(e)};" for n, e in g.terms]
        out += here.lines(body)
    return out


def bump(printer: PassPrinter, s: Bump) -> Lines:
    """Lines that move running sums; a pass that does so is exclusive."""
    here, names = Incidence(printer, s.role), printer.names
    index = "0" if s.target.index is None else f"{names.copy(s.target.index)}[{here.entry}]"
    target = f"{names.sums[s.target.array]}[(u64){index} * R + r]"
    return here.lines([f"{target} = {target} + {here.spell(s.expr)};"])

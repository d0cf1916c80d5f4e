"""Print the sums over incidences of the field tier, in float32, for a team of replicas.

Their last bits do not matter, so products are fused with additions, and a factor that all terms share
multiplies their sum: the bounds of the tier count more roundings than there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statmech_dsl.backends.cupy_gpu.incidences import Incidence
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, number
from statmech_dsl.ir.expr import Expr, const
from statmech_dsl.ir.kernel import SIZE, Accumulate

if TYPE_CHECKING:
    from statmech_dsl.backends.cupy_gpu.field_printer import FieldPrinter


class _Team(Incidence):
    """Reads what a team has in a row at once."""

    def _state(self, array: str, k: int, component: int) -> str:
        column, printer = self.role.columns[k], self.printer
        row = self._load(f"row_{column.index}", self._row(column.index or "", column.array), "u32")
        real = next((f.stored for f, y in printer.names.features.items() if y == array), None)
        kind = C_TYPES[real] if real else printer.names.storage(column.array)
        pack = printer.pack(kind)  # type: ignore[attr-defined]
        place = printer.names.element(array, column.array, component, row, "team")
        at = f"*(const {pack}*)&{place}"
        return f"(float){self._load(f'{array}_{k}', at, pack)}.of[v]"


def field_sums(printer: FieldPrinter, s: Accumulate) -> Lines:
    """Lines that bind the accumulators, arrays with an element for each member of the team."""
    names = [n for n in s.names if n != SIZE]
    terms = {n: [e for g in s.gathers for m, e in g.terms if m == n] for n in names}
    factors = {n: _shared_factor(terms[n]) for n in names}
    sums = {n: f"sum_{printer.name(n)}" for n in names}
    out = [f"float {x}[{printer.width}] = {{}};" for x in sums.values()]
    for g in s.gathers:
        here = _Team(printer, g.role)
        body: Lines = []
        for n, e in g.terms:
            if n != SIZE:
                body.append(_add(f"{sums[n]}[v]", _without(e, factors[n]), here))
        out += here.lines(printer.team([*here.shared.take(), *body]))
    for n in names:
        times = f"{number(factors[n], 'float32')} * " if factors[n] != 1.0 else ""
        printer.inside[n] = f"({times}{sums[n]}[v])"
    return out


def _add(total: str, e: Expr, here: Incidence) -> str:
    if e.op == "mul":
        x, y = (here.spell(a) for a in e.args)
        return f"{total} = fmaf({x}, {y}, {total});"
    return f"{total} = {total} + {here.spell(e)};"


def _shared_factor(terms: list[Expr]) -> float:
    """The constant that multiplies all terms."""
    found = {e.args[0].attr if e.op == "mul" and e.args[0].op == "const" else 1.0 for e in terms}
    (factor,) = found if len(found) == 1 else (1.0,)
    return factor  # type: ignore[return-value]


def _without(e: Expr, factor: float) -> Expr:
    return e if factor == 1.0 else e.args[1] if e.args[0] == const(factor) else e

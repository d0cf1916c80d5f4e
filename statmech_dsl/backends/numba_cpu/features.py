"""Features: functions of one stored value that terms read, such as the cosine of a neighbor's angle.

They are kept beside the state, computed once when a site moves instead of by each neighbor at each of
its updates. A feature of a discrete variable is looked up among its few values.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.numba_cpu.spell import EXPENSIVE
from statmech_dsl.ir.expr import Expr, call, const, evaluate, reads_of, slot, slots_of, walk
from statmech_dsl.ir.expr import at_values as replace_slots
from statmech_dsl.ir.kernel import Accumulate, FieldForm, Gather, Program
from statmech_dsl.ir.model import Column, ModelIR
from statmech_dsl.ir.ops import Real

FEW = 16
"""Values among which a chain of comparisons finds the right one faster than its function is evaluated."""


@dataclass(frozen=True)
class Feature:
    """``function`` (of slot 0) of a variable's component.

    It is evaluated in ``real``, then stored in ``stored``: the field tier rounds features of float64.
    """

    variable: str
    component: int
    function: Expr
    real: Real
    stored: Real

    def at(self, x: Expr, model: ModelIR) -> Expr:
        """The feature of a value; of the alternatives of a choice, each is looked at by itself."""
        if x.op == "where":
            return call("where", x.args[0], self.at(x.args[1], model), self.at(x.args[2], model))
        values = model.variable(self.variable).domain.values
        if values is None or len(values) > FEW:
            return replace_slots(self.function, {0: x})
        *others, last = [(v, const(self._of(v))) for v in values]
        chain = last[1]
        for v, f in reversed(others):
            chain = call("where", call("eq", x, v), f, chain)
        return chain

    def _of(self, value: float) -> float:
        return float(evaluate(self.function, {0: value}, {}, self.real))


def has_expensive(e: Expr) -> bool:
    """Whether an expression calls an elementary function."""
    return any(x.op in EXPENSIVE for x in walk(e))


def feature(
    e: Expr, columns: tuple[Column, ...], real: Real, stored: Real
) -> tuple[Feature, int] | None:
    """The feature that an expression of a term is, and the slot that it is one of."""
    used = slots_of(e)
    if len(used) != 1 or reads_of(e) or not has_expensive(e):
        return None
    (k,) = used
    column = columns[k]
    if column.kind != "state":
        return None
    function = replace_slots(e, {k: slot(0)})
    return Feature(column.array, column.component, function, real, stored), k


def features_of(program: Program) -> tuple[Feature, ...]:
    """All features that the passes of a program read."""
    found: dict[Feature, None] = {}

    def search(e: Expr, g: Gather, real: Real, stored: Real) -> None:
        hit = feature(e, g.role.columns, real, stored)
        if hit is not None:
            found[hit[0]] = None
            return
        for x in e.args:
            search(x, g, real, stored)

    for p in program.passes:
        stored = "float32" if isinstance(p.field, FieldForm) else p.real
        sums = [p.field.accumulate] if isinstance(p.field, FieldForm) else p.body
        for s in sums:
            if isinstance(s, Accumulate):
                for g in s.gathers:
                    for _, e in g.terms:
                        search(e, g, p.real, stored)
    return tuple(found)

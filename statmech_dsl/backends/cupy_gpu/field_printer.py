"""Print a pass of the field tier: decide in float32, and in float64 what is too close to call.

As on the CPU (see `numba_cpu.field_printer`): the value is that of the generic tier, wherever two
thresholds below and above the uniform number, a margin apart, give the same value. Where they do not, the
thread goes through the statements of the generic tier. What a margin takes from the couplings of a site is a
table by rank.
"""

from __future__ import annotations

from dataclasses import replace

from statmech_dsl.backends.cupy_gpu.incidences import accumulate
from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.printer import PassPrinter
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, block, number, spell
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.backends.numba_cpu.features import Feature, has_expensive
from statmech_dsl.backends.numba_cpu.field_printer import margin
from statmech_dsl.ir.draws import Categorical, Let, cumulated_weights
from statmech_dsl.ir.expr import Expr, call, const, read
from statmech_dsl.ir.kernel import SIZE, Accumulate, Assign, FieldForm, LoweredPass


class FieldPrinter(PassPrinter):
    """Prints the body of one pass in the field tier."""

    def __init__(
        self, p: LoweredPass, number: int, first_param: int, names: Names, layout: Layout
    ) -> None:
        super().__init__(p, number, first_param, names, layout)
        assert isinstance(p.field, FieldForm)
        self.form = p.field
        self.exact = PassPrinter(p, number, first_param, names, layout)
        self.exact.features = {}
        self.real = "float32"
        self.features = {f: y for f, y in names.features.items() if f.real == self.real}

    def before(self) -> Lines:
        """What is computed once for a replica."""
        one = " + 1.0" if self.form.fixed else ""
        return [
            *super().before(),
            "const float single_beta = (float)beta_r;",
            f"const float reach_r = (float)(fabs(beta_r){one});",
        ]

    def name(self, n: str) -> str:
        """How a bound name is spelled."""
        return "single_beta" if n == "beta" else super().name(n)

    def lines(self) -> Lines:
        """The code from random words to the new value."""
        *lets, draw, assign = self.p.body[1:]
        assert isinstance(draw, Categorical)
        assert isinstance(assign, Assign)
        body = accumulate(self, _without_size(self.form.accumulate))
        weights, cumulated = cumulated_weights(draw)
        *below, total = cumulated
        for s in (*lets, *weights):
            assert isinstance(s, Let)
            body += self.let(s.name, s.expr)
        self.inside = {"@u": "u", "@margin": "margin", "@low": "low", "@high": "high"}
        body += [
            f"const float margin = {self._margin(len(cumulated))};",
            "const float u = top24(w0);",
            *self.bind("const float low", (read("@u") - read("@margin")) * total),
            *self.bind("const float high", (read("@u") + read("@margin")) * total),
        ]
        low, high = read("@low"), read("@high")
        # Written so that NaN, as from an overflow, is close.
        drawn = [call("le", c, low) for c in below]
        other = [call("where", call("lt", high, c), const(0.0), const(1.0)) for c in below]
        body += self.bind("const float drawn", sum(drawn[1:], drawn[0]))
        body += self.bind("const float other", sum(other[1:], other[0]))
        self.inside = {draw.name: "drawn"}
        assigned = self.assign(assign.value)
        return [
            *self.present.values(),
            *body,
            *block("if (drawn == other)", assigned),
            *block("else", self.exact.lines()),
        ]

    def feature(self, f: Feature, target: str, value: Expr) -> Lines:
        """A feature of the new value, which float32 holds exactly."""
        e = f.at(read("@new"), self.names.model)
        real = "float64" if has_expensive(e) else f.real
        new = f"({C_TYPES[real]})new{f.component}"
        text = spell(e, lambda x: new if x.op == "read" else None, self.shared, real)
        return [*self.shared.take(), f"const {C_TYPES[f.real]} {target} = {text};"]

    def _margin(self, n_values: int) -> str:
        reach = Table("reach", f"{self.number}", f"{n_values}", "float32")
        fixed, _, _ = margin(self.form, n_values)
        at = "0" if self.layout.uniform(reach) else "k"
        return f"fmaf({self.names.table(reach)}[{at}], reach_r, {number(fixed, self.real)})"


def _without_size(s: Accumulate) -> Accumulate:
    gathers = (
        replace(g, terms=tuple((name, e) for name, e in g.terms if name != SIZE)) for g in s.gathers
    )
    return Accumulate(tuple(n for n in s.names if n != SIZE), tuple(gathers))

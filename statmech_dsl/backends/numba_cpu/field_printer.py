"""Print a pass of the field tier: decide in float32, and again in float64 what is too close to call.

For each site the draw's cumulated weights c_k and their total are added up in float32. With a margin m that
is larger than the error of every c_k / total plus that of the uniform number u, all lanes for which
``u - m`` and ``u + m`` give the same value have the value of the generic tier. If any lane has not, the
statements of the generic tier run for all of them. So the bits are the reference's; the chance that a
lane is too close to call is about 10^-6 times the size of its log weights.
"""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.incidences import accumulate
from statmech_dsl.backends.numba_cpu.layouts import Layout, SiteLanes, bounds
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.printer import PassPrinter, words
from statmech_dsl.backends.numba_cpu.runtime_float32 import WEIGHT2F_ERROR
from statmech_dsl.backends.numba_cpu.spell import Shared, number
from statmech_dsl.ir.draws import Categorical, Let, cumulated_weights
from statmech_dsl.ir.expr import call, const, read
from statmech_dsl.ir.kernel import SIZE, Assign, FieldForm, LoweredPass, Program

ULP = 2.0**-24
"""Largest relative error of one rounding to float32."""
SAFETY = 1.25
"""For terms of second order, and for the roundings of the margin itself."""


def margin(form: FieldForm, n_values: int) -> tuple[float, float, float]:
    """A margin as numbers a, b, c: a, plus b and c for each incidence times factor and `SIZE`.

    An error d of all log weights moves a cumulated probability by at most d / 2, half of the largest
    difference of two errors. The exponents err by that of their log weights, twice, and by three roundings of
    a difference of two; the exponential adds its own error. Sums of weights and the product with the
    uniform number are rounded at most ``2 n_values`` times; the uniform number lacks 8 bits.
    """
    fixed = WEIGHT2F_ERROR / 2 + (2 * n_values + 1) * ULP
    each = form.growth * ULP
    return SAFETY * fixed, SAFETY * each * (form.roundings + 3), SAFETY * each


class FieldPrinter(PassPrinter):
    """Prints the body of one pass for a site, or for a block of sites, in the field tier."""

    def __init__(
        self, p: LoweredPass, number: int, first_param: int, names: Names, layout: Layout
    ) -> None:
        super().__init__(p, number, first_param, names, layout)
        assert isinstance(p.field, FieldForm)
        self.form = p.field
        self.exact = PassPrinter(p, number, first_param, names, layout)
        self.exact.features = {}
        self.use("float32")
        self.outliving = set(self.form.accumulate.names)

    def lines(self) -> Lines:
        """The code for the site of rank k (and of its block)."""
        return [
            *words(self),
            *accumulate(self, self.form.accumulate),
            "close = U32(0)",
            self.layout.loop,
            *indent(self._decide()),
            *self._store(),
            "if close != U32(0):",
            *indent(self.exact.decide()),
        ]

    def _decide(self) -> Lines:
        self.shared = Shared()
        *lets, draw, assign = self.p.body[1:]
        assert isinstance(draw, Categorical)
        assert isinstance(assign, Assign)
        weights, cumulated = cumulated_weights(draw)
        *below, total = cumulated
        out: Lines = []
        for s in (*lets, *weights):
            assert isinstance(s, Let)
            out += self.bind(self.name(s.name), s.expr)
        every = self.spell(total)
        out += [
            f"margin = {self._margin(len(cumulated))}",
            f"u = top24({self.layout.word(0)})",
            f"low, high = (u - margin) * {every}, (u + margin) * {every}",
        ]
        self.inside = {"@low": "low", "@high": "high", draw.name: "drawn"}
        low, high = read("@low"), read("@high")
        out += self.bind(
            "drawn", sum((call("le", c, low) for c in below[1:]), call("le", below[0], low))
        )
        # Written so that NaN, as from an overflow, is close.
        above = [call("where", call("lt", high, c), const(0.0), const(1.0)) for c in below]
        out += self.bind("other", sum(above[1:], above[0]))
        out.append("close = U32(close | U32(drawn != other))")
        return out + [x for k, e in enumerate(assign.value) for x in self._assign(k, e)]

    def _margin(self, n_values: int) -> str:
        a, b, c = margin(self.form, n_values)
        scale, static = "", 0
        for g in self.form.accumulate.gathers:
            low, high = bounds(self.names, g.role, self.layout)
            if high.isdigit():
                static += int(high)
            else:
                scale += f" + {number(c, self.real)} * np.float32({high} - {low})"
        scale = number(b + static * c, self.real) + scale
        size = f"({scale}) * {self.name(SIZE)}"
        return f"fma32({size}, {self._reach()}, {number(a, self.real)})"

    def _reach(self) -> str:
        """The factor of the margin: filled when the kernel comes to a chunk, like other numbers of replicas."""
        sites = isinstance(self.layout, SiteLanes)
        return "reach" if sites else f"{self.names.row('reach', self.real)}[r]"


def of_chunk(program: Program, names: Names, layout: Layout) -> Lines:
    """Lines that prepare what passes in float32 read of a chunk's replicas."""
    numbers = {single: layout.of_replica(name) for name, single in names.singles.items()}
    forms = [p.field for p in program.passes if isinstance(p.field, FieldForm)]
    if forms:
        one = " + 1.0" if any(f.fixed for f in forms) else ""
        numbers["reach"] = f"abs({layout.of_replica('beta')}){one}"
    if isinstance(layout, SiteLanes):
        return [f"{single} = np.float32({x})" for single, x in numbers.items()]
    fill = [f"{single}[r] = np.float32({x})" for single, x in numbers.items()]
    return [layout.loop, *indent(fill)] if fill else []

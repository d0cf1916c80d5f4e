"""Print a pass of the field tier: decide in float32, and in float64 what is too close to call.

As on the CPU (see `numba_cpu.field_printer`): the value is that of the generic tier, wherever two
thresholds below and above the uniform number, a margin apart, give the same value. Where they do not, the
thread goes through the statements of the generic tier. What a margin takes from the couplings of a site is a
table by rank. A thread has a team of neighboring replicas, which share what is read of tables.
"""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.field_sums import field_sums
from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.printer import PassPrinter
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, block, number
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.backends.numba_cpu.field_printer import margin
from statmech_dsl.ir.draws import Categorical, Let, cumulated_weights
from statmech_dsl.ir.expr import call, const, read
from statmech_dsl.ir.kernel import Assign, FieldForm, LoweredPass


class _Member(PassPrinter):
    """Prints for a member of a team: number v, replica r."""

    def put(self, array: str, component: int, value: str) -> str:
        """Keep what the team stores together."""
        return f"new_{array}_{component}.of[v] = {value};"


class FieldPrinter(_Member):
    """Prints the body of one pass in the field tier, for teams of ``width`` replicas."""

    fast = True

    def __init__(
        self,
        p: LoweredPass,
        number: int,
        first_param: int,
        names: Names,
        layout: Layout,
        width: int,
    ) -> None:
        super().__init__(p, number, first_param, names, layout)
        assert isinstance(p.field, FieldForm)
        self.form, self.replica, self.width = p.field, "team", width
        self.exact = _Member(p, number, first_param, names, layout)
        self.exact.features = {}
        self.use("float32")

    def begin(self) -> Lines:
        """What a thread reads before the first of its ranks, and its streams, ``before`` ranks later."""
        one = " + 1.0" if self.form.fixed else ""
        w = self.width
        return [
            f"Stream g[{w}];",
            f"float single_beta[{w}], reach[{w}];",
            *self.team(
                [
                    f"g[v] = {self.stream('r')};",
                    f"skip(g[v], {self.p.words} * before);",
                    "single_beta[v] = (float)beta[r];",
                    f"reach[v] = (float)(fabs(beta[r]){one});",
                ]
            ),
        ]

    def after(self) -> Lines:
        """Draws by weights count no acceptances."""
        return []

    def team(self, body: Lines) -> Lines:
        """A loop over the members of the team."""
        body = ["const u32 r = team + v;", *body]
        return ["#pragma unroll", *block(f"for (u32 v = 0; v < {self.width}; ++v)", body)]

    def pack(self, kind: str) -> str:
        """Type of what a team reads or stores at once."""
        return f"Team<{kind}, {self.width}>"

    def name(self, n: str) -> str:
        """How a bound name is spelled."""
        return "single_beta[v]" if n == "beta" else super().name(n)

    def lines(self) -> Lines:
        """The code for the site of rank k."""
        return [*field_sums(self, self.form.accumulate), *self._stored(self.team(self.decide()))]

    def _stored(self, body: Lines) -> Lines:
        """A body that finds new values and features, and their stores."""
        v, names = self.p.variable, self.names
        arrays = [(names.states[v], k, names.storage(v)) for k in range(names.components(v))]
        arrays += [
            (y, f.component, C_TYPES[f.stored])
            for f, y in names.features.items()
            if f.variable == v
        ]
        before = [f"{self.pack(kind)} new_{x}_{k};" for x, k, kind in arrays]
        after = [
            f"*({self.pack(kind)}*)&{names.element(x, v, k, self.row, 'team')} = new_{x}_{k};"
            for x, k, kind in arrays
        ]
        return [*before, *body, *after]

    def decide(self) -> Lines:
        """The code for a member of the team, from its sums to its new value."""
        *lets, draw, assign = self.p.body[1:]
        assert isinstance(draw, Categorical)
        assert isinstance(assign, Assign)
        weights, cumulated = cumulated_weights(draw)
        *below, total = cumulated
        body = ["const u32 w0 = next(g[v]);"]
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
            *block("else", [*self.exact.before(), *self.exact.decide()]),
        ]

    def _margin(self, n_values: int) -> str:
        reach = Table("reach", f"{self.number}", f"{n_values}", "float32")
        fixed, _, _ = margin(self.form, n_values)
        at = "0" if self.layout.uniform(reach) else "k"
        return f"fmaf({self.names.table(reach)}[{at}], reach[v], {number(fixed, self.real)})"

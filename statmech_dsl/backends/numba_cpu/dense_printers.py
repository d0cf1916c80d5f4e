"""Print dense passes.

Verdicts on a site come in float32 for all lanes at once, from fields that a matrix gives. The lanes that
are too close to call run the statements of the pass, printed for one lane: so the bits are those of the
definition, whatever the arithmetic of the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.decide_lines import BUFFERS
from statmech_dsl.backends.numba_cpu.layouts import ReplicaLanes
from statmech_dsl.backends.numba_cpu.lookups import FOUR, LINE, TOGETHER
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.printer import PassPrinter, words_of_replicas
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.rng import TILE_STREAM


@dataclass(frozen=True)
class OneLane(ReplicaLanes):
    """The lane number ``lane`` of a chunk."""

    @property
    def loop(self) -> str:  # noqa: D102
        return "for r in range(lane, lane + 1):"


def view(state: str) -> str:
    """The states of a chunk."""
    return f"X{state[1:]}"


class DensePrinter:
    """Prints one pass, number ``z`` of the sweep."""

    arrays: ClassVar[tuple[str, ...]]
    """Arguments besides those that all dense passes have."""
    last: bool = False
    """Whether it ends the sweep, and so leaves energies behind."""

    def __init__(self, p: LoweredPass, z: int, names: Names, lanes: int) -> None:
        assert p.dense is not None
        self.p, self.z, self.names, self.lanes = p, z, names, lanes
        self.form: DenseForm = p.dense
        self.loop = f"for r in range({lanes}):"
        self.order = names.table(p.order)
        self.values = f"np.int8({int(p.dense.low)}), np.int8({int(p.dense.high)})"

    def lines(self) -> Lines:
        """The pass, over all chunks."""
        raise NotImplementedError

    def decision(self) -> Lines:
        """The statements of the pass at the rank k, for one lane."""
        names = self.names.without_rows()
        body = PassPrinter(self.p, self.z, 0, names, OneLane(self.lanes)).decide()
        return [
            *(f"{r} = row({self.lanes}, np.{kind})" for r, kind in sorted(names.rows.items())),
            f"words = row({self.lanes}, np.uint32)",
            "words[lane] = word",
            f"i = {self.order}[k]",
            *body,
        ]

    def decide(self, lane: str) -> str:
        """Let the definition decide a lane at the site of rank k, by a random word."""
        states = map(view, self.names.states.values())
        arguments = ["k", lane, "word", "beta", "c", *states, *self.names.tables.values()]
        return f"decide{self.z}({', '.join(arguments)})"

    def state(self, variable: str) -> str:
        """The states of a variable."""
        return view(self.names.states[variable])

    def high(self, variable: str) -> str:
        """The high value of a variable."""
        values = self.names.model.variable(variable).domain.values
        assert values is not None
        return f"np.int8({int(values[1])})"

    def chunk(self) -> Lines:
        """Views of the chunk c."""
        states = self.names.states.values()
        return [
            *(f"{view(x)} = {x}[c]" for x in states),
            "G = streams[c - c0]",
        ]

    def words(self) -> Lines:
        """Random words of the site of rank k."""
        return words_of_replicas(self.lanes, 1, f"U({self.p.stream | TILE_STREAM})")

    def verdicts(self, field: str, then: Lines) -> Lines:
        """What float32 makes of the site of rank k; ``then`` takes the verdict v on each lane."""
        x = f"f32(f32({field} * scale{self.z}[k]) * exponent{self.z}[c, r])"
        slack = f"f32(slack * width{self.z}[c, r])"
        return [
            f"i, slack = {self.order}[k], slack{self.z}[k]",
            f"own = {self.state(self.p.variable)}[i]",
            self.loop,
            f"    v = verdict({x}, {slack}, words[r], {self.values})",
            *indent(then),
        ]


class Fields(DensePrinter):
    """Every site may depend on every other: the fields of all sites are kept, and every flip moves them.

    The states that fields account for are kept beside them in ``seen``; what has changed elsewhere since the
    last sweep is found by comparison.
    """

    arrays = ("steps", "first", "fields", "seen")

    def lines(self) -> Lines:  # noqa: D102
        z = self.z
        body = [f"fields, seen = fields{z}[c], seen{z}[c]", *self.chunk(), *self._follow()]
        flip: Lines = ["pass"]
        if self.p.variable in self.form.sources:
            row = f"first{z}[{self.form.sources.index(self.p.variable)}] + i"
            flip = [f"seen[{row}, r] = own[r]", *self._move(self.p.variable, row, "own[r]")]
        visit = [
            *self.words(),
            *[self.loop, "    field[r] = f32(fields[r, k])"],
            *self.verdicts("field[r]", ["verdicts[r] = v"]),
            "for r in range(live[c]):",
            "    if verdicts[r] != own[r]:",
            "        before = own[r]",
            "        own[r] = verdicts[r]",
            "        if verdicts[r] == CLOSE:",
            "            word = words[r]",
            f"            {self.decide('r')}",
            "        if own[r] != before:",
            *indent(flip, 3),
        ]
        body += [f"for k in range({self.order}.shape[0]):", *indent(visit)]
        return [
            f"field = np.empty({self.lanes}, np.float32)",
            f"verdicts = np.empty({self.lanes}, np.int8)",
            "for c in range(c0, c1):",
            *indent(body),
        ]

    def _follow(self) -> Lines:
        """Move the fields by all changes since they were computed."""
        out: Lines = []
        for number, variable in enumerate(self.form.sources):
            states = self.state(variable)
            out += [
                f"for j in range({states}.shape[0]):",
                f"    row = first{self.z}[{number}] + j",
                "    changed = 0",
                f"    {self.loop}",
                f"        changed |= {states}[j, r] ^ seen[row, r]",
                "    if changed != 0:",
                "        for r in range(live[c]):",
                f"            if {states}[j, r] != seen[row, r]:",
                f"                seen[row, r] = {states}[j, r]",
                *indent(self._move(variable, "row", f"{states}[j, r]"), 4),
            ]
        return out

    def _move(self, variable: str, row: str, value: str) -> Lines:
        """Move the fields of lane r after a source has taken a new value."""
        return [
            f"if {value} == {self.high(variable)}:",
            f"    add_row(fields[r], steps{self.z}[{row}])",
            "else:",
            f"    subtract_row(fields[r], steps{self.z}[{row}])",
        ]


class Products(DensePrinter):
    """The sites of a color do not depend on each other: a matrix product gives their fields.

    A row of ``colors`` holds its first rank and the one after its last, the ends of its block in ``steps``
    and ``matrix``, and where its sources of each variable begin (and end) in ``members``.
    """

    arrays = ("steps", "offset", "colors", "members", "matrix", "constant", "error")

    def lines(self) -> Lines:  # noqa: D102
        z, sources = self.z, list(enumerate(self.form.sources))
        gather: Lines = []
        for number, variable in sources:
            gather += [
                f"for q in range(color[{4 + number}], color[{5 + number}]):",
                f"    values, to = {self.state(variable)}[members{z}[q]], sources[q - color[4]]",
                f"    {self.loop}",
                f"        to[at + r] = f32(1.0) if values[r] == {self.high(variable)} else f32(0.0)",
            ]
        store = ["own[r] = v", "close = i32(close | i32(v == CLOSE))"]
        visit = [
            *self.words(),
            "row = products[k - color[0], at:]",
            "close = i32(0)",
            *self.verdicts(f"f32(row[r] + offset{z}[k])", store),
            "if close != 0:",
            "    for r in range(live[c]):",
            "        if own[r] == CLOSE:",
            "            word = words[r]",
            *indent(self.again("own[r]", "r"), 3),
            "            if own[r] == CLOSE:",
            f"                {self.decide('r')}",
        ]
        width, shape = f"(c1 - c0) * {self.lanes}", ".reshape((size, n_sources))"
        chunks = ["for c in range(c0, c1):", f"    at = (c - c0) * {self.lanes}"]
        color = [
            f"color = colors{z}[g]",
            f"size, n_sources = color[1] - color[0], color[{4 + len(sources)}] - color[4]",
            f"sources = np.empty((n_sources, {width}), np.float32)",
            f"products = np.empty((size, {width}), np.float32)",
            *[*chunks, *indent([*self.chunk(), *gather])],
            f"np.dot(steps{z}[color[2] : color[3]]{shape}, sources, products)",
            f"matrix = matrix{z}[color[2] : color[3]]{shape}",
            *chunks,
            *indent([*self.chunk(), "for k in range(color[0], color[1]):", *indent(visit)]),
        ]
        return [f"for g in range(colors{z}.shape[0]):", *indent(color)]

    def again(self, to: str, lane: str) -> Lines:
        """The verdict on the site of rank k from its field in float64."""
        z = self.z
        out = [f"e = constant{z}[k]"]
        for number, variable in enumerate(self.form.sources):
            a, b = f"color[{4 + number}]", f"color[{5 + number}]"
            row, sites = f"matrix[k - color[0], {a} - color[4] :]", f"members{z}[{a} : {b}]"
            states, high = self.state(variable), self.high(variable)
            out += [f"e += high_sum({row}, {states}, {sites}, {lane}, {high})"]
        given = f"e, error{z}[k], beta[c, {lane}], word, {self.values}"
        return [*out, f"{to} = second_verdict({given})"]


class Lookups(Products):
    """One color and small tables: sums of couplings by lookup give the fields of a line of sites.

    Members are all sites of the sources.
    """

    arrays = (
        *("lines", "offset", "start", "weights", "edges", "runs"),
        *("colors", "members", "matrix", "constant", "error", *BUFFERS),
    )

    def lines(self) -> Lines:  # noqa: D102
        z, own, keep = self.z, self.names.states[self.p.variable], "keep" if self.last else "False"
        counters = f"(replica, U(sweep), U({self.p.stream | TILE_STREAM}), key0, key1)"
        given = [
            f"c0, c1, next0, {own}, (runs{z}, {self.order}), {counters}",
            f"(offset{z}, lines{z}, start{z}, weights{z}), fours, (exponent{z}, edges{z}, width{z}, slack{z})",
            f"({self.values}), ({', '.join(f'{name}{z}' for name in BUFFERS)}), {keep}",
        ]
        again = [
            f"k, word = k0 + r, words{z}[c * {LINE} + r]",
            *(f"{view(s)} = {s}[c]" for s in self.names.states.values()),
            *self.again(f"{own}[c, i, 0]", "0"),
            f"if {own}[c, i, 0] == CLOSE:",
            f"    {self.decide('0')}",
            f"values{z}[c * {LINE} + r] = {own}[c, i, 0]",
        ]
        line = [
            f"next0, n_close = decide_lines({', '.join(given)})",
            f"k0 = next0 - {LINE}",
            "for q in range(n_close):",
            f"    c = close{z}[c0 + q]",
            f"    for r in range(min({LINE}, size - k0)):",
            f"        i = {self.order}[k0 + r]",
            f"        if {own}[c, i, 0] == CLOSE:",
            *indent(again, 3),
        ]
        sources: Lines = []
        if self.last:
            run = f"runs{z}[k0 // {LINE}] if k0 + {LINE} <= size else -1"
            given = f"fields{z}, {own}, run, values{z}, {self.high(self.p.variable)}"
            line += [
                "if keep:",
                f"    run = {run}",
                f"    add_fields(c0, c1, {given}, unit, energy)",
            ]
            sources = ["if keep:", f"    add_sources(c0, c1, codes{z}, stride, sources, energy)"]
        return [
            f"color = colors{z}[0]",
            f"size, n_sources = color[1], color[{4 + len(self.form.sources)}]",
            f"matrix = matrix{z}.reshape((size, n_sources))",
            f"fours = (n_sources + {FOUR - 1}) // {FOUR}",
            "stride = stride_of(fours)",
            *self._codes(),
            *sources,
            "next0 = 0",
            "while next0 < size:",
            *indent(line),
        ]

    def _codes(self) -> Lines:
        """Which sources of the chunks are high."""
        z, sources = self.z, [(self.names.states[v], self.high(v)) for v in self.form.sources]
        rest = f"rest = np.full({TOGETHER}, np.int8({{}} - 1))"
        to = f"rest, codes{z}, c * stride"
        if len(sources) == 1:
            ((states, high),) = sources
            return [
                f"states, n_states = {states}.reshape(-1), {states}.shape[1]",
                rest.format(high),
                "for c in range(c0, c1):",
                f"    encode(states, c * n_states, n_states, {high}, {to})",
            ]
        joined = []
        for number, (states, high) in enumerate(sources):
            joined += [
                f"for q in range({states}.shape[1]):",
                f"    joined[color[{4 + number}] + q] = np.int8({states}[c, q, 0] == {high})",
            ]
        return [
            "joined = np.zeros(n_sources, np.int8)",
            rest.format(1),
            "for c in range(c0, c1):",
            *indent(joined),
            f"    encode(joined, 0, n_sources, np.int8(1), {to})",
        ]

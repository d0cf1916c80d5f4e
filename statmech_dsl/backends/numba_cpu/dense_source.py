"""Print the sweep of a program whose passes are all dense.

Verdicts on a site come in float32 for all lanes at once, from fields that a matrix gives. The lanes that
are too close to call run the statements of the pass, printed for one lane, so that the bits are those of the definition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from statmech_dsl.backends.numba_cpu.kernels_source import COMPILE, HEADER, Source
from statmech_dsl.backends.numba_cpu.layouts import ReplicaLanes
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.printer import Lines, PassPrinter, indent
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import TILE, TILE_LANES, TILE_STREAM, WARM_UP

IMPORTS = """from statmech_dsl.backends.numba_cpu.runtime_float32 import (
    CLOSE, add_row, f32, subtract_row, verdict
)

"""
ARRAYS = {
    "fields": ("steps", "scale", "slack", "first", "fields", "seen"),
    "products": ("steps", "offset", "scale", "slack", "colors", "members"),
}
"""Arguments of a pass, besides the exponents of its lanes; see dense.py."""


@dataclass(frozen=True)
class OneLane(ReplicaLanes):
    """Only the lane number ``lane`` of a chunk."""

    @property
    def loop(self) -> str:  # noqa: D102
        return "for r in range(lane, lane + 1):"


def dense_source(program: Program, tables: Tables, lanes: int) -> Source:
    """The kernel that does n sweeps on the chunks c0 <= c < c1."""
    names = Names(program.model, tables)
    decisions = [_decision(p, z, names, lanes) for z, p in enumerate(program.passes)]
    passes = [x for z, p in enumerate(program.passes) for x in _Pass(p, z, names, lanes).lines()]
    states = list(names.states.values())
    own = [f"{name}{z}" for z, p in enumerate(program.passes) for name in arguments(p)]
    listed = [*states, *names.tables.values()]
    text: Lines = []
    for z, lines in enumerate(decisions):
        head = ", ".join(["k", "lane", "word", "beta", "c", *(_view(x) for x in states)])
        text += [COMPILE, f"def decide{z}({', '.join([head, *names.tables.values()])}):"]
        text += [*indent(lines), "", ""]
    buffers = [f"G{k} = np.empty(({TILE_LANES}, {lanes}), np.uint32)" for k in range(3)]
    buffers += [f"words = np.empty({lanes}, np.uint32)", f"verdicts = np.empty({lanes}, np.int8)"]
    buffers += [f"field = np.empty({lanes}, np.float32)"]
    head = "c0, c1, n, sweep0, seed, live, replica, beta, exponent".split(", ")
    text += [
        COMPILE,
        f"def kernel({', '.join([*head, *own, *listed])}):",
        "    key0, key1 = seed & MASK, seed >> U(32)",
        *indent(buffers),
        "    for c in range(c0, c1):",
        *indent([f"{_view(x)} = {x}[c]" for x in states], 2),
        "        for sweep in range(sweep0, sweep0 + n):",
        *indent(passes, 3),
    ]
    return Source(HEADER + IMPORTS + "\n".join(text) + "\n", tuple(names.tables))


def arguments(p: LoweredPass) -> tuple[str, ...]:
    """What the kernel takes for a pass."""
    assert p.dense is not None
    return ("width", *ARRAYS[p.dense.method])


def _view(state: str) -> str:
    return f"X{state[1:]}"


def _decision(p: LoweredPass, z: int, names: Names, lanes: int) -> Lines:
    """The statements of a pass at the rank k, for one lane."""
    printer = PassPrinter(replace(p, words=0), z, 0, names, OneLane(lanes))
    body = printer.lines()
    rows = sorted({names.local(n, z) for n in printer.rows} | {"old0", "new0"})
    return [
        *(f"{row} = np.empty({lanes})" for row in rows),
        f"W = np.empty((1, {lanes}))",
        "W[0, lane] = uniform(word)",
        f"i = {names.table(p.order)}[k]",
        *body,
    ]


class _Pass:
    """Prints one pass of the sweep."""

    def __init__(self, p: LoweredPass, z: int, names: Names, lanes: int) -> None:
        assert p.dense is not None
        self.p, self.z, self.names, self.lanes = p, z, names, lanes
        self.form: DenseForm = p.dense
        self.loop = f"for r in range({lanes}):"
        self.own = self._state(p.variable)

    def lines(self) -> Lines:
        """The code of the pass."""
        return self._fields() if self.form.method == "fields" else self._products()

    def _state(self, variable: str) -> str:
        return _view(self.names.states[variable])

    def _high(self, variable: str) -> str:
        values = self.names.model.variable(variable).domain.values
        assert values is not None
        return f"np.int8({int(values[1])})"

    # ---- every site depends on every other ----------------------------------------------------------

    def _fields(self) -> Lines:
        """Keep the fields of all sites; every flip moves them."""
        z = self.z
        out = [f"fields, seen = fields{z}[c], seen{z}[c]"]
        for number, variable in enumerate(self.form.sources):
            out += [
                f"for j in range({self._state(variable)}.shape[0]):",
                f"    q = first{z}[{number}] + j",
                f"    now, before = {self._state(variable)}[j], seen[q]",
                "    changed = 0",
                f"    {self.loop}",
                "        changed |= now[r] ^ before[r]",
                "    if changed != 0:",
                "        for r in range(live[c]):",
                "            if now[r] != before[r]:",
                *indent(self._move(variable, "q", "now[r]"), 4),
                "                before[r] = now[r]",
            ]
        order = self.names.table(self.p.order)
        moved = []
        if self.p.variable in self.form.sources:
            number = self.form.sources.index(self.p.variable)
            moved = [
                f"q = first{z}[{number}] + i",
                "seen[q, r] = own[r]",
                *self._move(self.p.variable, "q", "own[r]"),
            ]
        return [
            *out,
            f"for k in range({order}.shape[0]):",
            *indent(
                [
                    *self._words(),
                    *[self.loop, "    field[r] = f32(fields[r, k])"],
                    *self._verdicts("field[r]"),
                    f"i = {order}[k]",
                    f"own = {self.own}[i]",
                    "for r in range(live[c]):",
                    "    if verdicts[r] != own[r]:",
                    "        before_r = own[r]",
                    "        own[r] = verdicts[r]",
                    "        if verdicts[r] == CLOSE:",
                    f"            {self._decide()}",
                    "        if own[r] != before_r:",
                    *indent(moved or ["pass"], 3),
                ]
            ),
        ]

    def _move(self, variable: str, row: str, value: str) -> Lines:
        return [
            f"if {value} == {self._high(variable)}:",
            f"    add_row(fields[r], steps{self.z}[{row}])",
            "else:",
            f"    subtract_row(fields[r], steps{self.z}[{row}])",
        ]

    # ---- the sites of a color together --------------------------------------------------------------

    def _products(self) -> Lines:
        """The fields of a color are a matrix product; its sites do not depend on each other."""
        z = self.z
        gather: Lines = []
        for number, variable in enumerate(self.form.sources):
            gather += [
                f"for q in range(color[{4 + number}], color[{5 + number}]):",
                f"    now, to = {self._state(variable)}[members{z}[q]], sources[q - color[4]]",
                f"    {self.loop}",
                f"        to[r] = f32(1.0) if now[r] == {self._high(variable)} else f32(0.0)",
            ]
        n_members = f"(color[{4 + len(self.form.sources)}] - color[4])"
        order = self.names.table(self.p.order)
        return [
            f"for g in range(colors{z}.shape[0]):",
            *indent(
                [
                    f"color = colors{z}[g]",
                    f"sources = np.empty(({n_members}, {self.lanes}), np.float32)",
                    *gather,
                    f"matrix = steps{z}[color[2] : color[3]].reshape((color[1] - color[0], {n_members}))",
                    f"products = np.empty((color[1] - color[0], {self.lanes}), np.float32)",
                    "np.dot(matrix, sources, products)",
                    "for k in range(color[0], color[1]):",
                    *indent(
                        [
                            *self._words(),
                            "row = products[k - color[0]]",
                            *self._verdicts(f"f32(row[r] + offset{z}[k])"),
                            f"i = {order}[k]",
                            f"own = {self.own}[i]",
                            "close = 0",
                            self.loop,
                            "    own[r] = verdicts[r]",
                            "    close |= verdicts[r] == CLOSE",
                            "if close != 0:",
                            "    for r in range(live[c]):",
                            "        if verdicts[r] == CLOSE:",
                            f"            {self._decide()}",
                        ]
                    ),
                ]
            ),
        ]

    # ---- both ---------------------------------------------------------------------------------------

    def _words(self) -> Lines:
        """Random words of the site of rank k."""
        counter = f"U(k // {TILE} * {TILE_LANES}), replica[c], U(sweep), U({self.p.stream | TILE_STREAM})"
        return [
            f"if k % {TILE} == 0:",
            f"    seed_tile(G0, G1, G2, {counter}, key0, key1)",
            f"g0, g1, g2 = G0[k % {TILE_LANES}], G1[k % {TILE_LANES}], G2[k % {TILE_LANES}]",
            f"step = U32(k % {TILE} // {TILE_LANES} + {WARM_UP + 1})",
            self.loop,
            "    a0, a1, a2, words[r] = sfc32(g0[r], g1[r], g2[r], step)",
            "    g0[r], g1[r], g2[r] = a0, a1, a2",
        ]

    def _verdicts(self, field: str) -> Lines:
        z, low, high = self.z, int(self.form.low), int(self.form.high)
        x = f"f32(f32({field} * scale{z}[k]) * exponent[c, r])"
        return [
            f"wide = slack{z}[k]",
            self.loop,
            f"    verdicts[r] = verdict({x}, f32(wide * width{z}[c, r]), words[r],"
            f" np.int8({low}), np.int8({high}))",
        ]

    def _decide(self) -> str:
        states = [_view(x) for x in self.names.states.values()]
        arguments = ["k", "r", "words[r]", "beta", "c", *states, *self.names.tables.values()]
        return f"decide{self.z}({', '.join(arguments)})"

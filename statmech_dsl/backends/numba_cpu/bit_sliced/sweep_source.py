"""Print the sweeps of a bit-sliced program.

For every block of sites: random planes, the bits of all terms, their count, masks of the lanes with each
size of local energy, the comparison with thresholds plane by plane, and the few lanes that it leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines, count, mask
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.backends.numba_cpu.bit_sliced.names import Names
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitPass, Bits
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import BIT_STREAM, BIT_TILE, GROUP_LANES, PLANES, WARM_UP


@dataclass(frozen=True)
class _Rows:
    """Numbers of the rows that a pass uses after the planes: new values, open lanes, masks of classes."""

    out: int
    open: int
    classes: tuple[int, ...]


class SweepPrinter:
    """Prints a sweep of chunk c, as thread ``me`` of ``team``."""

    def __init__(
        self, program: Program, bits: Bits, arrays: Tables, block: Block, names: Names
    ) -> None:
        self.program, self.bits, self.arrays = program, bits, arrays
        self.block, self.names = block, names
        self.rows = PLANES

    def body(self) -> Lines:
        """The sweep; ``self.rows`` is the number of rows that it needs."""
        return [line for k in range(len(self.program.passes)) for line in self._pass(k)]

    # ---- one pass -------------------------------------------------------------------------------

    def _pass(self, number: int) -> Lines:
        p, form = self.program.passes[number], self.bits.passes[number]
        folded, ranks = self.bits.fold is not None, self.block.ranks
        x, segments = self.names.states[p.variable], self.names.table(p.segments)
        gathers, inputs = self._inputs(form)
        out = PLANES + len(inputs)
        rows = _Rows(out, out + 1, tuple(range(out + 2, out + 1 + max(form.n_classes, 1))))
        self.rows = max(self.rows, out + 1 + max(form.n_classes, 1))
        block = [
            f"if k0 // {BIT_TILE} != tile:",
            f"    tile = k0 // {BIT_TILE}",
            *indent(self._seed(p.stream | BIT_STREAM)),
            *([] if folded else ["if k0 != drawn:", "    drawn = k0", *indent(self._draw())]),
            *gathers,
            f"for h in range({self.block.halves}):",
            *indent(self._part(form, number, [name for _, name in inputs], inputs, rows)),
            f"for h in range({self.block.halves}):",
            *indent(self._store(x, rows)),
            *(self._go_on() if folded else []),
        ]
        return [
            f"levels = thresholds{number}[c]",
            "tile, drawn = -1, -1",
            f"for g in range({segments}.shape[0] - 1):",
            f"    first, last = {segments}[g], {segments}[g + 1]",
            *indent(self._share()),
            f"    for k0 in range(first // {ranks} * {ranks}, last, {ranks}):",
            *indent(block, 2),
            *indent(self._meet(x)),
        ]

    def _share(self) -> Lines:
        """Each thread takes whole tiles, since their streams are read from the front."""
        return [
            f"tiles = (last + {BIT_TILE - 1}) // {BIT_TILE} - first // {BIT_TILE}",
            f"start = (first // {BIT_TILE} + tiles * me // team) * {BIT_TILE}",
            f"stop = (first // {BIT_TILE} + tiles * (me + 1) // team) * {BIT_TILE}",
            "first, last = max(first, start), min(last, stop)",
        ]

    def _meet(self, x: str) -> Lines:
        halo = [f"refresh({x}, source{x[1:]}, turn{x[1:]}, lanes, first, last)"]
        return [*(halo if self.bits.fold is not None else []), "met = wait(sync, met, team)"]

    def _store(self, x: str, rows: _Rows) -> Lines:
        """Words of the ranks of the present color; rows of states are sorted by rank."""
        part, words = self.block.ranks // self.block.halves, self.block.words
        return [
            f"k, at = k0 + h * {part}, {self.block.row(rows.out)} + h * {self.block.stride}",
            f"start, stop = max(first - k, 0) * {words}, min(last - k, {part}) * {words}",
            f"for w in range(start, stop): {x}[k * {words} + w] = S[at + w]",
        ]

    def _number(self) -> str:
        """Number of the first word that the block takes from its streams."""
        return f"k0 % {BIT_TILE} // {self.block.ranks} * {self.block.draws} + {WARM_UP + 1}"

    def _seed(self, stream: int) -> Lines:
        """Begin the streams of a tile and bring them to the present block."""
        b = self.block
        if self.bits.fold is None:  # in the order of bytes, lanes and words
            lanes, lane = GROUP_LANES, f"w // {b.words} % {GROUP_LANES}"
            whom = f"groups[c, w // {b.words * GROUP_LANES}, w % {b.words}]"
        else:
            lanes, lane, whom = b.streams, "w", "groups[c, 0, 0]"
        n = b.streams
        return [
            f"for w in range({n}):",
            f"    S[{2 * n} + w], S[{3 * n} + w] = U(tile * {lanes} + {lane}), U({whom})",
            f"begin_streams({n}, S, U(sweep), U({stream}), key0, key1, {self._number()})",
        ]

    def _draw(self) -> Lines:
        """Planes of groups of replicas into rows 0, 1, ...: their streams hold a byte for each word."""
        b = self.block
        return [
            f"draw3({b.streams}, S, 0, U({self._number()}), {b.streams}, {b.row(0)})",
            "for q in range(3):",
            f"    transpose({b.width}, S, {b.row(0)} + q * {b.streams}, {b.width})",
        ]

    def _go_on(self) -> Lines:
        """Keep the next states, unless the block goes on in the next color."""
        n = 3 * self.block.streams
        return [
            f"if k0 + {self.block.ranks} <= last:",
            f"    for w in range({n}): S[w] = S[{n} + w]",
        ]

    # ---- bits of the terms ------------------------------------------------------------------------

    def _inputs(self, form: BitPass) -> tuple[Lines, list[tuple[int, str]]]:
        """Lines that gather bits into rows; for each row its weight and its spelling."""
        lines: Lines = []
        inputs: list[tuple[int, str]] = []
        part = self.block.ranks // self.block.halves
        first, group = f"k0 + h * {part}", f"k0 // {part} + h"

        def at() -> str:
            return f"{self.block.row(PLANES + len(inputs))} + h * {self.block.stride}"

        for term in form.terms:
            left = len(self.arrays[term.columns[0].index])
            done = 0
            while left:  # rows of an area follow each other: one loop serves them
                n = min(left, PLANES - (PLANES + len(inputs)) % PLANES)
                read = self.names.read(term, "d, ", first, part, "at", group)
                here = f"at = {at()} + (d - {done}) * {self.block.width}"
                lines += [f"for d in range({done}, {done + n}):", *indent([here, *read])]
                for _ in range(n):
                    word = self._word(PLANES + len(inputs))
                    inputs.append((term.weight, f"{'~' * (term.flip is True)}{word}"))
                left, done = left - n, done + n
        if form.offset is not None:
            for q in range(len(self.arrays[form.offset])):
                digit = f"{self.names.table(form.offset)}[{q}, {first} + j]"
                lines += self.names.spread(digit, part, at())
                inputs.append((1 << q, self._word(PLANES + len(inputs))))
        return [f"for h in range({self.block.halves}):", *indent(lines or ["pass"])], inputs

    def _word(self, row: int) -> str:
        return f"S[{self.block.row(row)}]"

    # ---- the decision ---------------------------------------------------------------------------

    def _part(
        self, form: BitPass, number: int, names: list[str], inputs: list, rows: _Rows
    ) -> Lines:
        """New values of a part of the block."""
        b = self.block
        bits = [
            (q, f"a{k}")
            for k, (w, _) in enumerate(inputs)
            for q in range(w.bit_length())
            if w >> q & 1
        ]
        adders, digits = count(bits)
        body = [
            *(f"a{k} = {name}" for k, name in enumerate(names)),
            *adders,
            *self._masks(form, digits),
            "low, open = ZERO, ~m0 & lanes",
            *self._planes(form.n_classes),
            "low ^= m0 & (low ^ ~r)",
            f"{self._word(rows.out)} = ~(low ^ rises) & lanes",
            f"{self._word(rows.open)} = open",
            *(f"{self._word(row)} = m{k + 1}" for k, row in enumerate(rows.classes)),
            "return open",
        ]
        kind = "words" if self.bits.fold is not None else "groups"
        places = ", ".join(str(b.row(row)) for row in rows.classes) or "0"
        rest = (
            f"finish_{kind}(S, at, {b.width}, {b.row(rows.out)}, {b.row(rows.open)}, ({places},), "
            f"{form.n_classes}, {b.words}, h * {b.ranks // b.halves}, tails{number}[c])"
        )
        self.names.functions += [
            "@vectors",
            f"def decide{number}(S: Rows, levels: Rows, lanes, number) -> Words:",
            *indent(body),
        ]
        arguments = f"{b.width}, S, at, levels, 0, lanes, U({self._number()})"
        return [
            f"at = h * {b.stride}",
            f"any_open = decide{number}({arguments})",
            *([f"if any_open != ZERO: {rest}"] if form.n_classes else []),
        ]

    def _masks(self, form: BitPass, digits: list[str]) -> Lines:
        """Lanes of each class, and lanes where value 1 has the higher energy."""
        places = range(len(form.counts))

        def lanes(wanted) -> str:
            return mask(digits, [form.counts[n] for n in places if wanted(n)], form.counts)

        lines = [
            f"m{k} = {lanes(lambda n, k=k: form.classes[n] == k)}" for k in range(form.n_classes)
        ]
        if not form.n_classes:
            lines.append("m0 = ONES")
        return [*lines, f"rises = {lanes(lambda n: form.rises[n])}"]

    def _planes(self, n_classes: int) -> Lines:
        """All planes, the least significant one first; under a fold they are drawn as they are needed."""
        b, last = self.block, PLANES - 1
        if self.bits.fold is None:
            return [
                f"for q in range({last}, -1, -1):",
                f"    r = S[{b.row(0)} + q * {b.width}]",
                *indent(self._compare(n_classes)),
            ]
        n = b.streams
        return [
            f"s0, s1, s2 = S[0], S[{n}], S[{2 * n}]",
            f"for q in range({last}, -1, -1):",
            f"    s0, s1, s2, r = sfc64(s0, s1, s2, number + ({last} - q))",
            *indent(self._compare(n_classes)),
            f"S[{3 * n}], S[{4 * n}], S[{5 * n}] = s0, s1, s2",
        ]

    def _compare(self, n_classes: int) -> Lines:
        """A bit r that differs from the threshold's overrules those below it."""
        if not n_classes:
            return []
        level = [f"levels[({k * PLANES} + q) * {self.block.width}]" for k in range(n_classes)]
        parts = [f"(m{k + 1} & {x})" for k, x in enumerate(level[:-1])]
        return [
            f"t = {' ^ '.join([level[-1], *parts])}",
            "x = r ^ t",
            "low ^= x & (t ^ low)",
            "open &= ~x",
        ]

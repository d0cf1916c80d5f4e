"""Print the sweeps of a bit-sliced program.

For every block of sites: random planes, the bits of all terms, their count, masks of the lanes with each
size of local energy, the comparison with thresholds plane by plane, and the few lanes that it leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines, count, mask
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.backends.numba_cpu.bit_sliced.names import Names
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitKind, BitPass, Bits
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import BIT_STREAM, BIT_TILE, GROUP_LANES, PLANES, WARM_UP


@dataclass(frozen=True)
class _Rows:
    """Numbers of the rows that a pass uses: the first of each term, of offsets, and of masks of classes."""

    terms: tuple[int, ...]
    offset: int
    out: int
    open: int
    classes: int

    @staticmethod
    def of(form: BitPass, arrays: Tables) -> _Rows:
        """Rows that follow each other, after the planes."""
        sizes = [len(arrays[term.columns[0].index]) for term in form.terms]
        *terms, offset = accumulate(sizes, initial=PLANES)
        out = offset + max(kind.digits for kind in form.kinds)
        # `finish_groups` wants all classes in one area.
        return _Rows(tuple(terms), offset, out, out + 1, out + 2 + -(out + 2) % PLANES)

    def end(self, form: BitPass) -> int:
        """Number of all rows."""
        return self.classes + max(kind.n_classes for kind in form.kinds)


class SweepPrinter:
    """Prints a sweep of chunk c, as thread ``me`` of ``team``; ``size`` are the words of its scratch memory."""

    def __init__(
        self, program: Program, bits: Bits, arrays: Tables, block: Block, names: Names
    ) -> None:
        self.program, self.bits, self.arrays = program, bits, arrays
        self.block, self.names = block, names
        self.rows = [_Rows.of(form, arrays) for form in bits.passes]
        ends = [rows.end(form) for rows, form in zip(self.rows, bits.passes, strict=True)]
        self.size = block.size(max(ends, default=PLANES))

    def body(self) -> Lines:
        """The sweep."""
        return [line for k in range(len(self.program.passes)) for line in self._pass(k)]

    # ---- one pass -------------------------------------------------------------------------------

    def _pass(self, number: int) -> Lines:
        p, form = self.program.passes[number], self.bits.passes[number]
        folded, ranks = self.bits.fold is not None, self.block.ranks
        x, segments = self.names.states[p.variable], self.names.table(p.segments)
        runs, colors = (self.names.table(t) for t in (form.runs, f"{form.runs}.colors"))
        rows = self.rows[number]
        block = [
            f"if k0 // {BIT_TILE} != tile:",
            f"    tile = k0 // {BIT_TILE}",
            *indent(self._seed(p.stream | BIT_STREAM)),
            *([] if folded else ["if k0 != drawn:", "    drawn = k0", *indent(self._draw())]),
            *self._touched(),
            *self._halves(self._gather(form, rows)),
            *self._halves(self._decide(form, number, rows)),
            *self._halves(self._store(x, rows)),
            *(self._go_on() if folded else []),
        ]
        return [
            f"levels = thresholds{number}[c]",
            "tile, drawn = -1, -1",
            f"for g in range({segments}.shape[0] - 1):",
            f"    first, last = {segments}[g], {segments}[g + 1]",
            *indent(self._share()),
            f"    for run in range({colors}[g], {colors}[g + 1]):",
            f"        begin, kind = max(first, {runs}[run, 0]), {runs}[run, 1]",
            f"        end = min(last, {runs}[run + 1, 0])",
            "        if begin >= end: continue",
            f"        for k0 in range(begin // {ranks} * {ranks}, end, {ranks}):",
            *indent(block, 3),
            *indent(self._meet(x)),
        ]

    def _touched(self) -> Lines:
        """The halves of a block that have ranks of the present run."""
        part = self.block.ranks // self.block.halves
        return [
            f"h0, h1 = max(begin - k0, 0) // {part}, (min(end - k0, {self.block.ranks}) + {part - 1}) // {part}"
        ]

    def _halves(self, lines: Lines) -> Lines:
        """Lines for the halves of a block that the run touches."""
        return ["for h in range(h0, h1):", *indent(lines)]

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
        """Words of the ranks of the present run; rows of states are sorted by rank."""
        part, words = self.block.ranks // self.block.halves, self.block.words
        return [
            f"k, at = k0 + h * {part}, {self.block.row(rows.out)} + h * {self.block.stride}",
            f"start, stop = max(begin - k, 0) * {words}, min(end - k, {part}) * {words}",
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
        """Keep the next states, unless the block goes on in the next run."""
        n = 3 * self.block.streams
        return [
            f"if k0 + {self.block.ranks} <= end:",
            f"    for w in range({n}): S[w] = S[{n} + w]",
        ]

    # ---- bits of the terms ------------------------------------------------------------------------

    def _gather(self, form: BitPass, rows: _Rows) -> Lines:
        """Lines that gather the bits of terms and the digits of offsets into rows."""
        lines: Lines = []
        part = self.block.ranks // self.block.halves
        zeros = f"for w in range({self.block.width}): S[at + w] = ZERO"
        first, group = f"k0 + h * {part}", f"k0 // {part} + h"
        for term, row in zip(form.terms, rows.terms, strict=True):
            live = f"{term.columns[0].index}.live"
            most, even = len(self.arrays[term.columns[0].index]), np.ptp(self.arrays[live]) == 0
            here = f"at = {self._at_row(f'd + {row}')}"
            end = most if even else f"{self.names.table(live)}[{group}]"
            read = self.names.read(term, "d, ", first, part, "at", group)
            lines += [f"for d in range({end}):", *indent([here, *read])]
            if not even:
                lines += [f"for d in range({end}, {most}):", *indent([here, zeros])]
        if form.offset is not None:
            for q in range(len(self.arrays[form.offset])):
                digit = f"{self.names.table(form.offset)}[{q}, {first} + j]"
                lines += self.names.spread(digit, part, self._at(rows.offset + q))
        return lines or ["pass"]

    def _at(self, row: int) -> str:
        return f"{self.block.row(row)} + h * {self.block.stride}"

    def _at_row(self, n: str) -> str:
        """The same of a row whose number the kernel knows: one loop serves many."""
        b = self.block
        area = f"({n}) // {PLANES} * {b.halves * b.stride} + ({n}) % {PLANES} * {b.width}"
        return f"{self._at(0)} + {area}"

    def _word(self, row: int) -> str:
        return f"S[{self.block.row(row)}]"

    # ---- the decision ---------------------------------------------------------------------------

    def _decide(self, form: BitPass, number: int, rows: _Rows) -> Lines:
        """New values of a part of the block."""
        lines = [f"at = h * {self.block.stride}"]
        first = accumulate((kind.n_classes for kind in form.kinds), initial=0)
        for k, (kind, n) in enumerate(zip(form.kinds, first, strict=False)):
            part = self._part(form, kind, number, rows, n)
            lines += part if len(form.kinds) == 1 else [f"if kind == {k}:", *indent(part)]
        return lines

    def _part(self, form: BitPass, kind: BitKind, number: int, rows: _Rows, first: int) -> Lines:
        """New values of a part of the block, of a kind whose classes begin with number ``first``."""
        b = self.block
        names, bits = [], []
        for term, row, n, weight in zip(
            form.terms, rows.terms, kind.degrees, kind.weights, strict=True
        ):
            for d in range(n):
                bits += [(q, f"a{len(names)}") for q in _digits(weight)]
                names.append(f"{'~' * (term.flip is True)}{self._word(row + d)}")
        for q in range(kind.digits):
            bits.append((q, f"a{len(names)}"))
            names.append(self._word(rows.offset + q))
        adders, digits = count(bits)
        body = [
            *(f"a{k} = {name}" for k, name in enumerate(names)),
            *adders,
            *self._masks(kind, digits),
            "low, open = ZERO, ~m0 & lanes",
            *self._planes(kind.n_classes),
            "low ^= m0 & (low ^ ~r)",
            f"{self._word(rows.out)} = ~(low ^ rises) & lanes",
            f"{self._word(rows.open)} = open",
            *(f"{self._word(rows.classes + k)} = m{k + 1}" for k in range(kind.n_classes - 1)),
            "return open",
        ]
        what = "words" if self.bits.fold is not None else "groups"
        rest = (
            f"finish_{what}(S, at, {b.width}, {b.row(rows.out)}, {b.row(rows.open)}, "
            f"{b.row(rows.classes)}, {kind.n_classes}, {b.words}, h * {b.ranks // b.halves}, "
            f"tails{number}[c, {first}:])"
        )
        name = f"decide{number}_{first}"
        self.names.functions += [
            "@vectors",
            f"def {name}(S: Rows, levels: Rows, lanes, number) -> Words:",
            *indent(body),
        ]
        levels = f"levels, {first * PLANES * b.width}"
        return [
            f"any_open = {name}({b.width}, S, at, {levels}, lanes, U({self._number()}))",
            *([f"if any_open != ZERO: {rest}"] if kind.n_classes else []),
        ]

    def _masks(self, kind: BitKind, digits: list[str]) -> Lines:
        """Lanes of each class, and lanes where value 1 has the higher energy."""
        places = range(len(kind.counts))

        def lanes(wanted) -> str:
            return mask(digits, [kind.counts[n] for n in places if wanted(n)], kind.counts)

        lines = [
            f"m{k} = {lanes(lambda n, k=k: kind.classes[n] == k)}" for k in range(kind.n_classes)
        ]
        if not kind.n_classes:
            lines.append("m0 = ONES")
        return [*lines, f"rises = {lanes(lambda n: kind.rises[n])}"]

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


def _digits(weight: int) -> list[int]:
    """Places of the ones in a binary number."""
    return [q for q in range(weight.bit_length()) if weight >> q & 1]

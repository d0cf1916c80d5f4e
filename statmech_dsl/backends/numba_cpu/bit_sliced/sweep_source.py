"""Print the sweeps of a bit-sliced program.

For every block of sites: random planes, the bits of all terms, their count, masks of the lanes with each
size of local energy, the comparison with thresholds plane by plane, and the few lanes that it leaves open.
"""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines
from statmech_dsl.backends.numba_cpu.bit_sliced.decision import DecisionPrinter, PassRows
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.backends.numba_cpu.bit_sliced.names import Names
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitPass, Bits
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import BIT_STREAM, BIT_TILE, GROUP_LANES, PLANES, WARM_UP


class SweepPrinter:
    """Prints a sweep of chunk c, as thread ``me`` of ``team``; ``size`` are the words of its scratch memory."""

    def __init__(
        self, program: Program, bits: Bits, arrays: Tables, block: Block, names: Names
    ) -> None:
        self.program, self.bits, self.arrays = program, bits, arrays
        self.block, self.names = block, names
        self.decision = DecisionPrinter(block, names, bits.fold is not None, self._number())
        self.rows = [PassRows.of(form, arrays) for form in bits.passes]
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
            *self._halves(self.decision.lines(form, number, rows)),
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

    def _store(self, x: str, rows: PassRows) -> Lines:
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

    def _gather(self, form: BitPass, rows: PassRows) -> Lines:
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

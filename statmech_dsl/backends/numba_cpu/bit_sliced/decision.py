"""Print how new values are decided: counts of bits, masks of classes, the comparison with thresholds.

The lanes of a part whose local energy has the same size form a class, which has one threshold. A random number
is compared with it bit by bit; the few lanes that all bits leave open are finished one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines, count, mask
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.backends.numba_cpu.bit_sliced.names import Names
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitKind, BitPass
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import PLANES

VECTOR = 8
"""Words of a vector: levels are the same in all of a part."""
IN_REGISTERS = 12
"""Masks of so many classes stay in registers while all planes are compared; more are kept in rows."""


@dataclass(frozen=True)
class PassRows:
    """Numbers of the rows that a pass uses: the first of each term, of offsets, and of masks of classes."""

    terms: tuple[int, ...]
    offset: int
    out: int
    open: int
    low: int
    settled: int
    classes: int

    @staticmethod
    def of(form: BitPass, arrays: Tables) -> PassRows:
        """Rows that follow each other, after the planes."""
        sizes = [len(arrays[term.columns[0].index]) for term in form.terms]
        *terms, offset = accumulate(sizes, initial=PLANES)
        out = offset + max(kind.digits for kind in form.kinds)
        # Classes begin an area, so that they are found by their number.
        classes = out + 4 + -(out + 4) % PLANES
        return PassRows(tuple(terms), offset, out, out + 1, out + 2, out + 3, classes)

    def end(self, form: BitPass) -> int:
        """Number of all rows."""
        return self.classes + max(kind.n_classes for kind in form.kinds)


@dataclass(frozen=True, eq=False)
class DecisionPrinter:
    """Prints decisions for blocks of a shape; ``number`` is that of the first word of their streams."""

    block: Block
    names: Names
    folded: bool
    number: str

    def lines(self, form: BitPass, number: int, rows: PassRows) -> Lines:
        """New values of a part of the block."""
        lines = [f"at = h * {self.block.stride}"]
        first = accumulate((kind.n_classes for kind in form.kinds), initial=0)
        for k, (kind, n) in enumerate(zip(form.kinds, first, strict=False)):
            part = self._part(form, kind, number, rows, n)
            lines += part if len(form.kinds) == 1 else [f"if kind == {k}:", *indent(part)]
        return lines

    def _part(self, form: BitPass, kind: BitKind, number: int, rows: PassRows, first: int) -> Lines:
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
        counted = [
            *(f"a{k} = {name}" for k, name in enumerate(names)),
            *adders,
            *self._masks(kind, digits),
        ]
        stored = [f"{self._word(rows.classes + k)} = m{k + 1}" for k in range(kind.n_classes - 1)]
        what = "words" if self.folded else "groups"
        rest = (
            f"finish_{what}(S, at, {b.width}, {b.row(rows.out)}, {b.row(rows.open)}, "
            f"{b.row(rows.classes)}, {b.halves * b.stride}, {b.words}, "
            f"h * {b.ranks // b.halves}, tails{number}[c, {first} : {first + kind.n_classes}])"
        )
        by_planes = not self.folded and kind.n_classes > IN_REGISTERS
        decide = self._by_planes if by_planes else self._at_once
        return [
            *decide(f"{number}_{first}", counted, stored, kind.n_classes, rows, first),
            *([f"if any_open != ZERO: {rest}"] if kind.n_classes else []),
        ]

    def _at_once(
        self, name: str, counted: Lines, stored: Lines, n_classes: int, rows: PassRows, first: int
    ) -> Lines:
        """One function compares all planes."""
        body = [
            *counted,
            "low, open = ZERO, ~m0 & lanes",
            *self._planes(n_classes),
            "low ^= m0 & (low ^ ~r)",
            f"{self._word(rows.out)} = ~(low ^ rises) & lanes",
            f"{self._word(rows.open)} = open",
            *stored,
            "return open",
        ]
        self._function(f"decide{name}(S: Rows, levels: Rows, lanes, number) -> Words", body)
        width, levels = self.block.width, f"levels, {first * PLANES * self.block.width}"
        return [f"any_open = decide{name}({width}, S, at, {levels}, lanes, U({self.number}))"]

    def _by_planes(
        self, name: str, counted: Lines, stored: Lines, n_classes: int, rows: PassRows, first: int
    ) -> Lines:
        """A loop compares plane by plane: many classes fill no registers, and would be much code for each."""
        b, out, low, open_ = self.block, *map(self._word, (rows.out, rows.low, rows.open))
        settled = self._word(rows.settled)
        begin = [
            *counted,
            f"{low}, {open_}, {out}, {settled} = 0, ~m0 & lanes, rises, m0",
            *stored,
        ]
        compare, parts = [], range(0, b.width, VECTOR)  # one load of a level serves all parts
        for k in [n_classes - 1, *range(n_classes - 1)]:
            compare.append(f"level = levels[{k * PLANES * b.width}]")
            for v in parts:
                word = f"S[{b.row(rows.classes + k) + v}]"
                compare.append(
                    f"t{v} = level" if k == n_classes - 1 else f"t{v} = t{v} ^ ({word} & level)"
                )
        for v in parts:
            at_low, at_open = f"S[{b.row(rows.low) + v}]", f"S[{b.row(rows.open) + v}]"
            compare += [
                f"x = r[{v}] ^ t{v}",
                f"{at_low} = {at_low} ^ (x & (t{v} ^ {at_low}))",
                f"{at_open} = {at_open} & ~x",
            ]
        end = [
            f"low = {low} ^ ({settled} & ({low} ^ ~{self._word(0)}))",
            f"{out} = ~(low ^ {out}) & lanes",
            f"return {open_}",
        ]
        self._function(f"begin{name}(S: Rows, lanes)", begin)
        self._function(f"compare{name}(S: Rows, levels: Rows, r: Rows)", compare)
        self._function(f"end{name}(S: Rows, lanes) -> Words", end)
        levels = f"levels, ({first * PLANES} + q) * {b.width}"
        return [
            f"begin{name}({b.width}, S, at, lanes)",
            f"for q in range({PLANES - 1}, -1, -1):",
            f"    compare{name}({VECTOR}, S, at, {levels}, S, at + {b.row(0)} + q * {b.width})",
            f"any_open = end{name}({b.width}, S, at, lanes)",
        ]

    def _function(self, head: str, body: Lines) -> None:
        self.names.functions += ["@vectors", f"def {head}:", *indent(body)]

    def _word(self, row: int) -> str:
        return f"S[{self.block.row(row)}]"

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
        if not self.folded:
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

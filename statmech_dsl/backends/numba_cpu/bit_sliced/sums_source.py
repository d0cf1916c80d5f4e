"""Print the function that counts the set bits of sums of terms, in all lanes at once.

Where words hold replicas, bits are added up by carry-save adders as they stand in the words, so that a
term of 64 replicas costs a few operations: 15 rows go into four digits and a carry of weight 16, and 15 of
these carries into four more digits. Under a fold the set bits of each word are counted.
"""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines
from statmech_dsl.backends.numba_cpu.bit_sliced.names import Names
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitSum

ROWS = 15


def group(folded: bool) -> int:
    """Terms that are read together."""
    return 32 if folded else 8


def multiple(folded: bool) -> int:
    """Terms of a block; lists of terms are padded to whole ones."""
    return group(folded) * (1 if folded else ROWS)


def body(sums: tuple[BitSum, ...], folded: bool, names: Names) -> Lines:
    """Lines that fill out[sum, lane], as thread ``me`` of ``team``."""
    one = _folded if folded else _replicas
    return [line for k, s in enumerate(sums) if s.term.columns for line in one(k, s, names)]


def _folded(k: int, s: BitSum, names: Names) -> Lines:
    n, first = group(True), names.table(s.term.columns[0].index)
    return [
        f"total, blocks = 0, {first}.shape[0] // {n}",
        "for b in range(blocks * me // team, blocks * (me + 1) // team):",
        *indent(names.read(s.term, "", f"b * {n}", n, "0", "b")),
        f"    for w in range({n}): total += np.int64(set_bits(S[w] & lanes))",
        f"out[{k}, 0] = total",
    ]


def _replicas(k: int, s: BitSum, names: Names) -> Lines:
    n, first = group(False), names.table(s.term.columns[0].index)
    width = n * names.words
    rows, digits, carries = 0, ROWS * width, (ROWS + 4) * width
    more, planes, carry = (
        (2 * ROWS + 4) * width,
        (2 * ROWS + 8) * width,
        "S.shape[0] - " + str(width),
    )
    second = [
        f"add15(S, {carries}, {more}, {carry}, {width})",
        f"carry_on(S, {carry}, {planes}, planes - 8, {width})",
    ]
    return [
        "S[:] = ZERO",
        f"blocks = {first}.shape[0] // {n * ROWS}",
        "for b in range(blocks):",
        f"    for i in range({ROWS}):",
        *indent(
            names.read(
                s.term, "", f"(b * {ROWS} + i) * {n}", n, f"{rows} + i * {width}", f"b * {ROWS} + i"
            ),
            2,
        ),
        f"    add15(S, {rows}, {digits}, {carries} + b % {ROWS} * {width}, {width})",
        f"    if b % {ROWS} == {ROWS - 1}:",
        *indent(second, 2),
        f"for w in range({carries} + blocks % {ROWS} * {width}, {more}): S[w] = ZERO",
        *second,
        f"for w in range({4 * width}): S[{more - 4 * width} + w] = S[{digits} + w]",
        f"tally(S, {more - 4 * width}, planes, {width}, {names.words}, out[{k}])",
    ]


def scratch(words: int, planes: str) -> str:
    """Words of scratch memory."""
    return f"({2 * ROWS + 9} + {planes}) * {8 * words}"

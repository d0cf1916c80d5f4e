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
        *indent(names.read(s.term, "", f"b * {n}", n, "0", "b", "C")),
        f"    for w in range({n}): total += np.int64(set_bits(C[w] & lanes))",
        f"out[draw, c, me, {k}, 0] = total",
    ]


def _replicas(k: int, s: BitSum, names: Names) -> Lines:
    """Rows 0 to 19 add up terms, rows 20 to 39 their carries, the following rows hold further digits."""
    n, first = group(False), names.table(s.term.columns[0].index)
    width = n * names.words
    add15, second, planes = f"add15_{names.words}", 20 * width, 40 * width
    place = f"b * {ROWS} + i"
    upper = [
        f"{add15}(C[{second}:])",
        f"carry_on(C, {39 * width}, {planes}, planes - 8, {width})",
    ]
    return [
        f"C[{ROWS * width} :] = ZERO",
        f"blocks = {first}.shape[0] // {n * ROWS}",
        "for b in range(blocks):",
        f"    for i in range({ROWS}):",
        *indent(
            names.read(s.term, "", f"({place}) * {n}", n, f"i * {width}", place, "C"),
            2,
        ),
        f"    {add15}(C)",
        f"    at = {second} + b % {ROWS} * {width}",
        f"    for w in range({width}): C[at + w] = C[{19 * width} + w]",
        f"    if b % {ROWS} == {ROWS - 1}:",
        *indent(upper, 2),
        f"for w in range({second} + blocks % {ROWS} * {width}, {35 * width}): C[w] = ZERO",
        *upper,
        # All digits in consecutive rows, from row 27 on.
        f"for w in range({4 * width}): C[{27 * width} + w] = C[{15 * width} + w]",
        f"for w in range({4 * width}): C[{31 * width} + w] = C[{35 * width} + w]",
        f"for w in range((planes - 8) * {width}): C[{35 * width} + w] = C[{planes} + w]",
        f"tally(C, {27 * width}, planes, {width}, {names.words}, out[draw, c, me, {k}])",
    ]


def scratch(words: int, planes: str) -> str:
    """Words of scratch memory."""
    return f"(41 + {planes}) * {8 * words}"

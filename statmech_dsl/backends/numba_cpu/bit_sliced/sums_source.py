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
    """Lines that fill out[draw, c, me, sum, lane], as thread ``me`` of ``team``."""
    live = [(k, s) for k, s in enumerate(sums) if s.term.columns]
    if not live:
        return ["pass"]
    count = _folded if folded else _replicas
    n = group(folded)
    # One loop serves all sums, so that adders are compiled once.
    lines = [f"for k in range({len(sums)}):", "    blocks = 0"]
    for k, s in live:
        first = names.table(s.term.columns[0].index)
        lines.append(f"    if k == {k}: blocks = {first}.shape[0] // {multiple(folded)}")
    place, at = ("b", "0") if folded else (f"b * {ROWS} + i", f"i * {n * names.words}")
    reads = []
    for k, s in live:
        read = names.read(s.term, "", f"({place}) * {n}", n, at, place, "C")
        reads += [f"if k == {k}:", *indent(read)]
    return [*lines, *indent(count(n * names.words, reads, names.words))]


def _folded(width: int, reads: Lines, words: int) -> Lines:
    return [
        "total = 0",
        "for b in range(blocks * me // team, blocks * (me + 1) // team):",
        *indent(reads),
        f"    for w in range({width}): total += np.int64(set_bits(C[w] & lanes))",
        "out[draw, c, me, k, 0] = total",
    ]


def _replicas(width: int, reads: Lines, words: int) -> Lines:
    """Rows 0 to 19 add up terms, rows 20 to 39 their carries, the following rows hold further digits."""
    second, planes = 20 * width, 40 * width
    upper = [
        f"add15_{words}(C[{second}:])",
        f"carry_on(C, {39 * width}, {planes}, planes - 8, {width})",
    ]
    return [
        f"C[{ROWS * width} :] = ZERO",
        "start, stop = blocks * me // team, blocks * (me + 1) // team",
        "for b in range(start, stop + 1):",
        "    if b < stop:",
        f"        for i in range({ROWS}):",
        *indent(reads, 3),
        f"        add15_{words}(C)",
        f"        at = {second} + (b - start) % {ROWS} * {width}",
        f"        for w in range({width}): C[at + w] = C[{19 * width} + w]",
        "    else:",
        f"        at = {second} + (b - start) % {ROWS} * {width}",
        f"        for w in range(at, {35 * width}): C[w] = ZERO",
        f"    if b == stop or (b - start) % {ROWS} == {ROWS - 1}:",
        *indent(upper, 2),
        # All digits in consecutive rows, from row 27 on.
        f"for w in range({4 * width}): C[{27 * width} + w] = C[{15 * width} + w]",
        f"for w in range({4 * width}): C[{31 * width} + w] = C[{35 * width} + w]",
        f"for w in range((planes - 8) * {width}): C[{35 * width} + w] = C[{planes} + w]",
        f"tally(C, {27 * width}, planes, {width}, {words}, out[draw, c, me, k])",
    ]


def scratch(words: int, planes: str) -> str:
    """Words of scratch memory."""
    return f"(41 + {planes}) * {8 * words}"

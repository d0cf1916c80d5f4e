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
_DIGITS = 2 * ROWS + 1


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
        read = names.read(s.term, "", f"({place}) * {n}", n, at, place)
        reads += [f"if k == {k}:", *indent(read)]
    return [*lines, *indent(count(n * names.words, reads, names.words))]


def _folded(width: int, reads: Lines, words: int) -> Lines:
    return [
        "total = 0",
        "for b in range(blocks * me // team, blocks * (me + 1) // team):",
        *indent(reads),
        f"    for w in range({width}): total += np.int64(set_bits(S[w] & lanes))",
        "out[draw, c, me, k, 0] = total",
    ]


def _replicas(width: int, reads: Lines, words: int) -> Lines:
    """Terms lie in rows 0 to 14, their carries from row 15 on, the carry of these, then all digits."""
    carries, carry, digits = ROWS * width, 2 * ROWS * width, _DIGITS * width
    upper = [
        f"add15({width}, S, {carries}, S, {digits + 4 * width}, S, {carry}, {width})",
        "for q in range(8, planes):",
        f"    add_carry({width}, S, {digits} + q * {width}, S, {carry})",
    ]
    return [
        f"for w in range({digits}, {digits} + planes * {width}): S[w] = ZERO",
        "start, stop = blocks * me // team, blocks * (me + 1) // team",
        "for b in range(start, stop + 1):",
        f"    at = {carries} + (b - start) % {ROWS} * {width}",
        "    if b < stop:",
        f"        for i in range({ROWS}):",
        *indent(reads, 3),
        f"        add15({width}, S, 0, S, {digits}, S, at, {width})",
        "    else:",
        f"        for w in range(at, {carry}): S[w] = ZERO",
        f"    if b == stop or (b - start) % {ROWS} == {ROWS - 1}:",
        *indent(upper, 2),
        f"tally(S, {digits}, planes, {width}, {words}, out[draw, c, me, k])",
    ]


def scratch(words: int, planes: int) -> int:
    """Words of scratch memory, where words hold replicas: one more row for adding up ranks."""
    return (_DIGITS + planes + 1) * 8 * words

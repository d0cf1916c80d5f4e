"""Print how the set bits of a sum of terms are counted: integers, so that they may be added up in any order."""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.bit_sliced import reading
from statmech_dsl.backends.cupy_gpu.bit_sliced.layout import GROUP
from statmech_dsl.backends.cupy_gpu.bit_sliced.reading import Reads
from statmech_dsl.backends.cupy_gpu.bit_sliced.tables import ROUNDS, ROWS
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import count

SLOTS = 256
"""Counters of a sum where words hold sites: many threads that add to one would wait for each other."""
DIGITS = (ROWS * ROUNDS).bit_length()


def parameters(number: str, folded: bool) -> list[str]:
    """Parameters of a sum."""
    place, listed = ("Place", "Place") if folded else ("u32", "Four")
    kinds = [f"const {place}* places", f"const {listed}* listed", "const word* fixed"]
    return [f"{x}{number}" for x in ["u32 parts", *kinds]]


def words(number: str, k: int, sums: int, terms: Terms, reads: Reads) -> Lines:
    """Add up sum k of a draw where words hold sites; a thread counts every 32nd word of a part of 1024."""
    group = [
        *reading.places("Place", reads, number, f"(u64)g * {len(reads)}"),
        *reading.words(reads, number),
        *_signs(terms, number, f"(u64)g * {GROUP} + lane"),
        f"n += __popcll(({terms.bits[0][0].text}) & lanes);",
    ]
    item = [
        f"const u32 lane = item % {GROUP}, part = (u32)item / {GROUP} % parts{number};",
        f"const u32 replica = (u32)item / {GROUP} / parts{number};",
        *(
            f"const u64* const {x} = {x.upper()} + (u64)replica * rows{x[1:]};"
            for x in _states(reads)
        ),
        "u32 n = 0;",
        *block(f"for (u32 g = part * {GROUP}; g < (part + 1) * {GROUP}; ++g)", group),
        f"const u64 counter = ((u64)draw * {sums} + {k}) * replicas + replica;",
        f"atomicAdd(out + counter * {SLOTS} + item % {SLOTS}, (u64)n);",
    ]
    return block(f"EACH(item, replicas * parts{number} * {GROUP})", item)


def replicas(number: str, k: int, sums: int, terms: Terms, reads: Reads) -> Lines:
    """Add up sum k of a draw where words hold replicas; a thread has a group of them and a part of the terms.

    Bits are counted in all lanes at once, by adders that take `ROWS` quads.
    """
    quad = [
        f"const u32 quad = (part * {ROUNDS} + round) * {ROWS} + i;",
        *reading.places("u32", reads, number, f"(u64)quad * {len(reads)}"),
        *reading.quads(reads, number),
        *_signs(terms, number, "quad"),
        f"t[i] = {terms.bits[0][0].text};",
    ]
    inputs = [*((0, f"t[{i}]") for i in range(ROWS)), *((q, f"d[{q}]") for q in range(DIGITS))]
    lines, digits = count(inputs)
    add = [
        f"word t[{ROWS}];",
        "#pragma unroll",
        *block(f"for (u32 i = 0; i < {ROWS}; ++i)", quad),
        *(f"const word {line};" for line in lines),
        " ".join(f"d[{q}] = {digit};" for q, digit in enumerate(digits[:DIGITS])),
    ]
    lane = [
        "u32 n = 0;",
        "#pragma unroll",
        f"for (u32 q = 0; q < {DIGITS}; ++q) n += __popc(d[q] & 0x01010101u << j) << q;",
        f"atomicAdd(out + (((u64)draw * {sums} + {k}) * groups + group) * 8 + j, (u64)n);",
    ]
    item = [
        "const u32 group = (u32)item % groups, part = (u32)item / groups;",
        *(f"const u32* const {x} = {x.upper()} + group;" for x in _states(reads)),
        f"word d[{DIGITS}] = {{}};",
        *block(f"for (u32 round = 0; round < {ROUNDS}; ++round)", add),
        *block("for (u32 j = 0; j < 8; ++j)", lane),
    ]
    return block(f"EACH(item, groups * parts{number})", item)


def _signs(terms: Terms, number: str, place: str) -> Lines:
    return [f"const word f0 = fixed{number}[{place}];"] if terms.fixed else []


def _states(reads: Reads) -> list[str]:
    return sorted({x for _, x in reads})

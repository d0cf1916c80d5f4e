"""Print how words are read: v0, v1, ... of the columns of terms, and f0, f1, ... that are fixed."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.cupy_gpu.spell import Lines, block

Reads = Sequence[tuple[int, str]]
"""Numbers of columns and the states that they read."""


def places(kind: str, reads: Reads, of: str, place: str) -> Lines:
    """Bind the places p0, p1, ... of columns, which begin where ``at`` points to, and declare words."""
    return [
        f"const {kind}* at = places{of} + {place};",
        *(f"{kind} p{q} = at[{q}];" for q, _ in reads),
        *(f"word v{q};" for q, _ in reads),
    ]


def words(reads: Reads, of: str) -> Lines:
    """What word ``lane`` of a group reads from states, at places and from lists that end in ``of``.

    Nearly all groups read runs of words that are not rotated.
    """
    if not reads:
        return []
    turned = [
        *(f"p{q} = place_of(p{q}, listed{of}, lane);" for q, _ in reads),
        *(f"v{q} = {x}[p{q}.row];" for q, x in reads),
        *(f"v{q} = turned(v{q}, p{q}.turn, size, lanes);" for q, _ in reads),
    ]
    return [
        *block(f"if ({_any('p{}.turn', reads)})", turned),
        *block("else", [f"v{q} = {x}[p{q}.row + lane];" for q, x in reads]),
    ]


def quads(reads: Reads, of: str) -> Lines:
    """What a quad reads from states, at places and from lists that end in ``of``.

    On a lattice nearly all quads read quads, as they are or shifted by some bytes.
    """
    if not reads:
        return []
    first = f"p{reads[0][0]}"
    listed = [
        f"const Four* four = listed{of} + ({first} & ~LISTED);",
        *(f"v{q} = read_four({x}, four[{q}], stride);" for q, x in reads),
    ]
    return [
        *block(
            f"if (({_any('p{}', reads)}) < 1u << 29)",
            [f"v{q} = *quad_at({x}, p{q}, stride);" for q, x in reads],
        ),
        *block(f"else if ({first} & LISTED)", listed),
        *block("else", [f"v{q} = read_shifted({x}, p{q}, stride);" for q, x in reads]),
    ]


def _any(flag: str, reads: Reads) -> str:
    return " | ".join(flag.format(q) for q, _ in reads)

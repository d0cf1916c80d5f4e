"""Print how words are read: v0, v1, ... of the columns of terms, and f0, f1, ... that are fixed."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block


def places(n: int, kind: str, of: str, number: str) -> Lines:
    """Bind the places p0, p1, ... of n columns, which ``at`` points to, and declare words."""
    return [
        f"const {kind}* at = places{of} + (u64)({number}) * {n};",
        *(f"{kind} p{q} = at[{q}];" for q in range(n)),
        *(f"word v{q};" for q in range(n)),
    ]


def words(states: Sequence[str], of: str) -> Lines:
    """What word ``lane`` of a group reads from states, at places and from lists that end in ``of``.

    Nearly all groups read runs of words that are not rotated.
    """
    if not states:
        return []
    reads = list(enumerate(states))
    turned = [
        *(f"p{q} = place_of(p{q}, listed{of}, lane);" for q, _ in reads),
        *(f"v{q} = {x}[p{q}.row];" for q, x in reads),
        *(f"v{q} = turned(v{q}, p{q}.turn, size, lanes);" for q, _ in reads),
    ]
    return [
        *block(f"if ({_any('p{}.turn', len(reads))})", turned),
        *block("else", [f"v{q} = {x}[p{q}.row + lane];" for q, x in reads]),
    ]


def quads(states: Sequence[str], of: str) -> Lines:
    """What a quad reads from states, at places and from lists that end in ``of``.

    On a lattice nearly all quads read quads, as they are or shifted by some bytes.
    """
    if not states:
        return []
    reads = list(enumerate(states))
    listed = [
        f"const Four* four = listed{of} + (p0 & ~LISTED);",
        *(f"v{q} = read_four({x}, four[{q}], stride);" for q, x in reads),
    ]
    return [
        *block(
            f"if (({_any('p{}', len(reads))}) < 1u << 29)",
            [f"v{q} = *quad_at({x}, p{q}, stride);" for q, x in reads],
        ),
        *block("else if (p0 & LISTED)", listed),
        *block("else", [f"v{q} = read_shifted({x}, p{q}, stride);" for q, x in reads]),
    ]


def _any(flag: str, n: int) -> str:
    return " | ".join(flag.format(q) for q in range(n))


def fixed(terms: Terms, of: str, place: str) -> Lines:
    """Fixed words number {} at a place."""
    numbers = range(len(terms.fixed))
    return [f"const word f{k} = fixed{of}[{place.format(k)}];" for k in numbers]

"""Print how words are read: v0, v1, ... of the columns of terms, and f0, f1, ... that are fixed."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block


def words(states: Sequence[str], of: str, group: str) -> Lines:
    """What word ``lane`` of a group reads from states, by places and lists that end in ``of``."""
    n = len(states)
    if not n:
        return []
    general = [
        f"v{q} = read_place({x}, listed{of}, p{q}, lane, size, lanes);"
        for q, x in enumerate(states)
    ]
    # Nearly all groups read runs of words that are not rotated.
    return [
        f"const Place* at = places{of} + (u64)({group}) * {n};",
        *(f"const Place p{q} = at[{q}];" for q in range(n)),
        f"word {', '.join(f'v{q}' for q in range(n))};",
        *block(f"if ({' | '.join(f'p{q}.turn' for q in range(n))})", general),
        *block("else", [f"v{q} = {x}[p{q}.row + lane];" for q, x in enumerate(states)]),
    ]


def quads(states: Sequence[str], of: str) -> Lines:
    """What quad ``quad`` reads from states, by quads that end in ``of``."""
    n = len(states)
    return [
        f"const Quad* at = quads{of} + (u64)quad * {n};",
        *(f"const word v{q} = read_quad({x}, at[{q}], stride);" for q, x in enumerate(states)),
    ]


def fixed(terms: Terms, of: str, place: str) -> Lines:
    """Fixed words number {} at a place."""
    numbers = range(len(terms.fixed))
    return [f"const word f{k} = fixed{of}[{place.format(k)}];" for k in numbers]

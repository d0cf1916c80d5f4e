"""Print how words are read: v0, v1, ... of the columns of terms, and f0, f1, ... that are fixed."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block


def words(states: Sequence[str], of: str, group: str) -> Lines:
    """What word ``lane`` of a group reads from states, by places and lists that end in ``of``.

    Nearly all groups read runs of words that are not rotated.
    """
    return _read(states, of, group, "Place", "p{}.turn", "{}[p{}.row + lane]", "lane, size, lanes")


def quads(states: Sequence[str], of: str, quad: str) -> Lines:
    """What a quad reads from states, by places and lists that end in ``of``.

    On a lattice nearly all quads read whole quads.
    """
    return _read(states, of, quad, "u32", "(p{} >> 29)", "{}[(u64)p{} * groups]", "groups")


def _read(
    states: Sequence[str], of: str, number: str, kind: str, odd: str, plain: str, rest: str
) -> Lines:
    n = len(states)
    if not n:
        return []
    read = "read_place" if kind == "Place" else "read_quad"
    general = [f"v{q} = {read}({x}, listed{of}, p{q}, {rest});" for q, x in enumerate(states)]
    return [
        f"const {kind}* at = places{of} + (u64)({number}) * {n};",
        *(f"const {kind} p{q} = at[{q}];" for q in range(n)),
        f"word {', '.join(f'v{q}' for q in range(n))};",
        *block(f"if ({' | '.join(odd.format(q) for q in range(n))})", general),
        *block("else", [f"v{q} = {plain.format(x, q)};" for q, x in enumerate(states)]),
    ]


def fixed(terms: Terms, of: str, place: str) -> Lines:
    """Fixed words number {} at a place."""
    numbers = range(len(terms.fixed))
    return [f"const word f{k} = fixed{of}[{place.format(k)}];" for k in numbers]

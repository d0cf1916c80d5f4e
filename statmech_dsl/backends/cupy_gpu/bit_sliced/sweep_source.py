"""Print a pass of a bit-sliced program: what a thread does with its share of a color.

A thread runs one random stream. It decides the words of the stream that have the present color one after the
other, all in registers: the bits of the terms, their count, random planes, the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.cupy_gpu.bit_sliced import reading
from statmech_dsl.backends.cupy_gpu.bit_sliced.decision import finish, masks, planes
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.ir.bits import BitPass
from statmech_dsl.rng import BIT_TILE, GROUP_LANES, PLANES, WARM_UP, WORD_LANES

QUADS = 4 * GROUP_LANES
"""Ranks among which a stream has a quad."""


@dataclass(frozen=True)
class Pass:
    """A pass that is printed: its number, its state, the states of the columns of its terms."""

    number: int
    stream: int
    form: BitPass
    terms: Terms
    state: str
    reads: tuple[str, ...]


def parameters(p: Pass, folded: bool) -> list[str]:
    """Parameters of a pass."""
    place, listed = ("Place", "Place") if folded else ("u32", "Four")
    kinds = [
        "u32 colors",
        "const u32* segments",
        "const u32* levels",
        "const u64* tails",
        f"const {place}* places",
        f"const {listed}* listed",
        "const word* fixed",
        *(["u32 ranks"] if folded else []),
    ]
    return [f"{x}{p.number}" for x in kinds]


def sweep(p: Pass, folded: bool) -> Lines:
    """All colors of a pass."""
    n, share = p.number, _words(p) if folded else _replicas(p)
    lanes = f"replicas * tiles * {WORD_LANES}" if folded else f"groups * tiles * {GROUP_LANES}"
    return block(
        f"for (u32 g = 0; g < colors{n}; ++g)",
        [
            f"const u32 first = segments{n}[g], last = segments{n}[g + 1], tile0 = first / {BIT_TILE};",
            f"const u32 tiles = (last + {BIT_TILE - 1}) / {BIT_TILE} - tile0;",
            *block(f"EACH(item, {lanes})", share),
            "MEET;",
        ],
    )


_SHARE = f"const u32 start = most(first, tile * {BIT_TILE}), stop = least(last, (tile + 1) * {BIT_TILE});"


def _words(p: Pass) -> Lines:
    """Words of sites: of every step of a tile, a thread has one."""
    n, classes = p.number, p.form.n_classes
    ahead = [
        *reading.words(p.reads, str(n)),
        *(f"f{q} = fixed[(u64){q} * ranks{n}];" for q in range(len(p.terms.fixed))),
        *_next(p, 1, WORD_LANES),
    ]
    step = [
        *masks(p.form, p.terms),
        *ahead,
        *planes(
            classes, lambda q: "next64(s, ++number)", lambda c, q: f"spread(l{c}, {PLANES - 1 - q})"
        ),
        "open &= lanes;",
        *finish(classes, f"tail(s.a, j) < tails{n}[c * replicas + replica]"),
        f"{p.state}[k] = ~(low ^ rises) & lanes;",
    ]
    return [
        f"const u32 lane = item % {WORD_LANES}, replica = (u32)item / {WORD_LANES} / tiles;",
        f"const u32 tile = tile0 + (u32)item / {WORD_LANES} % tiles;",
        _SHARE,
        f"u32 k = start + (lane - start) % {WORD_LANES};",
        f"u32 number = k % {BIT_TILE} / {WORD_LANES} * {PLANES} + {WARM_UP};",
        "if (k >= stop) continue;",
        f"const u32 block = tile * {WORD_LANES} + lane;",
        f"BitStream s = bit_stream(block, numbers[replica], sweep, {p.stream}, seed, number);",
        *(f"const u32 l{c} = levels{n}[{c - 1} * replicas + replica];" for c in _classes(p)),
        *(f"u64* const {x} = {x.upper()} + (u64)replica * rows{x[1:]};" for x in _states(p)),
        *reading.places(len(p.reads), "Place", str(n), f"k / {WORD_LANES}"),
        *_first(p, "k"),
        *ahead,
        *block(f"for (; k < stop; k += {WORD_LANES})", step),
    ]


def _replicas(p: Pass) -> Lines:
    """Bytes of replicas: of every 32 ranks, a thread has a quad for its eight replicas."""
    n, classes, fixed = p.number, p.form.n_classes, len(p.terms.fixed)
    ahead = [
        *reading.quads(p.reads, str(n)),
        *(f"f{q} = fixed[{q}];" for q in range(fixed)),
        *_next(p, GROUP_LANES, GROUP_LANES * fixed),
    ]
    limit = f"tails{n}[(c * groups + group) * 8 + j % 8]"
    step = [
        *masks(p.form, p.terms),
        *ahead,
        f"u32 random[{PLANES}];",
        "const States state = draw_quad(s, number, random);",
        *planes(classes, lambda q: f"random[{q}]", lambda c, q: f"level[{(c - 1) * PLANES + q}]"),
        *finish(classes, f"tail(j & 16 ? state.high : state.low, j % 16) < {limit}"),
        f"write_quad({p.state} + (u64)quad * groups, ~(low ^ rises), k + lane, first, last);",
        f"number += 6, quad += {GROUP_LANES};",
    ]
    return [
        f"const u32 group = (u32)item % groups, lane = (u32)item / groups % {GROUP_LANES};",
        f"const u32 tile = tile0 + (u32)item / groups / {GROUP_LANES};",
        _SHARE,
        f"u32 k = start / {QUADS} * {QUADS};",
        f"u32 number = k % {BIT_TILE} / {QUADS} * 6 + {WARM_UP}, quad = k / 4 + lane;",
        f"const u32 block = tile * {GROUP_LANES} + lane;",
        f"BitStream s = bit_stream(block, numbers[group], sweep, {p.stream}, seed, number++);",
        f"u32 level[{max(classes, 1) * PLANES}];",
        f"for (u32 q = 0; q < {classes * PLANES}; ++q) level[q] = levels{n}[q * groups + group];",
        *(f"u32* const {x} = {x.upper()} + group;" for x in _states(p)),
        *reading.places(len(p.reads), "u32", str(n), "quad"),
        *_first(p, f"(u64)quad * {fixed}"),
        *ahead,
        *block(f"for (; k < stop; k += {QUADS})", step),
    ]


# What the next word reads is asked for while the present one is decided: there are few threads to wait with.


def _first(p: Pass, place: str) -> Lines:
    """Point to the fixed words of the first word."""
    names = (f"word f{q};" for q in range(len(p.terms.fixed)))
    return [f"const word* fixed = fixed{p.number} + {place};", *names]


def _next(p: Pass, places: int, fixed: int) -> Lines:
    """Go on by a number of places and fixed words."""
    n = len(p.reads)
    return [
        f"at += {places * n}, fixed += {fixed};",
        *(f"p{q} = at[{q}];" for q in range(n)),
    ]


def _classes(p: Pass) -> range:
    return range(1, p.form.n_classes + 1)


def _states(p: Pass) -> list[str]:
    return sorted({p.state, *p.reads})

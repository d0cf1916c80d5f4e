"""Print a pass of a bit-sliced program: what a thread does with its share of a color.

A thread runs one random stream. It decides the words of the stream that have the present color one after the
other, all in registers: the bits of the terms, their count, random planes, the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statmech_dsl.backends.cupy_gpu.bit_sliced import reading
from statmech_dsl.backends.cupy_gpu.bit_sliced.decision import finish, masks, planes
from statmech_dsl.backends.cupy_gpu.bit_sliced.reading import Reads
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Bit, Terms
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.ir.bits import BitKind, BitPass
from statmech_dsl.rng import BIT_TILE, GROUP_LANES, PLANES, WARM_UP, WORD_LANES

IN_REGISTERS = 12
"""Classes whose thresholds a thread keeps; those of more are read again for each quad."""
QUADS = 4 * GROUP_LANES
"""Ranks among which a stream has a quad."""


@dataclass(frozen=True)
class Pass:
    """A pass that is printed: its number, its state, and the states of all by variable."""

    number: int
    stream: int
    form: BitPass
    terms: Terms
    state: str
    states: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """A kind of ranks of a pass: its bits, what they read, and the number of its first class."""

    of: Pass
    kind: BitKind
    first_class: int

    @property
    def bits(self) -> list[tuple[int, Bit]]:
        """Weights and bits."""
        return self.of.terms.of_kind(self.kind)

    @property
    def reads(self) -> Reads:
        """Columns and their states."""
        columns, states = self.of.terms.columns, self.of.states
        return [(q, states[columns[q].variable]) for _, bit in self.bits for q in bit.columns]

    @property
    def fixed(self) -> list[int]:
        """Numbers of fixed words."""
        return [k for _, bit in self.bits for k in bit.fixed]

    @property
    def classes(self) -> range:
        """Numbers of classes, from 1."""
        return range(1, self.kind.n_classes + 1)

    def row(self, c: int) -> int:
        """Place of class c among those of the pass."""
        return self.first_class + c - 1

    def pointers(self) -> list[str]:
        """States that the part touches."""
        return sorted({self.of.state, *(x for _, x in self.reads)})


def parameters(p: Pass, folded: bool) -> list[str]:
    """Parameters of a pass."""
    place, listed = ("Place", "Place") if folded else ("u32", "Four")
    kinds = [
        "u32 runs",
        "const u32* bounds",
        "const u32* levels",
        "const u64* tails",
        f"const {place}* places",
        f"const {listed}* listed",
        "const word* fixed",
        *(["u32 ranks"] if folded else []),
    ]
    return [f"{x}{p.number}" for x in kinds]


def sweep(p: Pass, folded: bool) -> Lines:
    """All colors of a pass: runs of ranks of one kind, and a meeting after the last run of a color."""
    n, share = p.number, _words if folded else _replicas
    lanes = f"replicas * tiles * {WORD_LANES}" if folded else f"groups * tiles * {GROUP_LANES}"
    first_class, parts = 0, []
    for k, kind in enumerate(p.form.kinds):
        each = block(f"EACH(item, {lanes})", share(Part(p, kind, first_class)))
        parts += each if len(p.form.kinds) == 1 else block(f"if (run[2] == {k})", each)
        first_class += kind.n_classes
    return block(
        f"for (const u32* run = bounds{n}; run != bounds{n} + 4 * runs{n}; run += 4)",
        [
            f"const u32 first = run[0], last = run[1], tile0 = first / {BIT_TILE};",
            f"const u32 tiles = (last + {BIT_TILE - 1}) / {BIT_TILE} - tile0;",
            *parts,
            "if (run[3]) { MEET; }",
        ],
    )


_SHARE = f"const u32 start = most(first, tile * {BIT_TILE}), stop = least(last, (tile + 1) * {BIT_TILE});"


def _words(part: Part) -> Lines:
    """Words of sites: of every step of a tile, a thread has one."""
    p, n, classes = part.of, part.of.number, part.kind.n_classes
    ahead = [
        *reading.words(part.reads, str(n)),
        *(f"f{q} = fixed[(u64){q} * ranks{n}];" for q in part.fixed),
        *_next(part, 1, WORD_LANES),
    ]
    step = [
        *masks(part.kind, part.bits),
        *ahead,
        *planes(
            classes,
            lambda q: "next64(s, ++number)",
            lambda c, q: f"spread(l{c}, {PLANES - 1} - {q})",
        ),
        "open &= lanes;",
        *finish(classes, f"tail(s.a, j) < tails{n}[({part.row(1)} + c) * replicas + replica]"),
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
        *(f"const u32 l{c} = levels{n}[{part.row(c)} * replicas + replica];" for c in part.classes),
        *(f"u64* const {x} = {x.upper()} + (u64)replica * rows{x[1:]};" for x in part.pointers()),
        *_first(part, "Place", f"k / {WORD_LANES}", "k"),
        *ahead,
        *block(f"for (; k < stop; k += {WORD_LANES})", step),
    ]


def _replicas(part: Part) -> Lines:
    """Bytes of replicas: of every 32 ranks, a thread has a quad for its eight replicas."""
    p, n, classes = part.of, part.of.number, part.kind.n_classes
    fixed = len(p.terms.fixed)
    ahead = [
        *reading.quads(part.reads, str(n)),
        *(f"f{q} = fixed[{q}];" for q in part.fixed),
        *_next(part, GROUP_LANES, GROUP_LANES * fixed),
    ]
    levels = f"levels{n}[({part.row(1) * PLANES} + {{}}) * groups + group]"
    kept = classes <= IN_REGISTERS

    def level(c: int, q: str) -> str:
        number = f"{(c - 1) * PLANES} + {q}"
        return f"level[{number}]" if kept else levels.format(number)

    limit = f"tails{n}[(({part.row(1)} + c) * groups + group) * 8 + j % 8]"
    step = [
        *masks(part.kind, part.bits),
        *ahead,
        f"u32 random[{PLANES}];",
        "const States state = draw_quad(s, number, random);",
        *planes(classes, lambda q: f"random[{q}]", level, rolled=not kept),
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
        f"u32 level[{max(classes * kept, 1) * PLANES}];",
        f"for (u32 q = 0; q < {classes * kept * PLANES}; ++q) level[q] = {levels.format('q')};",
        *(f"u32* const {x} = {x.upper()} + group;" for x in part.pointers()),
        *_first(part, "u32", "quad", f"(u64)quad * {fixed}"),
        *ahead,
        *block(f"for (; k < stop; k += {QUADS})", step),
    ]


# What the next word reads is asked for while the present one is decided: there are few threads to wait with.


def _first(part: Part, kind: str, number: str, fixed: str) -> Lines:
    """Point to what the first word reads."""
    p = part.of
    return [
        *reading.places(
            kind, part.reads, str(p.number), f"(u64)({number}) * {len(p.terms.columns)}"
        ),
        f"const word* fixed = fixed{p.number} + {fixed};",
        *(f"word f{q};" for q in part.fixed),
    ]


def _next(part: Part, places: int, fixed: int) -> Lines:
    """Go on by a number of places and fixed words."""
    return [
        f"at += {places * len(part.of.terms.columns)}, fixed += {fixed};",
        *(f"p{q} = at[{q}];" for q, _ in part.reads),
    ]

"""The bit-sliced form of a program: two-state sites as bits, energies as counts of bits.

A word holds the same site of 64 replicas, or (``fold``) a number of sites of one replica that a shift of the
whole model maps onto each other. Every term of the energy takes two values, so it is a bit too: a sum
(exclusive or) of products of bits. The local energy of a site is a small whole number of set bits, and a
draw compares a random number, bit plane by bit plane, with a threshold for each size of that energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from statmech_dsl.ir.elementary import exp
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import PLANES, TAIL

DIGITS = PLANES + TAIL
"""Bits of a threshold."""


@dataclass(frozen=True, slots=True)
class BitTerm:
    """Terms that count a bit each: the exclusive or of monomials over columns, and of a sign.

    Column k reads bit ``tables[columns[k].index][...]`` of a variable; the row after the last site is a row of
    zeros. ``monomials`` are sets of columns whose bits are multiplied. ``flip`` names a table (bool) or is the
    same for all terms.
    """

    columns: tuple[BitColumn, ...]
    monomials: tuple[tuple[int, ...], ...]
    flip: str | bool


@dataclass(frozen=True, slots=True)
class BitColumn:
    """Bits of a variable at the sites (or words, rotated down by ``tables[turn]`` lanes) of a table."""

    variable: str
    index: str
    turn: str = ""


@dataclass(frozen=True, slots=True)
class BitKind:
    """How bits make the local energy of sites that take part in equally many terms.

    The count of a site is the sum of the bits of the first ``degrees[t]`` incidences of each term t, each
    ``weights[t]`` times, plus the site's offset, a number of ``digits`` bits. At ``counts[n]`` the energy of
    value 1 above value 0 is ``tables[energies][n]``. Counts of the same size of this energy form a class,
    ``classes[n]``, which has one threshold; class 0 has energy 0. ``rises[n]`` says whether the energy is
    positive.
    """

    degrees: tuple[int, ...]
    weights: tuple[int, ...]
    digits: int
    counts: tuple[int, ...]
    energies: str
    classes: tuple[int, ...]
    rises: tuple[bool, ...]

    @property
    def n_classes(self) -> int:
        """Classes with an energy other than 0."""
        return max(self.classes)


@dataclass(frozen=True, slots=True)
class BitPass:
    """What a bit-sliced pass does with a site.

    The tables of terms have the shape [incidence, rank]; of ranks with fewer incidences the last ones read
    zeros. ``tables[offset]`` are the offsets of ranks. Ranks of one kind follow each other within a color:
    from rank ``tables[runs][r, 0]`` to that of the next row they are of kind ``tables[runs][r, 1]``.
    """

    terms: tuple[BitTerm, ...]
    offset: str | None
    kinds: tuple[BitKind, ...]
    runs: str


@dataclass(frozen=True, slots=True)
class BitSum:
    """Terms of one size of a family, whose sum, without its front, is ``base + unit * count``.

    The count is the number of set bits of all such terms of the family, each ``weight`` times;
    ``tables[scale]`` is (base, unit). `ir.reduction.front_and_inner` says what the front is.
    """

    family: str
    term: BitTerm
    weight: int
    scale: str


@dataclass(frozen=True, slots=True)
class Bits:
    """The bit-sliced form of a program: its passes in order, and families of terms as counts.

    ``sums`` has the terms of all energy families, and of the measured ones those that are bits.

    With ``fold``, site ``lane * (n_sites // fold) + word`` of every variable is bit ``lane`` of a word, and
    passes are ordered so that the sites of a word are ``fold`` neighboring ranks.
    """

    fold: int | None
    passes: tuple[BitPass, ...]
    sums: tuple[BitSum, ...]


def kind_of(p: BitPass, rank: int, tables: Tables) -> BitKind:
    """The kind of a rank."""
    first, kind = tables[p.runs].T
    return p.kinds[kind[np.searchsorted(first, rank, side="right") - 1]]


def class_energies(kind: BitKind, tables: Tables) -> list[float]:
    """Sizes of the energies of classes 1, 2, ..."""
    energies = tables[kind.energies]
    return [abs(float(energies[kind.classes.index(c)])) for c in range(1, kind.n_classes + 1)]


@lru_cache(maxsize=65536)
def threshold(beta: float, energy: float) -> int:
    """Heat bath: probability 1 / (1 + exp(beta |energy|)) of the less likely value, times 2^DIGITS.

    Rounded to the nearest integer, so a decided probability is right to 2^-49. The less likely value is
    taken if and only if the uniform, a number of `DIGITS` bits, is below the threshold.
    """
    p = 1.0 / (1.0 + exp(beta * abs(energy)))
    return min(int(p * 2.0**DIGITS + 0.5), 2**DIGITS - 1)

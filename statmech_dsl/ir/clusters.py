"""Cluster moves as names and tables: which terms tie sites together, and how a cluster is reflected."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.domains.base import Reflection
from statmech_dsl.ir.draws import Let, meaning
from statmech_dsl.ir.expr import Expr, read
from statmech_dsl.ir.model import Column, Tables

GHOST = -1
"""The site that stands for all that does not move."""


@dataclass(frozen=True, slots=True)
class Tie:
    """Terms of one form that tie two sites together, or one site to the ghost: to all that does not move.

    ``sites`` are the tables with the first and the second site of each of them. Without the tie with log
    probability ``log_free``; it reads ``beta``, ``old.k`` and ``new.k``, the present value of the first site
    and its reflected value, and slots: the components of the second site, then ``columns``.
    """

    sites: tuple[str, ...]
    log_free: Expr
    columns: tuple[Column, ...]

    def count(self, tables: Tables) -> int:
        """Number of terms."""
        return len(tables[self.sites[0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters(Collective):
    """Tie sites together at random, and reflect the clusters that this makes.

    With ``one``, a single one: that of a random site, the ghost among them. Otherwise each with probability
    1/2, or, where ``recolor`` is set, each gets a random value. A cluster that is tied to the ghost stays.

    Discrete values are reflected by a row of ``mirrors``, in which column x - lowest value has the image of
    x; those that the seed of a single cluster may take are listed in ``picks``, their number first. Others
    are reflected by ``reflection``.

    Ties are numbered through, in the order of ``ties``, pairs first, and so are their random words. Sites
    have the words after them.

    A move with reports sums the odd parts of the sites of each cluster. Those of discrete values are in
    ``odd``, laid out like ``mirrors``, with the scale that `Reflection.odd` has. The sites of ``held``, which
    are clamped, go with the ghost. ``forward`` has for each axis the next site along it, for correlations.
    """

    one: bool
    ties: tuple[Tie, ...]
    mirrors: str | None = None
    picks: str | None = None
    reflection: Reflection | None = None
    recolor: bool = False
    odd: str | None = None
    held: str | None = None
    forward: str | None = None

    @property
    def sliced(self) -> bool:
        """Single clusters alone, of which nothing is reported."""
        return self.one and not self.reports and not self.fields

    @property
    def pairs(self) -> tuple[Tie, ...]:
        """Ties of two sites."""
        return tuple(t for t in self.ties if len(t.sites) == 2)

    @property
    def fields(self) -> tuple[Tie, ...]:
        """Ties to the ghost."""
        return tuple(t for t in self.ties if len(t.sites) == 1)

    def offsets(self, tables: Tables) -> list[int]:
        """Number of the first tie of each form, and of the first site."""
        return [0, *accumulate(t.count(tables) for t in self.ties)]


def axis_lets(reflection: Reflection) -> tuple[tuple[Let, ...], int]:
    """The axis as statements that read uniforms ``u.0``, ``u.1``, ..., and how many of these there are.

    Uniform k is that of word k % 4 of block 1 + k // 4 of the move.
    """
    lets: list[Let] = []
    used = 0
    for s in reflection.axis:
        if isinstance(s, Let):
            lets.append(s)
            continue
        m = meaning(s, tuple(read(f"u.{used + k}") for k in range(s.words)))  # type: ignore[arg-type]
        lets += [*m.lets, Let(s.name, m.result)]
        used += s.words
    return tuple(lets), used

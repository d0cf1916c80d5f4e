"""Moves of many sites at once: what the sweep of a program holds besides its passes over sites.

Each kind of move is a subclass here that says what its kernels need, as names and numbers; the arrays lie in
tables. `backends.collective` has the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.params import Param


@dataclass(frozen=True, slots=True)
class Report:
    """What a move tells of the state that it meets: a number, or as many as ``size`` says."""

    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """A move of many sites of a variable, made ``times`` times at the end of every sweep.

    ``stream`` is its number among the passes and moves of a sweep. Each time it tries ``moves`` moves; where
    ``tallied``, the accepted ones are counted, and ``counts`` names what is counted besides. Of ``reports``,
    each draw gets the mean over the moves that led to it. With ``masses`` it has one for each site of its
    variable, which tuning sets to the inverse variance. ``recipe`` is the update with its options, as
    ``updates=`` takes it, if it has any.
    """

    update: str
    variable: str
    stream: int
    times: int = 1
    moves: int = 1
    params: tuple[Param, ...] = ()
    masses: bool = False
    tallied: bool = False
    counts: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    recipe: str = ""

    @property
    def sliced(self) -> bool:
        """Whether it may be made on states in bits, 64 replicas in a word."""
        return False

    @property
    def name(self) -> str:
        """How a recipe names it."""
        return self.recipe or self.update

"""What a kind of collective move offers: its definition in plain Python, and compiled kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State

Values = dict[str, np.ndarray]
"""Values of one replica: variable -> rows."""


@dataclass(frozen=True, eq=False)
class Seat:
    """A move in its program: what it may read, and its rows in ``State.accepted`` and ``State.params``.

    ``counts`` are the rows of ``State.accepted`` for what it counts besides accepted moves.
    """

    move: Any
    """The `Collective`."""
    program: Program
    tables: Tables
    row: int
    params: slice
    counts: slice


class Mover(Protocol):
    """Makes the moves of sweeps in place, on plain arrays."""

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps; the first is number ``state.sweep``, which stays as it is."""
        ...

    def source(self) -> str:
        """Generated source, or a word on why there is none."""
        ...


class Definition(Mover, Protocol):
    """The slow mover that says what the move means."""

    def branches(self, state: State, x: Values) -> Iterator[tuple[Values, float]]:
        """All outcomes of one move of a replica with these values, each with its probability.

        ``state`` gives beta and parameters of its first replica.
        """
        ...


@dataclass(frozen=True)
class Kind:
    """How a kind of move is run: as the reference backend does, and compiled with a number of threads."""

    definition: Callable[[Seat], Definition]
    compiled: Callable[[Seat, int], Mover]


KINDS: dict[type[Collective], Kind] = {}
"""Every kind of collective move."""

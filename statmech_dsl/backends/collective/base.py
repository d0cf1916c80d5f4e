"""What a kind of collective move offers: its definition in plain Python, and compiled kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.kernel import Packed
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.ir.collective import Collective, Report
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State

WORD = 64
"""Replicas that fill a word: fewer would pay for all."""
Values = dict[str, np.ndarray]
"""Values of one replica: variable -> rows."""


@dataclass(frozen=True, eq=False)
class Seat:
    """A move in its program: what it may read, and its rows in ``State.accepted`` and ``State.params``.

    ``counts`` are the rows of ``State.accepted`` for what it counts besides accepted moves. The kernels may
    depend on the number of replicas.
    """

    move: Any
    """The `Collective`."""
    program: Program
    tables: Tables
    row: int
    params: slice
    counts: slice
    n_replicas: int


@dataclass(eq=False)
class Ledger:
    """Sums of what the moves of a seat report, a row for each replica, until they are taken."""

    reports: tuple[Report, ...]
    moves: int = 0
    sums: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._clear(0)

    def _clear(self, n_replicas: int) -> None:
        self.moves = 0
        self.sums = np.zeros((n_replicas, sum(r.size or 1 for r in self.reports)))

    def open(self, n_replicas: int, moves: int) -> np.ndarray:
        """The sums, which so many moves of each replica are to be added to."""
        if len(self.sums) != n_replicas:
            self._clear(n_replicas)
        self.moves += moves
        return self.sums

    def take(self) -> list[np.ndarray]:
        """Means over the moves since this was last called, one array (replicas, ...) for each report."""
        mean = self.sums / max(self.moves, 1)
        self._clear(len(self.sums))
        ends = np.cumsum([r.size or 1 for r in self.reports])[:-1]
        return [
            part if r.size else part[:, 0]
            for r, part in zip(self.reports, np.split(mean, ends, axis=1), strict=True)
        ]


class Mover(Protocol):
    """Makes the moves of sweeps in place, on plain arrays."""

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps; the first is number ``state.sweep``, which stays as it is."""
        ...

    def source(self) -> str:
        """Generated source, or a word on why there is none."""
        ...


@runtime_checkable
class PackedMover(Mover, Protocol):
    """A mover that takes states in bits as they are, where passes keep them so."""

    def move_packed(self, packed: Any, state: State, n: int) -> None:
        """Make the moves of n sweeps in place; counters and temperatures are those of ``state``."""
        ...


class Reporter(Mover, Protocol):
    """A mover of a move with reports."""

    ledger: Ledger


class Definition(Mover, Protocol):
    """The slow mover that says what the move means."""

    def branches(self, state: State, x: Values) -> Iterator[tuple[Values, float]]:
        """All outcomes of one move of a replica with these values, each with its probability.

        ``state`` gives beta and parameters of its first replica.
        """
        ...


@runtime_checkable
class Lender(Protocol):
    """Kernels on a card that lend their state to moves."""

    device: Device

    @property
    def layout(self) -> Layout:
        """Where sites lie in what is lent."""
        ...

    def lend(self, packed: Any) -> Packed:
        """The state in plain arrays of the device, to be changed in place."""
        ...

    def regain(self, packed: Any) -> None:
        """Take over the values of what was lent."""
        ...


@runtime_checkable
class CardMover(Protocol):
    """Makes the moves of sweeps on a card, in place."""

    def move_on_card(self, lent: Packed, sweep: int, n: int) -> None:
        """Make the moves of n sweeps, of which ``sweep`` is the first."""
        ...

    def source(self) -> str:
        """Generated source."""
        ...


@dataclass(frozen=True)
class Kind:
    """How a kind of move is run: as the reference backend does, and compiled with a number of threads.

    ``on_card``, if there is one, makes it on the card that has the state; without, the processor does, and
    so it does where it draws other random words, ``stays``.
    """

    definition: Callable[[Seat], Definition]
    compiled: Callable[[Seat, int], Mover]
    on_card: Callable[[Seat, Lender], CardMover] | None = None
    stays: Callable[[Seat], bool] = lambda _: False

    def left(self, seat: Seat) -> bool:
        """Whether a card leaves the move to the processor."""
        return self.on_card is None or self.stays(seat)


KINDS: dict[type[Collective], Kind] = {}
"""Every kind of collective move."""

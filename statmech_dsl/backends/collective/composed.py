"""Kernels of a program that has collective moves: passes by a backend, then the moves.

Moves are made on plain arrays; on a card, those that can be made there are, on the state that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from statmech_dsl.backends.base import Backend, Kernels, Measures, swept_energy
from statmech_dsl.backends.collective.base import (
    KINDS,
    WORD,
    CardMover,
    Kind,
    Lender,
    Mover,
    PackedMover,
    Reporter,
    Seat,
)
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State


def build_kernels(
    backend: Backend, program: Program, tables: Tables, n_replicas: int, threads: int
) -> Kernels:
    """The kernels of any program."""
    filled = program.passes or n_replicas >= WORD
    bare = replace(program, collective=(), bits=program.bits if filled else None)
    passes = backend.build(bare, tables, n_replicas, threads)
    if not program.collective:
        return passes
    movers: list[Mover | CardMover] = []
    n_params = sum(len(p.params) for p in program.passes)
    n_counts = len(program.steps)
    for row, move in enumerate(program.collective, len(program.passes)):
        params = slice(n_params, n_params + len(move.params))
        counts = slice(n_counts, n_counts + len(move.counts))
        seat = Seat(move, program, tables, row, params, counts, n_replicas)
        movers.append(_mover(KINDS[type(move)], seat, backend, passes, threads))
        n_params, n_counts = params.stop, counts.stop
    return Composed(
        program, passes, movers, lambda n: backend.build(bare, tables, n * n_replicas, threads)
    )


def _mover(
    kind: Kind, seat: Seat, backend: Backend, passes: Kernels, threads: int
) -> Mover | CardMover:
    if backend.name == "reference":
        return kind.definition(seat)
    if isinstance(passes, Lender) and kind.on_card and not kind.left(seat):
        return kind.on_card(seat, passes)
    return kind.compiled(seat, threads)


TOGETHER = 64
"""Replicas that are measured together, where there are fewer."""


@dataclass(eq=False)
class Both:
    """A state as plain arrays and as the passes keep it; one of the two may be out of date."""

    plain: State
    packed: Any
    plain_is_new: bool = True
    packed_is_new: bool = True

    @property
    def state(self) -> State:
        """The state, whose counters are always up to date."""
        return self.plain


class Composed:
    """Sweeps of passes and collective moves."""

    def __init__(
        self,
        program: Program,
        passes: Kernels,
        movers: list[Mover | CardMover],
        build: Callable[[int], Kernels],
    ) -> None:
        self.program, self.passes, self.movers = program, passes, movers
        self._build, self._meters = build, passes
        self._n_passes = len(program.passes)
        self._n_params = sum(len(p.params) for p in program.passes)
        self._reporters = [
            cast(Reporter, m)
            for m, move in zip(movers, program.collective, strict=True)
            if move.reports
        ]
        self._reports: list[dict[str, np.ndarray]] = []
        self._on_card = all(isinstance(m, CardMover) for m in movers)

    def replace_tables(self, new: Tables) -> None:
        """Exchange couplings for others of the same shapes, where passes and moves can."""
        for part in (self.passes, *self.movers):
            part.replace_tables(new)  # type: ignore[attr-defined]

    def pack(self, state: State) -> Both:
        """Copy the state; passes get theirs when they need it."""
        return Both(state.copy(), None, packed_is_new=False)

    def unpack(self, packed: Both) -> State:
        """Copy it back into plain arrays."""
        return self._plain(packed).copy()

    def set_beta(self, packed: Both, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures, and the parameters that were tuned at them."""
        packed.plain.beta = np.array(beta, float)
        if params is not None:
            packed.plain.params = params.copy()
        if packed.packed_is_new:
            mine = None if params is None else params[: self._n_params]
            self.passes.set_beta(packed.packed, beta, mine)

    def take(self, packed: Both, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has."""
        if packed.plain_is_new:
            values = packed.plain.values
            packed.plain.values = {name: x[rows] for name, x in values.items()}
        if packed.packed_is_new:
            self.passes.take(packed.packed, rows)

    def accepted(self, packed: Both) -> np.ndarray:
        """Moves that each replica has accepted so far, shape (steps, replicas)."""
        return self._plain(packed).accepted.copy()

    def values(self, packed: Both, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        if packed.plain_is_new:
            return packed.plain.values[variable]
        return self.passes.values(packed.packed, variable)

    def sweep(self, packed: Both, n: int) -> None:
        """Do n sweeps in place."""
        at_once = max(n, 1) if not self._n_passes and len(self.movers) == 1 else 1
        for _ in range(0, n, at_once):
            if self._n_passes:
                self.passes.sweep(self._packed(packed), at_once)
                packed.plain_is_new = False
            packed.plain.sweep += at_once
            for mover in self.movers:
                self._move(mover, packed, at_once)

    def _move(self, mover: Mover | CardMover, packed: Both, n: int) -> None:
        """Make the moves of n sweeps, which have been counted, in the form of the state that a mover takes."""
        first = packed.plain.sweep - n
        if isinstance(mover, CardMover):
            lender = cast(Lender, self.passes)
            mine = self._packed(packed)
            mover.move_on_card(lender.lend(mine), first, n)
            lender.regain(mine)
            packed.plain_is_new = False
        elif isinstance(self.passes, BitKernels) and isinstance(mover, PackedMover):
            mover.move_packed(self._packed(packed), replace(packed.plain, sweep=first), n)
            packed.plain_is_new = False
        else:
            mover.move(replace(self._plain(packed), sweep=first), n)
            packed.packed_is_new = False

    def energy(self, packed: Both) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        return self.passes.energy(self._packed(packed))

    def measure(self, packed: Both) -> Measures:
        """Both energies, and the elements of all sums of ``program.measured``."""
        return self.passes.measure(self._packed(packed))

    def swept_energy(self, packed: Both, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then."""
        return swept_energy(self, packed, n)

    def record(self, packed: Both, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times.

        Without passes, states are laid aside and measured together, each as a replica: the kernels that
        measure do better with many. They stay on a card where all moves are made there.
        """
        together = min(draws, TOGETHER // packed.plain.n_replicas)
        self._take_reports()  # of moves before the first draw
        self._reports.clear()
        found = []
        if self._n_passes or self._on_card or together < 2:
            for _ in range(draws):
                self._draw(packed, thin)
                found.append([x[None] for x in self.measure(packed)])
        else:
            for first in range(0, draws, together):
                states = []
                for _ in range(min(together, draws - first)):
                    self._draw(packed, thin)
                    states.append(packed.plain.copy())
                found.append(self._measured(states))
        tempered, fixed, sums = zip(*found, strict=True)
        return np.concatenate(tempered), np.concatenate(fixed), np.concatenate(sums)

    def reported(self) -> dict[str, np.ndarray]:
        """What moves told on the way to each draw of the last record: means, (draws, replicas, ...)."""
        names = self._reports[0] if self._reports else {}
        return {name: np.stack([found[name] for found in self._reports]) for name in names}

    def _draw(self, packed: Both, thin: int) -> None:
        self.sweep(packed, thin)
        if self._reporters:
            self._reports.append(self._take_reports())

    def _take_reports(self) -> dict[str, np.ndarray]:
        """Means by name; of steps that report the same, each counts the same."""
        found: dict[str, list[np.ndarray]] = {}
        taken = [x for m in self._reporters for x in m.ledger.take()]
        for (name, _), x in zip(self.program.reports, taken, strict=True):
            found.setdefault(name, []).append(x)
        return {name: np.mean(parts, axis=0) for name, parts in found.items()}

    def _measured(self, states: list[State]) -> Measures:
        """Measure states in one go."""
        n, first = len(states), states[0]
        if self._meters is self.passes:
            self._meters = self._build(TOGETHER // first.n_replicas)
        many = replace(
            first,
            values={v: np.concatenate([s.values[v] for s in states]) for v in first.values},
            replicas=np.tile(first.replicas, n),
            beta=np.tile(first.beta, n),
            params=np.zeros((0, n * first.n_replicas)),
            accepted=np.zeros((0, n * first.n_replicas), np.int64),
        )
        tempered, fixed, sums = self._meters.measure(self._meters.pack(many))
        shape = (n, first.n_replicas)
        return tempered.reshape(shape), fixed.reshape(shape), sums.reshape(*shape, -1)

    def source(self) -> str:
        """Generated source of the passes and of the moves."""
        passes = [self.passes.source()] if self._n_passes else []
        return "\n\n".join([*passes, *(m.source() for m in self.movers)])

    def _plain(self, packed: Both) -> State:
        """The state as plain arrays, up to date."""
        if not packed.plain_is_new:
            new = self.passes.unpack(packed.packed)
            packed.plain.values = new.values
            packed.plain.accepted[: self._n_passes] = new.accepted
            packed.plain_is_new = True
        return packed.plain

    def _packed(self, packed: Both) -> Any:
        """The state as the passes keep it, up to date."""
        if not packed.packed_is_new:
            state = packed.plain
            mine = replace(
                state,
                params=state.params[: self._n_params],
                accepted=state.accepted[: self._n_passes],
            )
            packed.packed, packed.packed_is_new = self.passes.pack(mine), True
        return packed.packed

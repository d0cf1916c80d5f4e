"""Kernels of exchanges: a program whose only pass visits the bonds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from statmech_dsl.backends.base import Kernels
from statmech_dsl.backends.branching import Known, outcomes
from statmech_dsl.backends.collective.base import Kind, Mover, Seat, Values
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels
from statmech_dsl.backends.reference import Reference
from statmech_dsl.ir.exchange import Exchange
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.ir.state import State


class Exchanger:
    """Sweeps over bonds. The k-th time of sweep t is number ``times * t + k``, to draw numbers of its own."""

    def __init__(self, seat: Seat, build: Callable[[Program, int], Kernels]) -> None:
        self.moved: Exchange = seat.move
        self.bonds = self.moved.bonds
        self.tables = seat.tables
        model = seat.program.model
        measured = ModelIR(model.variables, ())
        self.program = Program(model, (self.bonds,), "boltzmann", measured)
        self._build: Callable[[Program, int], Kernels] = build
        self._kernels: dict[int, Kernels] = {}

    def kernels(self, n_replicas: int) -> Kernels:
        """Kernels for a number of replicas."""
        if n_replicas not in self._kernels:
            self._kernels = {n_replicas: self._build(self.program, n_replicas)}
        return self._kernels[n_replicas]

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps."""
        kernels, times = self.kernels(state.n_replicas), self.moved.times
        packed = kernels.pack(self.inner(state))
        kernels.sweep(packed, n * times)
        name = self.moved.variable
        state.values[name] = kernels.values(packed, name).copy()

    def inner(self, state: State) -> State:
        """The state for the program of bonds alone."""
        n = state.n_replicas
        return replace(
            state,
            sweep=state.sweep * self.moved.times,
            params=np.zeros((0, n)),
            accepted=np.zeros((1, n), np.int64),
        )

    def source(self) -> str:
        """Source of the sweep over bonds."""
        return self.kernels(1).source()


class Definition(Exchanger):
    """Bonds one after the other, by the reference."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat, lambda program, _: Reference(program, seat.tables))
        self._known: dict[float, Known] = {}

    def branches(self, state: State, x: Values) -> Iterator[tuple[Values, float]]:
        """All outcomes of a visit of all bonds."""
        known = self._known.setdefault(float(state.beta[0]), {})
        return outcomes(Reference(self.program, self.tables), state, self.bonds, x, known)


def _compiled(seat: Seat, threads: int) -> Mover:
    return Exchanger(seat, lambda program, n: NumbaKernels(program, seat.tables, n, threads))


EXCHANGE = Kind(Definition, _compiled)

"""Hamiltonian Monte Carlo (Duane et al. 1987): the same steps by interpreted and by compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from statmech_dsl import rng
from statmech_dsl.backends.base import Backend, Kernels
from statmech_dsl.backends.collective.base import Kind, Seat, Values
from statmech_dsl.backends.numba_cpu import NUMBA
from statmech_dsl.backends.reference import REFERENCE
from statmech_dsl.ir.elementary import log
from statmech_dsl.ir.hamiltonian import AHEAD, MOMENTUM, SCALE, Hamiltonian
from statmech_dsl.ir.state import State

DIVERGENT = 1000.0
"""Energy error beyond which a trajectory has diverged."""
SHORTEST = 0.5
"""A trajectory of several steps takes a random part of the tuned step, from this on: lengths that are
always the same meet periods of modes."""
MANY_BETAS = 256
"""Inverse temperatures whose inverse propagators are kept."""


class Trajectories:
    """Moves of a variable along trajectories, all replicas side by side."""

    def __init__(self, seat: Seat, backend: Backend, threads: int) -> None:
        self.seat, self.backend, self.threads = seat, backend, threads
        self.m: Hamiltonian = seat.move
        self._stored = seat.program.model.variable(self.m.variable).domain.storage_dtype
        self.kernels = lru_cache(4)(self._kernels)
        self._masses = lru_cache(MANY_BETAS)(self._inverse_propagator)

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps in place."""
        with np.errstate(all="ignore"):  # what overflows is rejected, and counted
            for sweep in range(state.sweep, state.sweep + n):
                for k in range(self.m.times):
                    self._move(state, sweep * self.m.times + k)

    def _move(self, state: State, number: int) -> None:
        """One trajectory of each replica; ``number`` tells it from their others."""
        words = rng.philox(0, state.replicas, number, self.m.stream, state.seed)
        u, part = (np.asarray(rng.uniform(w.astype(float))) for w in words[:2])
        _, motion = self.kernels(state.n_replicas)
        packed = motion.pack(self.start(state, number))
        packed, error = self.follow(packed, state.beta, self._steps(state, part))
        x = motion.values(packed, self.m.variable)
        chosen = zip(u.tolist(), error.tolist(), strict=True)
        taken = np.array([log(a) < -e for a, e in chosen])
        state.values[self.m.variable][taken] = x[taken]
        state.accepted[self.seat.row] += taken
        state.accepted[self.seat.counts] += ~(error <= DIVERGENT)

    def start(self, state: State, number: int) -> State:
        """Positions of replicas, with momenta that are drawn for them."""
        v = self.m.variable
        values = {
            k: x.astype(float) if x.dtype == np.float32 else x for k, x in state.values.items()
        }
        values[v + MOMENTUM] = np.zeros(values[v].shape)
        refresh, _ = self.kernels(state.n_replicas)
        own = {k: values[k] for k in (v, v + MOMENTUM)}
        packed = refresh.pack(self._state(state, own, number, 0, 1))
        refresh.sweep(packed, 1)
        p = np.array(refresh.values(packed, v + MOMENTUM))
        if self.m.propagator is not None:
            p = self._filtered(p, state.beta, np.sqrt)
        values[v + MOMENTUM] = p
        if any(x.name == v + AHEAD for x in self.m.motion.model.variables):
            values[v + AHEAD] = np.zeros(p.shape)
        if self.m.masses:
            values[v + SCALE] = 1.0 / np.sqrt(state.params[self.seat.program.mass_rows[v]].T)
        n_passes = len(self.m.motion.passes)
        return self._state(state, values, number, n_passes, n_passes)

    def follow(self, packed: Any, beta: np.ndarray, step: np.ndarray) -> tuple[Any, np.ndarray]:
        """The ends of trajectories with these steps, and by how much H is larger there."""
        _, motion = self.kernels(len(beta))
        move = self._by_sites if self.m.propagator is None else self._by_modes
        before = self._hamiltonian(motion, packed, beta)
        packed = move(motion, packed, beta, step)
        if self._stored == "float32":  # what counts is the energy of the state that is stored
            end = motion.unpack(packed)
            x = end.values[self.m.variable]
            end.values[self.m.variable] = x.astype(np.float32).astype(float)
            packed = motion.pack(end)
        return packed, self._hamiltonian(motion, packed, beta) - before

    def _by_sites(self, motion: Kernels, packed: Any, beta: np.ndarray, step: np.ndarray) -> Any:
        """Half a kick, free motions with kicks in between, half a kick."""
        others = [step] * (len(self.m.motion.passes) - 1)
        motion.set_beta(packed, beta, np.stack([0.5 * step, *others]))
        motion.sweep(packed, 1)
        motion.set_beta(packed, beta, np.stack([step, *others]))
        motion.sweep(packed, self.m.leapfrogs - 1)
        motion.set_beta(packed, beta, np.stack([0.5 * step, *(0.0 * x for x in others)]))
        motion.sweep(packed, 1)
        return packed

    def _by_modes(self, motion: Kernels, packed: Any, beta: np.ndarray, step: np.ndarray) -> Any:
        """The same, with free motions in Fourier space."""
        v = self.m.variable
        for k in range(self.m.leapfrogs + 1):
            ends = k in (0, self.m.leapfrogs)
            motion.set_beta(packed, beta, step[None] * (0.5 if ends else 1.0))
            motion.sweep(packed, 1)
            if k < self.m.leapfrogs:
                state = motion.unpack(packed)
                velocity = self._filtered(state.values[v + MOMENTUM], beta, np.reciprocal)
                state.values[v] = state.values[v] + step[:, None] * velocity
                packed = motion.pack(state)
        return packed

    def _hamiltonian(self, motion: Kernels, packed: Any, beta: np.ndarray) -> np.ndarray:
        """Minus the log weight of positions and momenta."""
        tempered, fixed, squares = motion.measure(packed)
        kinetic = squares[:, 0]
        if self.m.propagator is not None:
            p = motion.values(packed, self.m.variable + MOMENTUM)
            kinetic = (p * self._filtered(p, beta, np.reciprocal)).sum(axis=1)
        return beta * tempered + fixed + 0.5 * kinetic

    def _steps(self, state: State, part: np.ndarray) -> np.ndarray:
        """The step of each replica."""
        if self.m.step is not None:
            return np.full(state.n_replicas, self.m.step)
        (tuned,) = state.params[self.seat.params]
        return tuned if self.m.leapfrogs == 1 else tuned * (SHORTEST + (1.0 - SHORTEST) * part)

    def _filtered(
        self, x: np.ndarray, beta: np.ndarray, function: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Multiply the modes of each replica by a function of their masses."""
        assert self.m.propagator is not None
        periods = self.m.propagator.periods
        from scipy import fft  # takes long to import, and few moves need it

        out = np.empty(x.shape)
        for r, b in enumerate(beta.tolist()):
            modes = np.asarray(fft.rfftn(x[r].reshape(periods))) * function(self._masses(b))
            out[r] = np.asarray(fft.irfftn(modes, periods)).reshape(-1)
        return out

    def _inverse_propagator(self, beta: float) -> np.ndarray:
        assert self.m.propagator is not None
        return self.m.propagator.inverse(self.seat.tables, beta)

    def _kernels(self, n_replicas: int) -> tuple[Kernels, Kernels]:
        """What draws momenta, and what moves, for a number of replicas."""
        refresh, motion = (
            self.backend.build(p, self.seat.tables, n_replicas, self.threads)
            for p in (self.m.refresh, self.m.motion)
        )
        return refresh, motion

    def _state(
        self, state: State, values: Values, number: int, n_params: int, n_passes: int
    ) -> State:
        """A state of one of the two programs."""
        n = state.n_replicas
        params, counts = np.zeros((n_params, n)), np.zeros((n_passes, n), np.int64)
        return replace(state, values=values, sweep=number, params=params, accepted=counts)

    def branches(self, state: State, x: Values) -> Iterator[tuple[Values, float]]:
        """There is no list of outcomes."""
        raise NotImplementedError("trajectories end anywhere")

    def source(self) -> str:
        """Generated source of both programs."""
        kernels = self.kernels(1)
        return "\n\n".join(k.source() for k in kernels)


HAMILTONIAN = Kind(
    lambda seat: Trajectories(seat, REFERENCE, 1),
    lambda seat, threads: Trajectories(seat, NUMBA, threads),
)

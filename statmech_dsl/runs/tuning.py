"""Proposal widths, steps and masses, tuned replica by replica and only before production."""

from __future__ import annotations

from typing import Any

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State
from statmech_dsl.runs.masses import Masses

BLOCK = 10
"""Sweeps between two adaptations."""
LEAST, MOST = 1e-6, 1e6
"""Bounds of what is tuned."""
SHRINKAGE, DELAY, FORGETTING = 0.05, 10.0, 0.75
"""The constants gamma, t0 and kappa of dual averaging, as Hoffman and Gelman (2014) recommend them."""


class Tuner:
    """Tunes the replicas of a sampler at temperatures that stay; what is ``averaged`` by dual averaging.

    That is Nesterov's, as Hoffman and Gelman (2014) use it: values move fast at first, and their weighted mean
    is kept. It takes the accepted fractions of blocks, and starts around the first value; anew, where masses
    have been found. ``states`` is how many states `Masses` will see.
    """

    def __init__(self, sampler: Sampler, states: int) -> None:
        self.steps = [number for number, _ in sampler.params]
        self.starts = np.array([q.start for _, q in sampler.params])
        self.targets = np.array([q.target for _, q in sampler.params])
        self.averaged = np.array([q.averaged for _, q in sampler.params], bool)
        self.moves = sampler.moves[self.steps]
        self.masses = Masses(sampler, states)
        self.block = 1 if self.masses.rows else BLOCK
        """Sweeps between two adaptations: as few as can be where masses change in short windows."""
        self.n = self._since = 0
        self._center = self._mean = self._error = np.zeros(0)

    def adapt(self, params: np.ndarray, accepted: np.ndarray, sweeps: int) -> None:
        """Move parameters after some sweeps, whose accepted moves are taken off."""
        rate = accepted[self.steps] / (sweeps * self.moves)[:, None]
        wanted, steps = self.targets[:, None], params[: len(self.steps)]
        if self._since == 0:
            self._center = np.log(steps)
            self._mean, self._error = np.zeros_like(steps), np.zeros_like(steps)
        t = self._since + 1.0
        self._error += (wanted - rate - self._error) / (t + DELAY)
        averaged = self._center - np.sqrt(t) / SHRINKAGE * self._error
        averaged = np.clip(averaged, np.log(LEAST), np.log(MOST))
        self._mean += t**-FORGETTING * (averaged - self._mean)
        moved = _moved(steps, rate, wanted, self.n)
        steps[:] = np.where(self.averaged[:, None], np.exp(averaged), moved)
        accepted[:] = 0
        self.n += 1
        self._since += 1
        if self.masses.update(params):
            steps[self.averaged] = self.starts[self.averaged, None]
            self._since = 0

    def finish(self, params: np.ndarray) -> None:
        """Set what is averaged to its mean."""
        if self._since:
            params[: len(self.steps)][self.averaged] = np.exp(self._mean[self.averaged])


def retune(sampler: Sampler, packed: Any, sweeps: int, step: int) -> Any:
    """The replicas with widths adapted to the moves of the last ``sweeps`` sweeps, as temperatures change."""
    steps = [number for number, _ in sampler.params]
    targets = np.array([q.target for _, q in sampler.params])
    state = sampler.kernels.unpack(packed)
    adapt(state, steps, targets, sweeps * sampler.moves[steps], step)
    return sampler.kernels.pack(state)


def adapt(
    state: State, passes: list[int], targets: np.ndarray, moves: np.ndarray, step: int
) -> None:
    """Move each replica's parameters towards the wanted acceptance.

    ``passes[k]`` is the pass of parameter k and ``moves[k]`` the number of moves that it made. A replica's
    widths depend on its own moves only.
    """
    rate = state.accepted[passes] / moves[:, None]
    state.params[:] = _moved(state.params, rate, targets[:, None], step)
    state.accepted[:] = 0


def _moved(params: np.ndarray, rate: np.ndarray, wanted: np.ndarray, step: int) -> np.ndarray:
    """One step of Robbins and Monro (1951); the gain falls as step^-0.6."""
    gain = 4.0 / (1.0 + step) ** 0.6
    return np.clip(params * np.exp(gain * (rate - wanted)), LEAST, MOST)

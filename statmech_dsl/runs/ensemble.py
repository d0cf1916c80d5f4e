"""The replicas of all ladders, and the two things that happen to them in turn: sweeps and swaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State
from statmech_dsl.results import Recorder
from statmech_dsl.results.overlaps import Overlaps
from statmech_dsl.rng import LADDER_BITS
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.houdayer import EVERY, Houdayer
from statmech_dsl.runs.tuning import Tuner


def numbers(n_T: int, chains: np.ndarray, copies: int) -> np.ndarray:
    """Numbers of the replicas of ladders: temperature by temperature, then chain by chain."""
    level, chain, copy = np.meshgrid(np.arange(n_T), chains, np.arange(copies), indexing="ij")
    place = level + n_T * copy
    return (place + (chain.astype(np.int64) << LADDER_BITS)).reshape(-1).astype(np.uint32)


class Ensemble:
    """Replicas on their way through a ladder.

    What belongs to a temperature, widths and acceptances, is kept by *place*, (temperature, ladder), and
    handed to the replicas that are there: ``params`` and ``accepted`` have shape (..., places).
    """

    def __init__(
        self,
        sampler: Sampler,
        state: State,
        exchange: Exchange,
        thin: int,
        houdayer: Houdayer | None = None,
    ) -> None:
        self.sampler, self.kernels = sampler, sampler.kernels
        self.exchange, self.thin, self.houdayer = exchange, thin, houdayer
        self.n_swaps = state.sweep // thin
        self.params = state.params[:, exchange.rows.reshape(-1)]
        self.accepted = np.zeros_like(state.accepted)
        self._tallied = any(p.tallied for p in sampler.program.steps)
        self._before = state.accepted.copy()
        self._sweeps = 0
        self.packed = self.kernels.pack(state)
        self._set_beta()

    def burn(self, steps: int, advance: Callable[..., None]) -> np.ndarray:
        """Sweep and swap, tuning widths; the probability of each swap, averaged over the second half."""
        rows, tuner = self.exchange.rows, Tuner(self.sampler, steps)
        chance, n = np.zeros((len(rows) - 1, rows.shape[1])), 0
        for k in range(steps):
            energy = self.kernels.record(self.packed, 1, self.thin)[0][0]
            found = self.exchange.swap(energy[rows], self.n_swaps)
            if 2 * k >= steps - 1:
                chance, n = chance + found, n + 1
            self._after_sweeps()
            self._tune(tuner)
            self._set_beta()
            advance(self.thin)
        tuner.finish(self.params)
        self._set_beta()
        self.accepted[:] = 0
        return chance.mean(axis=1) / max(n, 1)

    def record(self, recorder: Recorder, overlaps: Overlaps | None) -> None:
        """Sweep, record every temperature, and swap."""
        rows = self.exchange.rows
        recorder.record(self.packed, 1, self.thin, rows=rows.reshape(-1))
        if overlaps is not None:
            overlaps.record(self._values())
        self.exchange.count_round_trips()
        self.exchange.swap(recorder.energy[:, recorder.n - 1].reshape(rows.shape), self.n_swaps)
        self._after_sweeps()
        self._set_beta()

    def state(self) -> State:
        """States by place."""
        state, rows = self.kernels.unpack(self.packed), self.exchange.rows.reshape(-1)
        return replace(
            state,
            values={name: x[rows] for name, x in state.values.items()},
            replicas=state.replicas[rows],
            beta=state.beta[rows],
            params=self.params,
        )

    def _values(self) -> dict[str, np.ndarray]:
        """Values of all variables by place, [temperature, ladder, row]."""
        names = (v.name for v in self.sampler.program.model.variables)
        return {x: self.kernels.values(self.packed, x)[self.exchange.rows] for x in names}

    def _after_sweeps(self) -> None:
        """Credit accepted moves to places; called before temperatures are handed out again."""
        self.n_swaps += 1
        if self._tallied:
            now = self.kernels.accepted(self.packed)
            self.accepted += (now - self._before)[:, self._rows]
            self._before = now
        if self.houdayer is not None and self.n_swaps % EVERY == 0:
            state = self.kernels.unpack(self.packed)
            self.houdayer(state, self.n_swaps)
            self.packed = self.kernels.pack(state)

    def _set_beta(self) -> None:
        exchange = self.exchange
        self._rows = exchange.rows.reshape(-1).copy()
        params = None
        if len(self.params):
            params = np.empty_like(self.params)
            params[:, self._rows] = self.params
        self.kernels.set_beta(self.packed, exchange.of_replicas(exchange.beta), params)

    def _tune(self, tuner: Tuner) -> None:
        """Show masses the states, and move widths and steps, once in about `Tuner.block` sweeps."""
        masses = tuner.masses
        masses.observe({v: self.kernels.values(self.packed, v)[self._rows] for v in masses.rows})
        self._sweeps += self.thin
        if not len(self.params) or self._sweeps < tuner.block:
            return
        tuner.adapt(self.params, self.accepted, self._sweeps)
        self._sweeps = 0

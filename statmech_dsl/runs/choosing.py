"""`updates="tuned"`: the composition of updates that gives the most effective samples a second, measured.

Short runs, each by itself at the temperatures of the run that follows, measure it for the slowest observable.
The choice is made before production, and recorded.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from statmech_dsl.engine.candidates import candidates
from statmech_dsl.engine.compile import compile_model, lower_model
from statmech_dsl.engine.composition import Recipe
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError, UnusedVariableWarning
from statmech_dsl.estimators import tau_int
from statmech_dsl.ir.state import State
from statmech_dsl.results import Recorder
from statmech_dsl.runs.progress import Advance, progress

SHORTEST = 64
"""Draws of a trial before it is looked at for the first time; then it doubles."""
RESOLVED = 50
"""Integrated times after which a trial has said enough."""
HOPELESS = 0.5
"""Part of the best rate below which a trial is given up: it errs in favor of short trials."""
MOST_ELEMENTS = 16
"""Elements of an observable that are looked at."""
clock = time.perf_counter


@dataclass(frozen=True)
class Trial:
    """What a short run has measured; times are in draws and in seconds a draw of all chains."""

    updates: Mapping[str, Recipe]
    slowest: str
    tau: float
    seconds: float
    draws: int
    chains: int

    @property
    def rate(self) -> float:
        """Effective samples a second of the slowest observable."""
        return self.chains / (2.0 * self.tau * self.seconds)


Measure = Callable[[Mapping[str, Recipe], float], Trial]
"""Try a composition; it may stop where it cannot reach the rate that the best one has."""


def choose(recipes: Mapping[str, Sequence[Recipe]], measure: Measure) -> list[Trial]:
    """Trials of all recipes, variable by variable beside the best for the others; the best comes first."""
    best = measure({v: first for v, (first, *_) in recipes.items()}, 0.0)
    found = [best]
    for v, (_, *others) in recipes.items():
        beside = best.updates
        for recipe in others:
            trial = measure({**beside, v: recipe}, best.rate)
            found.append(trial)
            best = max(best, trial, key=lambda x: x.rate)
    return [best, *(x for x in found if x is not best)]


@dataclass(frozen=True, eq=False)
class Pilot:
    """Runs trials, of as many replicas as the run has and of at most ``sweeps`` sweeps each."""

    model: pm.Model
    n_replicas: int
    thin: int
    sweeps: int
    options: Mapping[str, Any]
    """Backend and threads."""
    start: Callable[[Sampler], State]
    """First states: temperature by temperature, then chain by chain."""
    run_chains: Callable[..., State]

    def __call__(self, updates: Mapping[str, Recipe], best: float, advance: Advance) -> Trial:
        """Try a composition; the first draw compiles its kernels, before the clock runs."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnusedVariableWarning)
            sampler = compile_model(self.model, self.n_replicas, updates=updates, **self.options)
        state, burn = self.start(sampler), self.sweeps // 4
        limit = (self.sweeps - burn) // self.thin
        recorder = Recorder(sampler, limit, state.n_replicas, ())
        state = self.run_chains(sampler, state, recorder, burn, 1, self.thin, advance)
        seconds, n = 0.0, min(SHORTEST, limit)
        while True:
            began = clock()
            state = self.run_chains(sampler, state, recorder, 0, n, self.thin, advance)
            seconds += clock() - began
            if recorder.n < n:
                raise KeyboardInterrupt  # a part of a trial is of no use
            trial = _trial(updates, state, recorder, seconds / (n - 1))
            if n == limit or n >= RESOLVED * trial.tau or trial.rate < HOPELESS * best:
                return trial
            n = min(2 * n, limit)


def _trial(
    updates: Mapping[str, Recipe], state: State, recorder: Recorder, seconds: float
) -> Trial:
    n_T = 1 + int(np.count_nonzero(np.diff(state.beta)))
    taus = {
        name: max(tau_int(x).tau for x in _series(array, n_T))
        for name, array in recorder.arrays().items()
    }
    slowest = max(taus, key=lambda name: taus[name])
    chains = state.n_replicas // n_T
    return Trial(updates, slowest, taus[slowest], seconds, recorder.n, chains)


def _series(array: np.ndarray, n_T: int) -> list[np.ndarray]:
    """Series (chains, draws) of some elements of an observable at each temperature."""
    x = array.reshape(n_T, -1, array.shape[1], int(np.prod(array.shape[2:])))
    elements = np.unique(np.linspace(0, x.shape[3] - 1, MOST_ELEMENTS).astype(int))
    return [x[t, :, :, k] for t in range(n_T) for k in elements]


def tuned_updates(pilot: Pilot, progressbar: bool) -> tuple[Mapping[str, Recipe], dict[str, str]]:
    """The best composition, and what was measured as an attribute of results."""
    least = 2 * SHORTEST * pilot.thin
    if pilot.sweeps < least:
        raise ArgumentError(
            "tune is too short to measure updates",
            where=f"tune={pilot.sweeps}",
            mend=f"use tune={least} at least, or updates='auto'",
        )
    recipes = candidates(lower_model(pilot.model))
    with progress(progressbar, "measuring updates", None) as advance:
        trials = choose(recipes, lambda updates, best: pilot(updates, best, advance))
    rows = [
        {
            "updates": x.updates,
            "effective_samples_per_second": x.rate,
            "slowest": x.slowest,
            "tau": x.tau,
            "seconds_per_draw": x.seconds,
            "draws": x.draws,
        }
        for x in trials
    ]
    return trials[0].updates, {"tuned": json.dumps(rows)}

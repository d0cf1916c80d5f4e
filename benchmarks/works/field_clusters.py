"""Sign clusters against Hamiltonian Monte Carlo on a strongly coupled field.

The phi^4 theory on a 64 x 64 torus at lambda = 1 and mu^2 = -1.26, a little above its critical point
(-1.2723), in float64: 4 chains, one thread, seconds of the processor for draws after tuning and compilation.
What counts are effective samples of M^2. Clusters change signs, and local updates the sizes beside them; the
best of Hamiltonian Monte Carlo is sought over fixed steps from 0.05 to 0.3 and 5 to 40 leapfrogs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import statmech_dsl as sm
from benchmarks.rows import Figure, Row
from benchmarks.timing import Spread
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.estimators import tau_int
from statmech_dsl.results import Recorder
from statmech_dsl.runs.sample import run_chains

L, MU2, LAM, CHAINS, TUNE = 64, -1.26, 1.0, 4, 500
CLUSTERS = [("wolff", 3), ("auto", 1)]
STEPS, LEAPFROGS = (0.05, 0.1, 0.2, 0.3), (5, 10, 20, 40)
SECONDS = {"scan": 2.0, "final": 12.0}
"""Of each run, about."""


def effective_samples(updates: Any, seconds: float, seed: int = 1) -> tuple[float, float, float]:
    """Effective samples of M^2 a second, their mean and its error."""
    sampler = compile_model(sm.models.phi4(L, MU2, LAM), CHAINS, updates=updates, threads=1)
    zeros = np.zeros(CHAINS, int)
    state = sampler.start(seed, np.arange(CHAINS), zeros, np.ones(CHAINS), "hot")
    state = _run(sampler, state, TUNE, 1)[0]
    began = time.process_time()
    state = _run(sampler, state, 0, 20)[0]
    draws = max(200, int(seconds * 20 / (time.process_time() - began)))
    began = time.process_time()
    _, m = _run(sampler, state, 0, draws)
    spent = time.process_time() - began
    found = tau_int(m**2)
    return found.effective_sample_size / spent, found.value, found.error


def _run(sampler: Any, state: Any, tune: int, draws: int) -> tuple[Any, np.ndarray]:
    recorder = Recorder(sampler, draws, CHAINS, ())
    state = run_chains(sampler, state, recorder, tune, draws, 1, lambda *_: None)
    return state, recorder.arrays()["m"]


def measure() -> Iterator[Row]:
    """Clusters, and the best Hamiltonian trajectories of a scan."""
    scan = {
        (step, n): effective_samples(sm.HMC(leapfrogs=n, step=step), SECONDS["scan"])[0]
        for step in STEPS
        for n in LEAPFROGS
    }
    step, n = max(scan, key=lambda key: scan[key])
    moves = {
        "sign clusters and local updates": CLUSTERS,
        f"the best trajectories, {n} steps of {step}": sm.HMC(leapfrogs=n, step=step),
        "local updates": "auto",
    }
    speed, means = {}, {}
    for name, updates in moves.items():
        runs = np.array([effective_samples(updates, SECONDS["final"], seed) for seed in (1, 2, 3)])
        speed[name] = runs[:, 0]
        weight = 1 / runs[:, 2] ** 2
        means[name] = (runs[:, 1] @ weight / weight.sum(), weight.sum() ** -0.5)
        yield Figure(f"{name}: effective samples of M^2", "1/s", Spread.of(speed[name]))
    clusters, best, _ = speed
    ratio = np.divide.outer(speed[clusters], speed[best]).ravel()
    yield Figure("sign clusters by the best trajectories", "", Spread.of(ratio))
    apart = [
        abs(means[a][0] - means[b][0]) / np.hypot(means[a][1], means[b][1])
        for a in moves
        for b in moves
        if a < b
    ]
    yield Figure(
        "largest difference of the means of M^2, in its errors", "", Spread.of(np.array(apart))
    )

"""Hamiltonian Monte Carlo on a weakly coupled field.

The phi^4 theory on a 64 x 64 torus at lambda = 0.01 and mu^2 = -0.0125, a correlation length of about 12, in
float64: 4 chains, one thread, seconds of the processor for draws after tuning and compilation. What counts are
effective samples of M^2, the slowest mode. A trajectory of n steps takes n + 1 evaluations of the force. The
numbers of steps are about the best for each kind of mass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

import statmech_dsl as sm
from benchmarks import peers
from benchmarks.rows import Comparison, Figure, Row
from benchmarks.timing import Spread
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.estimators import tau_int
from statmech_dsl.results import Recorder
from statmech_dsl.runs.sample import run_chains

L, MU2, LAM, CHAINS = 64, -0.0125, 0.01, 4
TUNE = 400
MOVES = {
    "fourier": (sm.HMC(leapfrogs=8, mass="fourier"), 2000),
    "unit": (sm.HMC(leapfrogs=150), 600),
}
"""Moves and numbers of draws."""
WARMUP, DRAWS = 500, 300
REPEATS = 3


def draws_of(move: sm.HMC, draws: int) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds and means of phi of runs that go on from each other."""
    sampler = compile_model(sm.models.phi4(L, MU2, LAM), CHAINS, updates=move, threads=1)
    chain, zeros = np.arange(CHAINS), np.zeros(CHAINS, int)
    state = sampler.start(1, chain, zeros, np.ones(CHAINS), "hot")
    tune = TUNE
    for n in (1, *[draws] * REPEATS):
        recorder = Recorder(sampler, n, CHAINS, ())
        began = time.process_time()
        state = run_chains(sampler, state, recorder, tune, n, 1, lambda *_: None)
        seconds = time.process_time() - began
        if n > 1:
            yield seconds, recorder.arrays()["m"]
        tune = 0


def effective(means: np.ndarray) -> float:
    """Effective samples of M^2 in chains."""
    return tau_int(means**2).effective_sample_size


def measure() -> Iterator[Row]:
    """Effective samples a second, and force evaluations for one of them."""
    speed: dict[str, np.ndarray] = {}
    forces: dict[str, np.ndarray] = {}
    for name, (move, draws) in MOVES.items():
        runs = list(draws_of(move, draws))
        samples = np.array([effective(m) for _, m in runs])
        speed[name] = samples / [seconds for seconds, _ in runs]
        forces[name] = CHAINS * draws * (move.leapfrogs + 1) / samples
        what = f"{move.leapfrogs} steps, {name} mass"
        yield Figure(f"{what}: effective samples of M^2", "1/s", Spread.of(speed[name]))
        yield Figure(f"{what}: forces for one of them", "", Spread.of(forces[name]))
    ratio = np.divide.outer(forces["unit"], forces["fourier"]).ravel()
    yield Figure("forces, unit by fourier mass", "", Spread.of(ratio))
    if peers.version("numpyro") is None:
        yield Comparison("phi^4", "numpyro", "not installed")
        return
    nuts = peers.load("numpyro").phi4
    for method in ("vectorized", "sequential"):
        yield from against(
            nuts(L, MU2, LAM, CHAINS, WARMUP, DRAWS, method), method, speed["fourier"]
        )


def against(found: tuple[float, np.ndarray, int], method: str, ours: np.ndarray) -> Iterator[Row]:
    """What NUTS shows, and the ratio."""
    seconds, means, leapfrogs = found
    samples = effective(means)
    theirs, what = np.array([samples / seconds]), f"NumPyro's NUTS, chains {method}"
    yield Figure(f"{what}: effective samples of M^2", "1/s", Spread.of(theirs))
    forces = np.array([leapfrogs / samples])
    yield Figure(f"{what}: forces for one of them", "", Spread.of(forces))
    yield Figure(
        f"this library by {what}: effective samples a second", "", Spread.of(ours / theirs)
    )

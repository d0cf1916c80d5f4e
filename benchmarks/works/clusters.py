"""Cluster moves at the critical point.

Effective samples of m^2 a second, 2D Ising, L = 128, one thread. A run is one chain of `sm.sample`, compilation
excluded, all else included. Its effective samples are its draws divided by twice their integrated
autocorrelation time. mcising has cluster moves of its own, for this model.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

import statmech_dsl as sm
from benchmarks import peers
from benchmarks.rows import Comparison, Figure, Row
from benchmarks.timing import Spread

L, SEEDS = 128, 5
CRITICAL = 2.0 / np.log(1.0 + np.sqrt(2.0))
COMPOSITIONS = {
    "Wolff, a draw every 3 clusters": {"updates": "wolff", "thin": 3, "draws": 12_000},
    "Swendsen-Wang": {"updates": "swendsen_wang", "thin": 1, "draws": 10_000},
}

THEIRS = {"wolff": (12_000, 3), "swendsen_wang": (6000, 1)}
"""Draws, and moves from draw to draw."""


def effective_samples(model: sm.Model, seed: int, **options) -> float:
    """Effective samples of m^2 in a second of processor time."""
    began = time.thread_time()
    data = sm.sample(
        model,
        T=CRITICAL,
        chains=1,
        tune=200,
        threads=1,
        init="cold",
        seed=seed,
        progressbar=False,
        **options,
    )
    seconds = time.thread_time() - began
    return sm.tau_int(data.posterior.m.values**2).effective_sample_size / seconds


def measure() -> Iterator[Row]:
    """Several seeds of each move, after one run that compiles."""
    model = sm.models.ising(L=L)
    for what, options in COMPOSITIONS.items():
        effective_samples(model, 0, **options | {"draws": 100})
        found = [effective_samples(model, seed, **options) for seed in range(1, SEEDS + 1)]
        yield Figure(what, "effective samples a second", Spread.of(np.array(found)))
    if peers.version("mcising") is None:
        yield Comparison("cluster moves", "mcising", "not installed")
        return
    for algorithm, (draws, thin) in THEIRS.items():
        found = [theirs(algorithm, draws, thin) for _ in range(2)]
        what = f"mcising, {algorithm.replace('_', '-')}"
        yield Figure(what, "effective samples a second", Spread.of(np.array(found)))


def theirs(algorithm: str, draws: int, thin: int) -> float:
    """Effective samples of m^2 in a second of mcising."""
    began = time.thread_time()
    found = peers.load("mcising").magnetizations(L, CRITICAL, algorithm, draws, thin)
    spent = (time.thread_time() - began) * draws / (draws + 5000)
    return sm.tau_int(found**2).effective_sample_size / spent

"""Cluster moves at the critical point.

Effective samples of m^2 a second, 2D Ising, L = 128, one thread. A run is one chain of `sm.sample`, or 256,
whose clusters grow in bits; compilation excluded, all else included. Its effective samples are its draws
divided by twice their integrated autocorrelation time. mcising has cluster moves of its own, for this model.
Runs of all kinds alternate.
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
    "the same, 256 chains": {"updates": "wolff", "thin": 3, "draws": 400, "chains": 256},
    "Swendsen-Wang": {"updates": "swendsen_wang", "thin": 1, "draws": 10_000},
}

THEIRS = {"wolff": (12_000, 3), "swendsen_wang": (6000, 1)}
"""Draws, and moves from draw to draw."""


def effective_samples(model: sm.Model, seed: int, chains: int = 1, **options) -> float:
    """Effective samples of m^2 in a second of processor time."""
    began = time.thread_time()
    data = sm.sample(
        model,
        T=CRITICAL,
        chains=chains,
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
    runs = {
        what: lambda seed, options=options: effective_samples(model, seed, **options)
        for what, options in COMPOSITIONS.items()
    }
    for options in COMPOSITIONS.values():
        effective_samples(model, 0, **options | {"draws": 100})
    if peers.version("mcising") is not None:
        runs |= {
            f"mcising, {algorithm.replace('_', '-')}": lambda seed, args=(algorithm, *args): theirs(
                *args
            )
            for algorithm, args in THEIRS.items()
        }
    found = {what: [] for what in runs}
    for seed in range(1, SEEDS + 1):
        for what, run in runs.items():
            found[what].append(run(seed))
    for what, values in found.items():
        yield Figure(what, "effective samples a second", Spread.of(np.array(values)))
    if peers.version("mcising") is None:
        yield Comparison("cluster moves", "mcising", "not installed")


def theirs(algorithm: str, draws: int, thin: int) -> float:
    """Effective samples of m^2 in a second of mcising."""
    began = time.thread_time()
    found = peers.load("mcising").magnetizations(L, CRITICAL, algorithm, draws, thin)
    spent = (time.thread_time() - began) * draws / (draws + 5000)
    return sm.tau_int(found**2).effective_sample_size / spent

"""What population annealing is held against: the coverage of the errors of log Z.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable

import numpy as np

import statmech_dsl as sm
from statmech_dsl.errors import SmallPopulationWarning
from tests.evidence.checks import Check

MODELS: dict[str, tuple[Callable[[], sm.Model], float]] = {
    "Ising, L=4": (lambda: sm.models.ising(L=4), 2.0),
    "Ising in a field, L=4": (lambda: sm.models.ising(L=4, h=0.2), 1.5),
    "+-J glass, L=4": (lambda: sm.models.edwards_anderson(L=4, d=2), 0.7),
    "Gaussian glass, L=4": (
        lambda: sm.models.edwards_anderson(L=4, d=2, couplings="gaussian"),
        0.7,
    ),
    "Sherrington-Kirkpatrick, N=16": (lambda: sm.models.sherrington_kirkpatrick(N=16), 0.4),
    "Potts, q=3, L=3": (lambda: sm.models.potts(L=3), 0.8),
    "Blume-Capel, L=3": (lambda: sm.models.blume_capel(L=3), 0.8),
    "clock, q=4, L=3": (lambda: sm.models.clock(L=3, q=4), 0.8),
    "Boltzmann machine, N=12": (lambda: sm.models.boltzmann_machine(N=12), 0.4),
    "Curie-Weiss, N=16": (lambda: sm.models.curie_weiss(N=16), 0.7),
}
"""Ten small models, and a temperature at which each is well ordered."""


def log_z_scores(name: str, runs: int, population: int) -> np.ndarray:
    """(log Z - exact) / error of independent runs; the seed is a function of the name alone."""
    build, T = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallPopulationWarning)
        data = sm.population_anneal(
            build(),
            T=T,
            population=population,
            runs=runs,
            seed=zlib.crc32(name.encode()),
            progressbar=False,
        )
    last = data.sample_stats.to_dataset().isel(T=-1)
    exact = float(sm.exact(build(), T=T).log_partition)
    return ((last.log_partition - exact) / last.log_partition_error).values


def coverage(whole: bool) -> list[Check]:
    """How often intervals of log Z hold the exact value, for each model and pooled."""
    runs, population = (400, 2000) if whole else (40, 800)
    slack = 1.0 if whole else 3.0  # few runs scatter more
    checks, pooled = [], []
    for name in MODELS:
        z = log_z_scores(name, runs, population)
        pooled.append(z)
        for level, limit, low, high in ((68, 1.0, 0.60, 0.765), (95, 1.96, 0.915, 0.98)):
            middle, half = (low + high) / 2, slack * (high - low) / 2
            inside = float((abs(z) < limit).mean())
            asked = f"{100 * low:g} to {100 * high:g} %"
            right = abs(inside - middle) <= half
            checks.append(Check(f"{name}: {level} % interval", asked, f"{inside:.1%}", right))
    z = np.concatenate(pooled)
    mean, sd = float(z.mean()), float(z.std())
    asked = "mean below 0.1, sd 0.9 to 1.1"
    right = abs(mean) < 0.1 * slack and abs(sd - 1) < 0.1 * slack
    return [*checks, Check(f"{len(z)} z-scores pooled", asked, f"{mean:+.3f}, {sd:.3f}", right)]


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check."""
    checks = coverage(whole)
    for check in checks:
        say(check)
    return checks

"""Masses that tuning estimates, on sites of unequal stiffness.

A real field on a ring of 100 sites, whose stiffness runs from 1 to 10^4 in random order; a bond has 0.05 of the
geometric mean of those of its two sites. T = 1, float64, 4 chains from a hot start, 1000 sweeps of tuning. What
counts are effective samples of the slowest of x_i and x_i^2 at ten sites from the softest to the stiffest, over
2000 draws a chain, with three seeds. A trajectory of n steps takes n + 1 evaluations of the force. Of steps
there are the default number, 10, and about the best one for each kind of mass.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import statmech_dsl as sm
from benchmarks.rows import Figure, Row
from benchmarks.timing import Spread
from statmech_dsl.estimators import tau_int

N, STIFFEST, COUPLING = 100, 1e4, 0.05
WATCHED = np.linspace(0, N - 1, 10).astype(int)
CHAINS, DRAWS, TUNE, SEEDS = 4, 2000, 1000, (1, 2, 3)
STEPS = {"diagonal": (4, 10), "unit": (100, 10)}
"""Steps of trajectories: about the best number, and the default."""


def ring() -> sm.Model:
    """The field; ten of its values, in units of what stiffness makes of them."""
    i = np.arange(N)
    k = np.random.default_rng(1).permutation(np.geomspace(1.0, STIFFEST, N))
    after = (i + 1) % N
    with sm.Model() as model:
        x = sm.Field("x", N)
        sm.Energy("springs", 0.5 * k * x**2)
        sm.Energy("bonds", COUPLING * np.sqrt(k * k[after]) * x[i] * x[after])
        watched = np.argsort(k)[WATCHED]
        sm.Observable("scaled", x[watched] * np.sqrt(k[watched]))
    return model


def forces(move: sm.HMC, seed: int) -> float:
    """Forces for an effective sample of what is slowest."""
    data = sm.sample(
        ring(),
        updates=move,
        draws=DRAWS,
        tune=TUNE,
        chains=CHAINS,
        seed=seed,
        threads=1,
        progressbar=False,
    )
    series = np.moveaxis(data.posterior.scaled.values, -1, 0)
    fewest = min(tau_int(x**power).effective_sample_size for x in series for power in (1, 2))
    return CHAINS * DRAWS * (move.leapfrogs + 1) / fewest


def measure() -> Iterator[Row]:
    """Forces for one effective sample, and their ratio."""
    found = {}
    for mass, steps in STEPS.items():
        for n in steps:
            found[mass, n] = np.array([forces(sm.HMC(n, mass=mass), seed) for seed in SEEDS])
            what = f"{n} steps, {mass} mass: forces for one effective sample"
            yield Figure(what, "", Spread.of(found[mass, n]))
    for a, b in zip(*STEPS.values(), strict=True):
        ratio = np.divide.outer(found["unit", b], found["diagonal", a]).ravel()
        yield Figure(f"forces, {b} steps of unit by {a} of diagonal mass", "", Spread.of(ratio))

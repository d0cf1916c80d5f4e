"""What free-energy estimators are held against: harmonic oscillators, whose log Z is known.

The reduced potential is k (x - c)^2 / 2 + s, so that f = s + ln(k) / 2 up to a constant. ``whole`` runs are for
`make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable

import numpy as np

from statmech_dsl.errors import OverlapError, OverlapWarning, StatmechWarning
from statmech_dsl.estimators import (
    MBAR,
    LogWeights,
    bar,
    crossing,
    exponential,
    gauss_legendre,
    thermodynamic_integration,
)
from statmech_dsl.runs.resampling import copies, in_place
from tests.estimators.processes import ar1
from tests.evidence.checks import Check

Rng = np.random.Generator
Found = tuple[float, float, float]
"""Value, error, exact value."""


def generator(name: str, k: int) -> Rng:
    """Seed by the name of the check: none was ever picked."""
    return np.random.default_rng([zlib.crc32(name.encode()), k])


def chain(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    """Normal draws with an autocorrelation time of 2."""
    return ar1(int(rng.integers(1 << 40)), 0.6, shape) if all(shape) else np.empty(shape)


class Oscillators:
    """States in a row."""

    def __init__(self, k: np.ndarray, c: np.ndarray, s: np.ndarray) -> None:
        self.k, self.c, self.s = k, c, s
        self.f = s + np.log(k) / 2

    def u(self, x: np.ndarray) -> np.ndarray:
        """Potentials of all states, along a first axis."""
        along = (-1, *(1,) * np.ndim(x))
        k, c, s = (a.reshape(along) for a in (self.k, self.c, self.s))
        return k * (x - c) ** 2 / 2 + s

    def draws(self, rng: Rng, state: int, shape: tuple[int, ...] | int) -> np.ndarray:
        """Independent draws of a state."""
        return rng.normal(self.c[state], self.k[state] ** -0.5, shape)


PAIR = Oscillators(np.array([1.0, 2.0]), np.array([0.0, 0.5]), np.array([0.0, 3.0]))
FIVE = Oscillators(np.linspace(1, 4, 5), np.linspace(0, 3, 5), np.linspace(0, -7, 5))
STIFFEN = np.linspace(1, 4, 9)
DRAWS = (4, 250)


def by_exponential(rng: Rng) -> Found:
    """From the wider state, with works of sigma below 1."""
    u = PAIR.u(PAIR.draws(rng, 0, DRAWS))
    found = exponential(u[1] - u[0])
    assert found.sigma < 1
    return found.value, found.error, PAIR.f[1] - PAIR.f[0]


def by_exponential_chains(rng: Rng) -> Found:
    """The same from chains with autocorrelation."""
    u = PAIR.u(chain(rng, (4, 1000)))
    found = exponential(u[1] - u[0])
    return found.value, found.error, PAIR.f[1] - PAIR.f[0]


def works(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Sudden works of the pair."""
    u, v = (PAIR.u(PAIR.draws(rng, state, DRAWS)) for state in (0, 1))
    return u[1] - u[0], v[0] - v[1]


def by_bar(rng: Rng) -> Found:
    """From both."""
    found = bar(*works(rng))
    return found.value, found.error, PAIR.f[1] - PAIR.f[0]


def by_crossing(rng: Rng) -> Found:
    """Where the histograms cross."""
    found = crossing(*works(rng))
    return found.value, found.error, PAIR.f[1] - PAIR.f[0]


def pooled(rng: Rng) -> MBAR:
    """States with unequal numbers of draws, one with none."""
    counts = [300, 200, 0, 400, 250]
    x = np.concatenate([FIVE.draws(rng, k, n) for k, n in enumerate(counts)])
    return MBAR(FIVE.u(x), counts)


def by_mbar(rng: Rng) -> Found:
    """The asymptotic error."""
    found = pooled(rng)
    return float(found.free_energy[4]), found.covariance[4, 4] ** 0.5, FIVE.f[4] - FIVE.f[0]


def by_mbar_chains(rng: Rng) -> Found:
    """The error that allows for autocorrelation, to a state without draws."""
    draws = [(4, 300), (4, 200), (4, 0), (4, 400), (4, 250)]
    x = [FIVE.c[k] + chain(rng, n) / FIVE.k[k] ** 0.5 for k, n in enumerate(draws)]
    u = FIVE.u(np.concatenate([a.ravel() for a in x]))
    found = MBAR(u, [a.size for a in x], chains=4).difference(0, 2)
    return found.value, found.error, FIVE.f[2] - FIVE.f[0]


def by_mbar_mean(rng: Rng) -> Found:
    """A mean in a state without draws."""
    counts = [300, 200, 0, 400, 250]
    x = np.concatenate([FIVE.draws(rng, k, n) for k, n in enumerate(counts)])
    found = MBAR(FIVE.u(x), counts).mean(x**2, 2)
    return found.value, found.error, float(FIVE.c[2] ** 2 + 1 / FIVE.k[2])


def by_integration(nodes: np.ndarray, **how) -> Callable[[Rng], Found]:
    """Over the stiffness, from 1 to 4."""

    def run(rng: Rng) -> Found:
        x = rng.normal(size=(4, 100, len(nodes))) / np.sqrt(nodes)
        found = thermodynamic_integration(nodes, x**2 / 2, **how)
        return found.value, found.error, float(np.log(4) / 2)

    return run


def by_trajectories(rng: Rng) -> Found:
    """Jarzynski's average of works that are done slowly; or AIS without resampling."""
    return _annealed(rng, 1000, resample=0.0)


def by_population(rng: Rng) -> Found:
    """AIS that resamples when the weights are worth half."""
    return _annealed(rng, 2000, resample=0.5)


def by_every_step(rng: Rng) -> Found:
    """Resampling at every step, as population annealing does."""
    return _annealed(rng, 2000, resample=1.0)


def _annealed(rng: Rng, size: int, resample: float) -> Found:
    weights, x = LogWeights(size), rng.normal(size=size)
    for k, stiffer in zip(STIFFEN, STIFFEN[1:], strict=False):
        weights.add(-(stiffer - k) * x**2 / 2)
        share = weights.share[0]
        if 1 / (share**2).sum() < resample * size:
            rows = in_place(copies(share, weights.families[0], rng.random()))
            x = x[rows]
            weights.resample(rows)
        noise = rng.normal(size=size) / np.sqrt(stiffer)
        x = 0.6 * x + 0.8 * noise
    found = weights.estimate()
    return found.value, found.error, float(-np.log(4) / 2)


def by_stones(rng: Rng) -> Found:
    """Stepping stones whose draws are chains."""
    weights = LogWeights(1000)
    for k, stiffer in zip(STIFFEN, STIFFEN[1:], strict=False):
        x = chain(rng, (1, 1000))[0] / np.sqrt(k)
        weights.add(-(stiffer - k) * x**2 / 2)
        weights.renew()
    found = weights.estimate()
    return found.value, found.error, float(-np.log(4) / 2)


ESTIMATORS: dict[str, Callable[[Rng], Found]] = {
    "exponential averaging": by_exponential,
    "exponential averaging, correlated chains": by_exponential_chains,
    "BAR": by_bar,
    "crossing of histograms": by_crossing,
    "MBAR, asymptotic error": by_mbar,
    "MBAR, correlated chains": by_mbar_chains,
    "MBAR, a mean": by_mbar_mean,
    "integration, spline": by_integration(STIFFEN),
    "integration, slopes": by_integration(STIFFEN, linear=True),
    "integration, Gauss": by_integration(gauss_legendre(7, 1, 4), interval=(1.0, 4.0)),
    "works along trajectories": by_trajectories,
    "AIS with resampling": by_population,
    "resampling at every step": by_every_step,
    "stepping stones of chains": by_stones,
}


def scores(name: str, n: int) -> np.ndarray:
    """z-scores over seeds."""
    found = np.array([ESTIMATORS[name](generator(name, k)) for k in range(n)])
    return (found[:, 0] - found[:, 2]) / found[:, 1]


def z_scores(whole: bool) -> list[Check]:
    """Mean and spread of z-scores."""
    n = 2000 if whole else 100
    near, (low, high) = (0.1, (0.93, 1.07)) if whole else (0.35, (0.8, 1.25))
    checks = []
    for name in ("exponential averaging", "BAR", "MBAR, asymptotic error"):
        z = scores(name, n)
        mean, sd = float(z.mean()), float(z.std(ddof=1))
        checks.append(
            Check(
                f"oscillators, {name}, {n} times: z-scores",
                f"|mean| < {near}, sd {low} to {high}", f"{mean:+.3f}, {sd:.3f}",
                abs(mean) < near and low <= sd <= high,
            )
        )  # fmt: skip
    return checks


def coverage(whole: bool) -> list[Check]:
    """How often intervals hold the exact value."""
    n = 400 if whole else 30
    checks = []
    for name in ESTIMATORS:
        z = np.abs(scores(name, n))
        one, two = float((z < 1).mean()), float((z < 1.959964).mean())
        narrow, wide = ((0.60, 0.765), (0.915, 0.98)) if whole else ((0.4, 0.95), (0.8, 1.0))
        checks.append(
            Check(
                f"oscillators, {name}, {n} seeds: 68 % and 95 % intervals hold it",
                f"{narrow[0]:.1%} to {narrow[1]:.1%}, {wide[0]:.1%} to {wide[1]:.1%}",
                f"{one:.1%}, {two:.1%}",
                narrow[0] <= one <= narrow[1] and wide[0] <= two <= wide[1],
            )
        )  # fmt: skip
    return checks


# ---- poor overlap -------------------------------------------------------------------------------


def in_a_row(distances: list[float], draws: int = 500) -> Callable[[Rng], object]:
    """MBAR over oscillators of k = 1 that are so far apart."""
    c = np.concatenate([[0.0], np.cumsum(distances)])
    states = Oscillators(np.ones(len(c)), c, np.zeros(len(c)))

    def run(rng: Rng) -> object:
        x = np.concatenate([states.draws(rng, k, draws) for k in range(len(c))])
        return MBAR(states.u(x), [draws] * len(c))

    return run


def without_draws(distance: float) -> Callable[[Rng], object]:
    """MBAR of a state that nothing was drawn from, so far from those that were."""
    states = Oscillators(np.ones(3), np.array([0.0, 1.0, 1.0 + distance]), np.zeros(3))

    def run(rng: Rng) -> object:
        x = np.concatenate([states.draws(rng, k, 500) for k in (0, 1)])
        return MBAR(states.u(x), [500, 500, 0])

    return run


def both_ways(distance: float) -> Callable[[Rng], object]:
    """Forward and reverse works between two oscillators."""

    def run(rng: Rng) -> object:
        w = rng.normal(distance**2 / 2, distance, (2, 1000))
        return crossing(w[0], w[1])

    return run


def one_way(sigma: float) -> Callable[[Rng], object]:
    """Works in one direction."""
    return lambda rng: exponential(rng.normal(sigma**2 / 2, sigma, 1000))


def weighed(sigma: float) -> Callable[[Rng], object]:
    """Trajectories with such log weights."""

    def run(rng: Rng) -> object:
        weights = LogWeights(1000)
        weights.add(rng.normal(0.0, sigma, 1000))
        return weights.estimate()

    return run


BAD = {
    "MBAR, two states 6 apart": in_a_row([6.0]),
    "MBAR, two states 30 apart": in_a_row([30.0]),
    "MBAR, a gap in a row of ten": in_a_row([1.0] * 4 + [7.0] + [1.0] * 4),
    "MBAR, too few draws": in_a_row([3.0], draws=10),
    "MBAR, a state far from all draws": without_draws(5.0),
    "crossing, 6 apart": both_ways(6.0),
    "crossing, 12 apart": both_ways(12.0),
    "exponential averaging, sigma 3": one_way(3.0),
    "exponential averaging, sigma 8": one_way(8.0),
    "weights, sigma 4": weighed(4.0),
}
GOOD = {
    "MBAR, two states 1 apart": in_a_row([1.0]),
    "MBAR, two states 2.5 apart": in_a_row([2.5]),
    "MBAR, a row of ten": in_a_row([1.5] * 9),
    "MBAR, a dense row of 40": in_a_row([0.2] * 39, draws=50),
    "MBAR, a state near the draws": without_draws(1.0),
    "crossing, 1 apart": both_ways(1.0),
    "crossing, 2.5 apart": both_ways(2.5),
    "exponential averaging, sigma 0.3": one_way(0.3),
    "exponential averaging, sigma 1": one_way(1.0),
    "weights, sigma 1": weighed(1.0),
}


def flagged(run: Callable[[Rng], object], rng: Rng) -> bool:
    """Whether it raises or warns by name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run(rng)
        except OverlapError:
            return True
    assert all(issubclass(w.category, StatmechWarning) for w in caught)
    return any(w.category is OverlapWarning for w in caught)


def poor_overlap(whole: bool) -> list[Check]:
    """Planted cases, each with several seeds."""
    n = 10 if whole else 2
    hits = {
        name: sum(flagged(run, generator(name, k)) for k in range(n))
        for name, run in (BAD | GOOD).items()
    }
    bad, good = sum(hits[name] for name in BAD), sum(hits[name] for name in GOOD)
    return [
        Check(f"{len(BAD)} cases of poor overlap, {n} seeds each: flagged", "all",
              f"{bad} of {n * len(BAD)}", bad == n * len(BAD)),
        Check(f"{len(GOOD)} cases of good overlap, {n} seeds each: flagged", "none",
              f"{good} of {n * len(GOOD)}", good == 0),
    ]  # fmt: skip


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check, one after the other."""
    checks: list[Check] = []
    for find in (z_scores, coverage, poor_overlap):
        for check in find(whole):
            say(check)
            checks.append(check)
    return checks

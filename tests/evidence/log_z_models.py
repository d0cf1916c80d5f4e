"""Models whose log Z is known exactly: by `sm.exact`, or in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
from scipy.special import ive, logsumexp

import statmech_dsl as sm
from tests.evidence.population import MODELS as ORDERED

BETA = 0.8
"""Inverse temperature of the gauge field."""


@dataclass(frozen=True)
class Known:
    """A model, a temperature and its log Z there."""

    build: Callable[[], pm.Model]
    T: float
    log_z: Callable[[], float]


def summed(build: Callable[[], pm.Model], T: float) -> Known:
    """A model that `sm.exact` can do."""
    return Known(build, T, lambda: float(sm.exact(build(), T=T, observables=False).log_partition))


def kaufman(L: int, T: np.ndarray) -> np.ndarray:
    """Log Z of the L x L Ising torus (B. Kaufman, Phys. Rev. 76, 1232 (1949)); see examples/kaufman.py."""
    K = 1 / np.asarray(T, float)[:, None]
    c = np.cosh(2 * K) / np.tanh(2 * K) - np.cos(np.pi * np.arange(1, 2 * L) / L)
    g0, g = L / 2 * (2 * K[:, 0] + np.log(np.tanh(K[:, 0]))), L / 2 * np.arccosh(c)
    odd, even = g[:, 0::2], g[:, 1::2]
    cosh_odd = np.logaddexp(odd, -odd).sum(axis=1)
    cosh_even = np.logaddexp(even, -even).sum(axis=1) + np.logaddexp(g0, -g0)
    tanh_odd = np.exp(np.log(np.tanh(odd)).sum(axis=1))
    tanh_even = np.exp(np.log(np.tanh(even)).sum(axis=1)) * np.tanh(g0)
    bracket = 1 + tanh_odd + np.exp(cosh_even - cosh_odd) * (1 + tanh_even)
    start = L**2 / 2 * np.log(2 * np.sinh(2 * K[:, 0])) - np.log(2)
    return start + cosh_odd + np.log(bracket)


def log_bessel(n: int, x: float) -> float:
    """Of the modified Bessel function I_n."""
    return math.log(ive(n, x)) + x


def xy_chain() -> float:
    """An open chain: bond angles are independent."""
    return 16 * math.log(2 * math.pi) + 15 * log_bessel(0, 1 / 0.5)


def heisenberg_chain() -> float:
    """An open chain: (4 pi)^N (sinh K / K)^(N-1)."""
    K = 1 / 0.5
    return 12 * math.log(4 * math.pi) + 11 * math.log(math.sinh(K) / K)


def gauge_torus() -> float:
    """U(1) in two dimensions: links times plaquettes, sum over n of I_n(beta)^V."""
    return 18 * math.log(2 * math.pi) + float(
        logsumexp([9 * log_bessel(n, BETA) for n in range(-30, 31)])
    )


def machine(hidden: int) -> float:
    """A restricted machine: the sum over its hidden units."""
    W = np.random.default_rng(0).normal(scale=0.5, size=(12, hidden))
    h = (np.arange(2**hidden)[:, None] >> np.arange(hidden)) & 1
    return float(logsumexp(np.logaddexp(0, h @ W.T / 0.5).sum(axis=1)))


def double_wells() -> pm.Model:
    """Four fields in double wells that do not touch."""
    with sm.Model() as model:
        x = sm.Field("x", 4)
        sm.Energy("well", (x**2 - 1) ** 2 + 0.2 * x)
    return model


def well() -> float:
    """By quadrature."""
    x = np.linspace(-4, 4, 8001)
    return 4 * math.log(np.trapezoid(np.exp(-((x**2 - 1) ** 2 + 0.2 * x) / 0.7), x))


MODELS: dict[str, Known] = {name: summed(build, T) for name, (build, T) in ORDERED.items()} | {
    "2D Ising, L=16": Known(
        lambda: sm.models.ising(L=16), 2.3, lambda: float(kaufman(16, np.array([2.3]))[0])
    ),
    "planar +-J glass, L=8": summed(
        lambda: sm.models.edwards_anderson(L=8, d=2, periodic=False), 0.8
    ),
    "Curie-Weiss, N=200": summed(lambda: sm.models.curie_weiss(N=200), 0.9),
    "Ising chain, N=40": summed(lambda: sm.models.ising(L=40, lattice="chain"), 0.8),
    "Boltzmann machine, 12-6": Known(
        sm.models.restricted_boltzmann_machine, 0.5, lambda: machine(6)
    ),
    "XY chain, N=16": Known(
        lambda: sm.models.xy(L=16, lattice="chain", periodic=False), 0.5, xy_chain
    ),
    "Heisenberg chain, N=12": Known(
        lambda: sm.models.heisenberg(L=12, lattice="chain", periodic=False), 0.5, heisenberg_chain
    ),
    "U(1) gauge, L=3": Known(lambda: sm.models.u1_gauge(L=3, d=2), 1 / BETA, gauge_torus),
    "Gaussian field, L=4": summed(lambda: sm.models.gaussian_field(L=4, d=2, m2=0.5), 1.0),
    "double wells": Known(double_wells, 0.7, well),
}
"""Twenty models: the ten small ones of population annealing, larger and continuous ones."""
FEW = ("+-J glass, L=4", "XY chain, N=16", "Gaussian field, L=4")
"""Enough for a test."""

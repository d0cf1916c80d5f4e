"""Models of many kinds against kernels written by hand, 64 replicas.

The yardsticks are the files of `benchmarks/yardsticks`: one model each, in Numba, float32. Continuous models
are compared in both precisions with the same yardstick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pymc as pm

import statmech_dsl as sm
from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.rows import Row, compare
from benchmarks.yardsticks import clock, heisenberg, phi4, potts, products, xy

REPLICAS, BURN_IN = 64, 400


def three_body(n: int, n_groups: int) -> tuple[pm.Model, np.ndarray, np.ndarray]:
    """Random triples of spins with couplings -1 and 1."""
    generator = np.random.default_rng(1)
    groups = np.array([generator.choice(n, 3, replace=False) for _ in range(n_groups)])
    J = generator.choice([-1.0, 1.0], n_groups)
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("triples", -J * s[groups].prod(axis=1))
    return model, groups, J


Case = tuple[str, pm.Model, float, str, Callable[[float], Contender]]
"""What it is, the model, its temperature and update, and the yardstick at a temperature."""


def continuous(dtype: str) -> list[Case]:
    """Models of real variables in a precision."""
    models = sm.models
    return [
        (
            f"phi^4 Metropolis, L=64, {dtype}",
            models.phi4(L=64, dtype=dtype),
            1.0,
            "metropolis",
            lambda T: phi4.contender(64, mu2=-1.0, lam=1.0),
        ),
        (
            f"XY Metropolis, L=64, {dtype}",
            models.xy(L=64, dtype=dtype),
            1.2,
            "metropolis",
            lambda T: xy.contender(64, T, xy.metropolis),
        ),
        (
            f"XY heat bath, L=64, {dtype}",
            models.xy(L=64, dtype=dtype),
            1.2,
            "heat_bath",
            lambda T: xy.contender(64, T, xy.heat_bath),
        ),
        (
            f"Heisenberg heat bath, L=16, d=3, {dtype}",
            models.heisenberg(L=16, dtype=dtype),
            2.0,
            "heat_bath",
            lambda T: heisenberg.contender(16, T),
        ),
    ]


def discrete() -> list[Case]:
    """Models of discrete variables."""
    models, links = sm.models, sm.lattices.cubic(16)
    plaquettes = np.asarray(links.plaquette_links)
    triples, groups, J = three_body(4096, 4096)
    return [
        (
            "Potts q=3 heat bath, L=64",
            models.potts(L=64, q=3),
            1.2,
            "heat_bath",
            lambda T: potts.contender(64, T),
        ),
        (
            "clock q=6 heat bath, L=64",
            models.clock(L=64, q=6),
            1.2,
            "heat_bath",
            lambda T: clock.contender(64, T),
        ),
        (
            "Z2 gauge heat bath, L=16, d=3",
            models.z2_gauge(L=16),
            1 / 0.6,
            "heat_bath",
            lambda T: products.contender(links.n_links, plaquettes, np.ones(len(plaquettes)), T),
        ),
        (
            "random 3-body +-J heat bath, N=4096",
            triples,
            1.5,
            "heat_bath",
            lambda T: products.contender(4096, groups, J, T),
        ),
    ]


def measure() -> Iterator[Row]:
    """One row for each model and update."""
    cases = [*continuous("float32"), *continuous("float64"), *discrete()]
    for what, model, T, update, yardstick in cases:
        generated = ours.chains(model, T, REPLICAS, updates=update).warm(BURN_IN)
        yield compare(what, "yardstick", generated, yardstick(T).warm(BURN_IN))

"""The restricted Boltzmann machine against its matrix products alone.

784 visible and 500 hidden units, 256 chains. The other side only multiplies: two products in float32 by
NumPy, one thread, nothing drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import statmech_dsl as sm
from benchmarks import ours
from benchmarks.contender import Contender, clocked
from benchmarks.rows import Row, compare

CHAINS = 256


def products(weights: np.ndarray) -> Contender:
    """What no block sweep can do without."""
    W = weights.astype(np.float32)
    transposed = np.ascontiguousarray(W.T)
    n_visible, n_hidden = W.shape
    v = np.random.default_rng(1).integers(0, 2, (CHAINS, n_visible)).astype(np.float32)
    h = np.random.default_rng(2).integers(0, 2, (CHAINS, n_hidden)).astype(np.float32)
    to_hidden, to_visible = np.empty_like(h), np.empty_like(v)

    def run(n: int) -> None:
        for _ in range(n):
            np.matmul(v, W, out=to_hidden)
            np.matmul(h, transposed, out=to_visible)

    updates = CHAINS * (n_visible + n_hidden)
    return Contender("two products", clocked(run), updates, lambda: np.empty(0))


def measure() -> Iterator[Row]:
    """One row."""
    weights = np.random.default_rng(1).normal(scale=0.05, size=(784, 500))
    model = sm.models.restricted_boltzmann_machine(weights=weights)
    many = ours.chains(model, 1.0, CHAINS).warm(5)
    system = "RBM 784-500, block sweep, 256 chains"
    yield compare(system, "two matrix products", many, products(weights))

"""Annealed importance sampling of a restricted Boltzmann machine.

784 visible and 20 hidden units, 512 members, from beta = 0 to 1. A step changes beta, weighs the members and
sweeps them once, layer by layer. The other side does the same by plain NumPy, in float64, with as many BLAS
threads (one). A schedule has 400 steps, its first states drawn anew; nanoseconds are those of one unit in one
step, of processor time. The row stands only if log Z of both is within 4 errors of the exact sum over the 2^20
states of the hidden units.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import numpy as np

import statmech_dsl as sm
from benchmarks.contender import Contender, clocked
from benchmarks.rows import Comparison, Row, compare
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.estimators import LogWeights
from statmech_dsl.runs.members import Members

VISIBLE, HIDDEN, MEMBERS = 784, 20, 512
STEPS = 400
SIGMAS = 4.0


def weights() -> np.ndarray:
    """A machine with strong couplings."""
    return np.random.default_rng(1).normal(scale=0.15, size=(VISIBLE, HIDDEN))


def exact(W: np.ndarray) -> float:
    """Log Z: the product over visible units of 1 + exp(h . W_i), summed over the states h of the hidden ones.

    States of both halves of the hidden units make a table, to which each visible unit is a factor.
    """
    half = W.shape[1] // 2
    states = (np.arange(2**half)[:, None] >> np.arange(half)) & 1
    rows, columns = (np.exp(states @ part.T) for part in (W[:, :half], W[:, half:]))
    log_p, p = np.zeros((2**half,) * 2), np.ones((2**half,) * 2)
    for i in range(len(W)):
        p *= 1 + rows[:, i, None] * columns[:, i]
        if i % 32 == 31 or i == len(W) - 1:  # long before it overflows
            log_p += np.log(p)
            p[:] = 1.0
    top = log_p.max()
    return float(top + np.log(np.exp(log_p - top).sum()))


class Ours:
    """Members of this library."""

    def __init__(self, W: np.ndarray) -> None:
        model = sm.models.restricted_boltzmann_machine(weights=W)
        self.sampler = compile_model(model, MEMBERS, threads=1)
        self.seeds = count(1)

    def anneal(self, steps: int) -> LogWeights:
        """From beta = 0 to 1."""
        members = Members(self.sampler, next(self.seeds), 1, MEMBERS)
        members.sweep(0)
        for beta in np.arange(1, steps + 1) / steps:
            members.weigh(float(beta))
            members.sweep(1)
        return members.weights


class Plain:
    """The same in NumPy."""

    def __init__(self, W: np.ndarray) -> None:
        self.W, self.rng = W, np.random.default_rng(1)

    def anneal(self, steps: int) -> LogWeights:
        """From beta = 0 to 1."""
        W, rng = self.W, self.rng
        log_weights = LogWeights(MEMBERS, 1, sum(W.shape) * np.log(2))
        v = rng.integers(0, 2, (MEMBERS, VISIBLE)).astype(float)
        h = rng.integers(0, 2, (MEMBERS, HIDDEN)).astype(float)
        field = v @ W
        for beta in np.arange(1, steps + 1) / steps:
            log_weights.add((field * h).sum(axis=1) / steps)
            h = (rng.random(h.shape) < 1 / (1 + np.exp(-beta * field))).astype(float)
            v = (rng.random(v.shape) < 1 / (1 + np.exp(-beta * (h @ W.T)))).astype(float)
            field = v @ W
        return log_weights


def contender(name: str, side: Ours | Plain) -> Contender:
    """Schedules of so many steps."""
    units = MEMBERS * (VISIBLE + HIDDEN)
    return Contender(name, clocked(side.anneal, time.thread_time), units, lambda: np.empty(0)).warm(
        2
    )


def measure() -> Iterator[Row]:
    """One row."""
    W = weights()
    system, other = f"AIS of an RBM {VISIBLE}-{HIDDEN}, {MEMBERS} members", "NumPy"
    ours, plain = Ours(W), Plain(W)
    log_z = exact(W)
    for name, side in (("statmech_dsl", ours), (other, plain)):
        found = side.anneal(STEPS).estimate()
        off = (found.value - log_z) / found.error
        print(f"{name}: log Z = {found.value:.3f} +- {found.error:.3f}, exactly {log_z:.3f}")
        if not abs(off) < SIGMAS:
            yield Comparison(system, other, f"log Z by {name} is off by {off:.1f} errors")
            return
    yield compare(
        system, other, contender("statmech_dsl", ours), contender(other, plain), sweeps=STEPS
    )

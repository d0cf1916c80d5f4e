"""Learning: an epoch of a restricted Boltzmann machine.

64 visible and 128 hidden units, 1797 real digits of 8 x 8 pixels, persistent chains, one for each state of a
mini-batch. Nanoseconds are those of one digit in an epoch, of processor time, on one core and one BLAS thread.
scikit-learn works in float64, its default; this library and rbms (PyTorch) in float32. A row stands only if the
test log-likelihood here, with the default learning rate, which falls, is at least the best of scikit-learn
with three constant ones, after 50 epochs of 1500 digits with equal chains; log Z of both is
estimated by annealed importance sampling.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pymc as pm
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

import statmech_dsl as sm
from benchmarks.contender import Contender
from benchmarks.rows import Comparison, Row, against, compare
from statmech_dsl.inference.learning import PersistentChains, Task
from statmech_dsl.inference.learning.contrastive_divergence import Climb
from statmech_dsl.inference.problem.posed import pose
from statmech_dsl.inference.problem.space import Space

VISIBLE, HIDDEN = 64, 128
BATCHES = (10, 100)
RATES, EPOCHS, N_TEST = (0.01, 0.03, 0.1), 50, 297


def machine() -> sm.Model:
    """The machine with unknown couplings."""
    with sm.Model() as model:
        W = pm.Normal("W", 0, 1, shape=(VISIBLE, HIDDEN))
        a, b = pm.Normal("a", 0, 1, shape=VISIBLE), pm.Normal("b", 0, 1, shape=HIDDEN)
        v, h = sm.Occupation("v", VISIBLE), sm.Occupation("h", HIDDEN)
        sm.Energy("weights", -v[:, None] * W * h)
        sm.Energy("visible", -a * v)
        sm.Energy("hidden", -b * h)
    return model


def ours(x: np.ndarray, batch: int, epochs: int) -> Climb:
    """A fit of this library before its first epoch."""
    learner = PersistentChains(epochs=epochs, batch_size=batch, chains=batch)
    posed = pose(machine(), {"v": x})
    space = Space(posed)
    none, start = np.zeros(space.size), np.random.default_rng(1).normal(0, 0.01, space.size)
    return Climb(learner, Task(posed, space, start, none, none, 1), batch)


def theirs(batch: int, epochs: int, rate: float) -> BernoulliRBM:
    """One of scikit-learn."""
    return BernoulliRBM(HIDDEN, batch_size=batch, learning_rate=rate, n_iter=epochs, random_state=1)


def log_likelihood(W: np.ndarray, a: np.ndarray, b: np.ndarray, test: np.ndarray) -> float:
    """Of a digit."""
    model = sm.models.restricted_boltzmann_machine(weights=W, visible_biases=a, hidden_biases=b)
    options = {"draws": 1000, "tune": 100, "chains": 1, "seed": 1, "progressbar": False}
    z = sm.free_energy(model, method="annealing", **options)
    return float((test @ a + np.logaddexp(0, b + test @ W).sum(1)).mean() - z.log_partition)


def contender(name: str, n_states: int, run: Callable[[int], object]) -> Contender:
    """Epochs, by the time of the processor."""

    def sweep(n: int) -> float:
        began = time.process_time()
        run(n)
        return time.process_time() - began

    return Contender(name, sweep, n_states, lambda: np.empty(0)).warm(1)


def measure() -> Iterator[Row]:
    """A row for each size of a batch."""
    x = (load_digits().data >= 8).astype(int)
    x = x[np.random.default_rng(0).permutation(len(x))]
    train, test = x[N_TEST:], x[:N_TEST]
    for batch in BATCHES:
        system = f"RBM {VISIBLE}-{HIDDEN} on digits, PCD, batches of {batch}"
        fit = ours(train, batch, EPOCHS)
        for _ in range(EPOCHS):
            fit.one_epoch()
        found = fit.task.space.natural(fit.x)
        here = log_likelihood(found["W"], found["a"], found["b"], test)
        fits = [theirs(batch, EPOCHS, rate).fit(train.astype(float)) for rate in RATES]
        there = max(
            log_likelihood(f.components_.T, f.intercept_visible_, f.intercept_hidden_, test)
            for f in fits
        )
        print(f"{system}: test log-likelihood {here:.2f}, scikit-learn {there:.2f}")
        if not here >= there:
            yield Comparison(system, "scikit-learn", f"learns less: {here:.2f}, {there:.2f}")
            continue
        climb, floats = ours(x, batch, 1_000_000), x.astype(float)
        yield compare(
            system,
            "scikit-learn",
            contender("statmech_dsl", len(x), lambda n, c=climb: [c.one_epoch() for _ in range(n)]),
            contender(
                "scikit-learn", len(x), lambda n, b=batch, y=floats: theirs(b, n, RATES[0]).fit(y)
            ),
            sweeps=20,
        )
        yield against(
            system,
            "rbms",
            contender("statmech_dsl", len(x), lambda n, c=climb: [c.one_epoch() for _ in range(n)]),
            lambda module, b=batch: contender(
                "rbms", len(x), module.Machine(x, HIDDEN, b, RATES[0]).epochs
            ),
            sweeps=5,
        )

"""What learning is held against: bounds on errors, another library's machine, a code.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.neural_network import BernoulliRBM

import statmech_dsl as sm
from tests.evidence.checks import Check

sys.path.append(str(Path(__file__).parents[2] / "examples"))


def single_conditionals_bound(states: np.ndarray, W: np.ndarray) -> float:
    """Root mean square over pairs of the Fisher bound of one exact conditional, W being true.

    The conditional of spin i is a logistic regression on all others, of information
    sum over states of s_j s_k / cosh(sum_l W_il s_l)^2.
    """
    n = W.shape[0]
    weights = 1 / np.cosh(states @ W) ** 2
    variances = np.zeros((n, n))
    for i in range(n):
        others = np.delete(np.arange(n), i)
        x = states[:, others].astype(float)
        variances[i, others] = np.diag(np.linalg.inv((x * weights[:, i : i + 1]).T @ x))
    return float(np.sqrt(variances[np.triu_indices(n, 1)].mean()))


def inverse_ising(whole: bool) -> list[Check]:
    """Couplings of a sparse glass from states."""
    import inverse_ising as example

    n, chains = (64, 200) if whole else (12, 40)
    model, true = example.truth(n)
    states = example.observe(model, chains)
    W = np.zeros((n, n))
    W[np.triu_indices(n, 1)] = true
    bound = single_conditionals_bound(states, W + W.T)
    fit = sm.learn(
        example.every_pair(n), {"s": states}, method="pseudolikelihood", progressbar=False
    )
    w = fit.point.w.values
    error = float(np.sqrt(((w - true) ** 2).mean()))
    found = example.auc(abs(w), true != 0)
    z = ((w - true) / fit.standard_error.w.values).std()
    what = f"inverse Ising, {n} spins, {len(states)} states"
    slack = 1.0 if whole else 1.15  # of 66 errors
    return [
        Check(
            f"{what}: rms error / Fisher bound of single conditionals",
            "at most 1.1",
            f"{error / bound:.3f}",
            error <= 1.1 * slack * bound,
        ),
        Check(f"{what}: edges, AUC", "at least 0.99", f"{found:.4f}", found >= 0.99),
        Check(
            f"{what}: errors / standard errors, sd",
            "0.9 to 1.1",
            f"{z:.3f}",
            abs(z - 1) < 0.1 * (1 if whole else 2),
        ),
    ]


def log_likelihood_of(W: np.ndarray, a: np.ndarray, b: np.ndarray, test: np.ndarray) -> float:
    """Of a digit: log Z by annealed importance sampling."""
    model = sm.models.restricted_boltzmann_machine(weights=W, visible_biases=a, hidden_biases=b)
    z = sm.free_energy(
        model, method="annealing", draws=1000, tune=100, chains=1, seed=1, progressbar=False
    )
    return float((test @ a + np.logaddexp(0, b + test @ W).sum(1)).mean() - z.log_partition)


def digits(whole: bool) -> list[Check]:
    """A restricted Boltzmann machine beside that of scikit-learn, by the same estimator."""
    import boltzmann_machine_digits as example

    train, test = example.digits()
    epochs = 50 if whole else 15
    rates = (0.01, 0.03, 0.1) if whole else (0.03,)
    fit = sm.learn(
        example.machine(),
        {"v": train},
        method="pcd",
        epochs=epochs,
        batch_size=10,
        chains=10,
        seed=1,
        progressbar=False,
    )
    ours = log_likelihood_of(*(fit.point[name].values for name in "Wab"), test)
    options = {"batch_size": 10, "n_iter": epochs, "random_state": 0}
    others = [
        BernoulliRBM(example.HIDDEN, learning_rate=rate, **options).fit(train.astype(float))
        for rate in rates
    ]
    theirs = max(
        log_likelihood_of(x.components_.T, x.intercept_visible_, x.intercept_hidden_, test)
        for x in others
    )
    what = f"RBM 64-128 on digits, {epochs} epochs, 10 chains: test log-likelihood"
    measured = f"{ours:.2f} and {theirs:.2f}"
    return [Check(what, "at least scikit-learn's", measured, ours >= theirs)]


def encoder(whole: bool) -> list[Check]:
    """A code for four patterns."""
    import encoder_4_2_4 as example

    seeds = 100 if whole else 2
    found = sum(example.is_code(example.learn(seed)) for seed in range(seeds))
    what = f"4-2-4 encoder: correct codes, best of {example.STARTS} starts"
    return [Check(what, "at least 95 %", f"{found} of {seeds}", found >= 0.95 * seeds)]


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check."""
    checks = []
    for find in (inverse_ising, digits, encoder):
        new = find(whole)
        checks += new
        for check in new:
            say(check)
    return checks

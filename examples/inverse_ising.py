"""Who is coupled to whom? Couplings of an Ising model from nothing but states.

    python examples/inverse_ising.py [picture.png]

64 spins on a random graph, three neighbors each, couplings +0.4 or -0.4. We look at 10,000 states and forget
the graph: each of the 2016 pairs may be coupled. The likelihood needs log Z of 2^64 states. Pseudolikelihood
(Besag 1975) does not: it is the product of the probabilities of each spin given the 63 others, and its maximum
comes closer to the truth with every state. Standard errors come with it, by which a pair
that is coupled tells itself from one that is not.

Mean field (Kappen and Rodriguez 1998) inverts the matrix of correlations instead. That is quicker, and wrong
for couplings of this size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import xarray as xr

import statmech_dsl as sm

J = 0.4


def truth(n: int) -> tuple[sm.Model, np.ndarray]:
    """Declare the model that nature uses, and return the couplings of all pairs, most of which are 0."""
    graph = sm.lattices.random_regular(n, 3, seed=1)
    i, j = graph.bonds
    couplings = np.random.default_rng(1).choice([-J, J], len(i))
    with sm.Model() as model:
        s = sm.Spin("s", graph)
        sm.Energy("exchange", -couplings * s[i] * s[j])
    W = np.zeros((n, n))
    W[i, j] = W[j, i] = couplings
    return model, W[np.triu_indices(n, 1)]


def observe(model: sm.Model, chains: int) -> np.ndarray:
    """Take independent states: many chains, far apart in time."""
    data = sm.sample(
        model, chains=chains, tune=200, draws=50, thin=20, store="s", seed=1, progressbar=False
    )
    return data.posterior.s.stack(state=("chain", "draw")).transpose("state", ...).values


def every_pair(n: int) -> sm.Model:
    """Declare a model in which any two spins may be coupled."""
    i, j = np.triu_indices(n, 1)
    with sm.Model() as model:
        w = pm.Normal("w", 0, 1, shape=len(i))
        s = sm.Spin("s", n)
        sm.Energy("pairs", -w * s[i] * s[j])
    return model


def auc(score: np.ndarray, is_edge: np.ndarray) -> float:
    """Area under the curve of true against false edges: how often an edge has a higher score."""
    order = score.argsort().argsort() + 1
    edges = is_edge.sum()
    return float((order[is_edge].sum() - edges * (edges + 1) / 2) / (edges * (~is_edge).sum()))


def draw(fits: dict[str, xr.DataTree], true: np.ndarray) -> plt.Figure:
    """Draw fitted couplings of both methods, and how many standard errors they are from 0."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, (values, errors) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    bins = np.linspace(-0.6, 0.6, 81)
    for (name, fit), color in zip(fits.items(), ("#0072B2", "#D55E00"), strict=True):
        values.hist(fit.point.w, bins, histtype="step", color=color, label=name)
    for x in (-J, J):
        values.axvline(x, color="gray", lw=0.8, ls=":", zorder=0)
    values.set(xlabel="fitted coupling", ylabel="pairs", yscale="log")
    values.legend(frameon=False)
    fit = fits["pseudolikelihood"]
    z = fit.point.w / fit.standard_error.w
    for edge, color, label in ((False, "#56B4E9", "not coupled"), (True, "#0072B2", "coupled")):
        errors.hist(
            abs(z)[(true != 0) == edge], np.linspace(0, 45, 91), color=color, label=label, alpha=0.8
        )
    errors.set(xlabel="|coupling| / standard error", ylabel="pairs", yscale="log")
    errors.legend(frameon=False)
    return figure


def main(picture: Path = Path("inverse_ising.png"), small: bool = False) -> xr.Dataset:
    """Sample, fit, compare; print and draw."""
    n, chains = (20, 40) if small else (64, 200)
    model, true = truth(n)
    states = observe(model, chains)
    fits = {
        method: sm.learn(every_pair(n), {"s": states}, method=method, progressbar=False)
        for method in ("pseudolikelihood", "mean_field")
    }
    print(f"{len(states)} states of {n} spins, {len(true)} pairs, {(true != 0).sum()} coupled")
    rows = {}
    for method, fit in fits.items():
        w = fit.point.w.values
        rows[method] = (np.sqrt(((w - true) ** 2).mean()), auc(abs(w), true != 0))
        print(
            f"{method:17} rms error {rows[method][0]:.4f}, edges found with AUC {rows[method][1]:.4f}"
        )
    error = fits["pseudolikelihood"].standard_error.w.values
    z = (fits["pseudolikelihood"].point.w.values - true) / error
    print(f"errors in units of their standard errors: sd {z.std():.2f}")
    figure = draw(fits, true)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    table = {"rms_error": [r for r, _ in rows.values()], "auc": [a for _, a in rows.values()]}
    return xr.Dataset(
        {name: ("fit", x) for name, x in table.items()},
        coords={"fit": list(rows)},
        attrs={"z_sd": z.std(), "predicted_error": np.sqrt((error**2).mean())},
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

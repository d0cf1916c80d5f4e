"""The 4-2-4 encoder: a Boltzmann machine invents a binary code.

    python examples/encoder_4_2_4.py [picture.png]

Ackley, Hinton and Sejnowski (1985): two groups of four visible units, and two hidden units between them. No
unit of one group sees one of the other. In each of four patterns the same unit is on in both groups,
so the two hidden units, the only way from one group to the other, must learn a code: a state of
their own for each pattern. Nobody tells them which.

1024 states in all, so the likelihood and its gradient are exact here; the original machine measured them by
simulated annealing. A single climb often ends where two patterns share a state. The likelihood tells: the
best of a few starts has a code.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import xarray as xr

import statmech_dsl as sm

N, H = 4, 2
PATTERNS = np.hstack([np.eye(N, dtype=int)] * 2)
"""Unit k of both groups is on, all others off."""
NOISE = 0.05
"""Units are flipped from off to on with this probability, and from on to off with three times as much."""
STARTS = 8


def encoder() -> sm.Model:
    """Declare the machine: couplings within each group, between hidden units, and from hidden to visible."""
    i, j = np.triu_indices(N, 1)
    first, second = np.concatenate([i, i + N]), np.concatenate([j, j + N])
    with sm.Model() as model:
        v, h = sm.Occupation("v", 2 * N), sm.Occupation("h", H)
        within = pm.Normal("within", 0, 1, shape=len(first))
        code = pm.Normal("code", 0, 1, shape=(2 * N, H))
        between = pm.Normal("between", 0, 1)
        a, b = pm.Normal("a", 0, 1, shape=2 * N), pm.Normal("b", 0, 1, shape=H)
        sm.Energy("groups", -within * v[first] * v[second])
        sm.Energy("codes", -v[:, None] * code * h)
        sm.Energy("hidden", -between * h[0] * h[1])
        sm.Energy("thresholds", -a * v)
        sm.Energy("hidden_thresholds", -b * h)
    return model


def noisy(copies: int, seed: int) -> np.ndarray:
    """Patterns some of whose units are flipped, so that no weight goes to infinity."""
    rng = np.random.default_rng(seed)
    clean = np.tile(PATTERNS, (copies, 1))
    flip = rng.random(clean.shape) < np.where(clean == 1, 3 * NOISE, NOISE)
    return np.where(flip, 1 - clean, clean)


def learn(seed: int, starts: int = STARTS) -> xr.DataTree:
    """Climb from some random starts, and keep the best."""
    model, data = encoder(), {"v": noisy(25, seed)}
    rng = np.random.default_rng(seed)
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sm.errors.NotConvergedWarning)  # a code shows long before
        for _ in range(starts):
            start = {"code": rng.normal(size=(2 * N, H))}
            options = {"init": start, "l2": 0.003, "max_steps": 80, "progressbar": False}
            fits.append(sm.learn(model, data, method="exact", **options))
    return max(fits, key=lambda fit: float(fit.history.log_likelihood[-1]))


def hidden_given(fit: xr.DataTree) -> np.ndarray:
    """Probability of each of the four hidden states, given each pattern: shape (pattern, state)."""
    h = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    fields = PATTERNS @ fit.point.code.values + fit.point.b.values
    logs = fields @ h.T + float(fit.point.between) * h[:, 0] * h[:, 1]
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def is_code(fit: xr.DataTree) -> bool:
    """Whether each pattern has a hidden state of its own."""
    return len(set(hidden_given(fit).argmax(axis=1))) == N


def draw(fit: xr.DataTree) -> plt.Figure:
    """Draw the weights between hidden and visible units, and the code."""
    mpl.rcParams |= {"font.size": 9}
    figure, (weights, code) = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
    W = fit.point.code.values
    x, y = np.meshgrid(np.arange(2 * N) + (np.arange(2 * N) >= N), range(H))
    color = np.where(W.T.ravel() > 0, "#0072B2", "#D55E00")
    weights.scatter(x.ravel(), y.ravel(), 560 * abs(W.T.ravel()) / abs(W).max(), color, marker="s")
    weights.set(
        xlim=(-0.8, 2 * N + 0.8), ylim=(-0.8, H - 0.2), xticks=[1.5, N + 2.5], yticks=range(H)
    )
    weights.set_xticklabels(["first group", "second group"])
    weights.set_yticklabels([f"hidden {k + 1}" for k in range(H)])
    weights.set_title("weights: blue positive, orange negative")
    code.imshow(hidden_given(fit), cmap="Blues", vmin=0, vmax=1)
    code.set(xticks=range(4), xticklabels=["00", "01", "10", "11"], yticks=range(N))
    code.set(xlabel="hidden state", ylabel="pattern", title="probability, given the pattern")
    return figure


def main(picture: Path = Path("encoder_4_2_4.png"), small: bool = False) -> list[bool]:
    """Learn with some seeds; print how many have found a code, and draw one."""
    seeds, starts = (1, 4) if small else (20, STARTS)
    fits = [learn(seed, starts) for seed in range(seeds)]
    codes = [is_code(fit) for fit in fits]
    print(f"{sum(codes)} of {seeds} seeds have found a code")
    print("hidden state of each pattern:", *hidden_given(fits[0]).argmax(axis=1))
    figure = draw(fits[0])
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    return codes


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

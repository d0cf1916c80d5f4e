"""The 4-2-4 encoder: a Boltzmann machine invents a binary code.

    python examples/encoder_4_2_4.py [picture.png]

Ackley, Hinton and Sejnowski (1985): two groups of four visible units, and two hidden units between them. No
unit of one group sees one of the other. In each of four patterns the same unit is on in both groups,
so the two hidden units, the only way from one group to the other, must learn a code: a state of
their own for each pattern. Nobody tells them which.

1024 states in all, so the likelihood and its gradient are exact here. The original machine measured them by
simulated annealing; ``method="pcd"`` does it by persistent chains.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pymc as pm

import statmech_dsl as sm

N, H = 4, 2
PATTERNS = np.hstack([np.eye(N, dtype=int)] * 2)
"""Unit k of both groups is on, all others off."""
NOISE = 0.05
"""The original flips visible units so that no weight goes to infinity: off to on with this probability."""


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
    """Patterns whose units are flipped now and then: on to off in 15 %, off to on in 5 %."""
    rng = np.random.default_rng(seed)
    clean = np.tile(PATTERNS, (copies, 1))
    flip = rng.random(clean.shape) < np.where(clean == 1, 3 * NOISE, NOISE)
    return np.where(flip, 1 - clean, clean)

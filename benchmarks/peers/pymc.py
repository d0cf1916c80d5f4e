"""PyMC's own sampler for binary variables: the whole log-density at each update."""

from __future__ import annotations

import warnings

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 1


def chains(system: System, T: float, n: int) -> Contender:
    """One chain of sweeps in random order."""
    assert n == 1
    i, j, J = (pt.constant(x) for x in (system.i, system.j, system.J))
    with pm.Model() as model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = pm.Bernoulli("x", 0.5, shape=system.n_sites)
        s = 2 * x - 1
        pm.Potential("exchange", (J * s[i] * s[j]).sum() / T)
        step = pm.BinaryGibbsMetropolis([x])
    now = {"point": model.initial_point()}

    def run(sweeps: int) -> None:
        for _ in range(sweeps):
            now["point"], _ = step.step(now["point"])

    def energy() -> np.ndarray:
        return system.energy(2 * now["point"]["x"][None] - 1)

    return Contender("pymc", clocked(run), system.n_sites, energy)

"""Recording the energy and the magnetization at every sweep.

`sm.sample` with an observable ``s.mean()`` and ``thin=1``, by its own clock (which leaves out compiling),
against sweeps alone. Below 1 the ratio is what recording costs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import statmech_dsl as sm
from benchmarks import ours, systems
from benchmarks.contender import Contender
from benchmarks.rows import Row, compare

T, REPLICAS = 3.0, 256


def recorded(L: int) -> Contender:
    """Runs of `sm.sample`, each going on where the last one ended."""
    model, last = systems.square(L).model(), {}

    def sweep(n: int) -> float:
        last["data"] = sm.sample(
            model,
            T=T,
            draws=n,
            tune=0,
            chains=REPLICAS,
            seed=1,
            init=last.get("data", "hot"),
            threads=1,
            progressbar=False,
        )
        return float(last["data"].posterior.attrs["sampling_time"])

    def energy() -> np.ndarray:
        return last["data"].posterior["energy"].values[:, -1] / L**2

    return Contender("sm.sample", sweep, REPLICAS * L**2, energy)


def measure() -> Iterator[Row]:
    """One row."""
    L = 128
    alone = ours.chains(systems.square(L).model(), T, REPLICAS, name="sweeps").warm(200)
    what = "2D Ising, L=128, 256 replicas, all recorded"
    yield compare(what, "sweeps alone", recorded(L).warm(200), alone, repeats=7, sweeps=500)

"""Waiting: imports, the first sample ever, the first one of a new process, a million sites.

Each time is that of a new process. "First ever" has an empty cache of kernels, "again" a filled one; both
count from the end of the imports to the end of `sm.sample` with two sweeps.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import numpy as np

from benchmarks.rows import Figure, Row
from benchmarks.timing import Spread

PROGRAM = """
import time
began = time.perf_counter()
import pymc
first = time.perf_counter()
import statmech_dsl as sm
sm.Model, sm.Spin, sm.Energy, sm.Observable, sm.sample
second = time.perf_counter()
model = {model}
sm.sample(model, T=2.3, draws=1, tune=1, chains={chains}, seed=1, progressbar=False)
print(first - began, second - first, time.perf_counter() - second)
"""
MODELS = {
    "Ising L=64": ("sm.models.ising(L=64)", 4),
    "Potts q=3 L=64": ("sm.models.potts(L=64, q=3)", 64),
    "XY L=64": ("sm.models.xy(L=64)", 64),
}


def start(model: str, chains: int, cache: str) -> np.ndarray:
    """Seconds to import PyMC, to import this library after it, and to sample."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(model=model, chains=chains)],
        env=os.environ | {"STATMECH_DSL_CACHE": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return np.array(run.stdout.split(), float)


def measure() -> Iterator[Row]:
    """Three cold and five warm starts of each model."""
    imports = []
    for what, (model, chains) in MODELS.items():
        cold = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as cache:
                cold.append(start(model, chains, cache))
        with tempfile.TemporaryDirectory() as cache:
            start(model, chains, cache)
            warm = [start(model, chains, cache) for _ in range(5)]
            if what.startswith("Ising"):
                million = [start("sm.models.ising(L=1000)", chains, cache) for _ in range(3)]
                yield _figure("Ising with 10^6 sites, first sample, kernels cached", million, 2)
        imports += cold + warm
        yield _figure(f"{what}, first sample ever", cold, 2)
        yield _figure(f"{what}, first sample of another process", warm, 2)
    yield _figure("import of PyMC", imports, 0)
    yield _figure("import of this library on top", imports, 1)


def _figure(what: str, times: list[np.ndarray], column: int) -> Figure:
    return Figure(what, "s", Spread.of(np.array(times)[:, column]))

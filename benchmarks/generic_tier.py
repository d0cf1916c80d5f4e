"""Speed of the generic tier, and of PyMC's discrete sampler on the same model, in one run.

python benchmarks/generic_tier.py [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from rich.console import Console
from rich.table import Table
from timing import nanoseconds, sweeper

import statmech_dsl as sm


def pymc_binary_gibbs(L: int):
    """PyMC's own sampler for binary variables on the L x L Ising model at T = 2.3."""
    i, j = (pt.constant(x) for x in sm.lattices.square(L).bonds)
    with pm.Model() as model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = pm.Bernoulli("x", 0.5, shape=L * L)
        s = 2 * x - 1
        pm.Potential("exchange", (s[i] * s[j]).sum() / 2.3)
        step = pm.BinaryGibbsMetropolis([x])
    state = {"point": model.initial_point()}
    step.setup_chain(np.random.default_rng(1), 0, 100) if hasattr(step, "setup_chain") else None

    def run(n: int) -> None:
        for _ in range(n):
            state["point"], _ = step.step(state["point"])

    run(1)
    return run, L * L


def second_start() -> tuple[float, float]:
    """Seconds from imports to the first sweep in a new process, kernels cached; and import time."""
    program = """
import time, pymc
began = time.perf_counter()
import statmech_dsl as sm
sm.Model, sm.Spin, sm.Energy, sm.Observable, sm.sample
imported = time.perf_counter()
model = sm.models.ising(L=64)
sm.sample(model, T=2.3, draws=1, tune=1, chains=4, seed=1, progressbar=False)
print(imported - began, time.perf_counter() - imported)
"""
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(4)
    ]
    pairs = [tuple(map(float, r.stdout.split())) for r in runs[1:]]
    return min(p[0] for p in pairs), min(p[1] for p in pairs)


def million_sites() -> float:
    """Seconds from declaration to the first sweep with 10^6 sites, the source being cached."""
    sweeper(sm.models.ising(L=64), 2.3, 1)
    began = time.perf_counter()
    sweeper(sm.models.ising(L=1000), 2.3, 1)
    return time.perf_counter() - began


def measure() -> dict[str, float]:
    """All figures by name."""
    big, small = sm.models.ising(L=128), sm.models.ising(L=16)
    contenders = {
        "Ising L=128, heat bath, one chain": sweeper(big, 2.3, 1),
        "Ising L=128, heat bath, 64 replicas": sweeper(big, 2.3, 64),
        "Ising L=16, heat bath, 64 replicas": sweeper(small, 2.3, 64),
        "Ising L=16, heat bath, one chain": sweeper(small, 2.3, 1),
        "Ising L=16, PyMC BinaryGibbsMetropolis": pymc_binary_gibbs(16),
        "Ising L=128, Metropolis, 64 replicas": sweeper(big, 2.3, 64, updates="metropolis"),
        "Potts q=3 L=64, heat bath, 64 replicas": sweeper(sm.models.potts(L=64, q=3), 1.0, 64),
        "XY L=64, heat bath, 64 replicas": sweeper(sm.models.xy(L=64), 1.0, 64),
        "phi^4 L=64, Metropolis, 64 replicas": sweeper(sm.models.phi4(L=64), 1.0, 64),
        "Curie-Weiss N=4096, heat bath, 64 replicas": sweeper(
            sm.models.curie_weiss(N=4096), 1.2, 64
        ),
    }
    figures = {f"{k} [ns per update]": v for k, v in nanoseconds(contenders).items()}
    pymc_time = figures["Ising L=16, PyMC BinaryGibbsMetropolis [ns per update]"]
    for who in ("64 replicas", "one chain"):
        ours = figures[f"Ising L=16, heat bath, {who} [ns per update]"]
        figures[f"PyMC BinaryGibbsMetropolis / {who}, L=16 [ratio]"] = pymc_time / ours
    imported, ready = second_start()
    figures["import of the package on top of PyMC [s]"] = imported
    figures["second start of the same model, after imports [s]"] = ready
    figures["10^6 sites, declaration to first sweep, source cached [s]"] = million_sites()
    return figures


def environment() -> dict[str, str]:
    """Processor and versions."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    names = ("statmech_dsl", "numpy", "numba", "pymc", "pytensor")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "processor": cpu,
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        **{name: importlib.metadata.version(name) for name in names},
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures, where = measure(), environment()
    table = Table("figure", "median", title=f"{where['processor']}, one thread")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}" if value < 1000 else f"{value:,.0f}")
    Console().print(table)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({"environment": where, "figures": figures}, indent=1))


if __name__ == "__main__":
    main()

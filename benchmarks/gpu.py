"""Time the kernels on a card, and write benchmarks/results/gpu-CARD.json.

python -m benchmarks.gpu [ROW ...]

Beside its time a row has the fewest bytes that an update has to move between the card and its memory, and about
how many operations of 32 bits it takes: what the card could do at best follows from these.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pymc as pm

import statmech_dsl as sm
from benchmarks.environment import LIBRARIES, environment
from benchmarks.run import RESULTS
from benchmarks.systems import regular_graph
from benchmarks.timing import Spread
from statmech_dsl.engine.compile import compile_model

SECONDS, REPEATS = 0.5, 11


@dataclass(frozen=True)
class Row:
    """A system, and what an update of it costs at least."""

    system: str
    build: Callable[[], pm.Model]
    replicas: int
    updates: str
    T: float
    moved: float
    """Bytes of an update: each is read from memory once a sweep, and written once."""
    why_moved: str
    operations: int
    why_operations: str


ROWS = {
    "ising": Row(
        "2D Ising model, 8192^2",
        lambda: sm.models.ising(L=8192),
        1,
        "heat_bath",
        2.3,
        0.27,
        "of 64 spins a word is read, one is written, and a byte of tables",
        4,
        "counted: benchmarks/gpu_instructions.py",
    ),
    "cubic": Row(
        "3D +-J glass, L = 32",
        lambda: sm.models.edwards_anderson(L=32, d=3),
        1024,
        "heat_bath",
        1.5,
        0.25,
        "a bit is read by its neighbors and written; tables serve 1024 replicas",
        7,
        "counted: benchmarks/gpu_instructions.py",
    ),
    "glass": Row(
        "Gaussian couplings on a random regular graph of degree 6, N = 100,000",
        lambda: regular_graph(100_000, 6).model(),
        1024,
        "heat_bath",
        1.0,
        2.1,
        "a spin is read by its neighbors and written: 1 byte each; tables serve 1024 replicas",
        50,
        "random word 9, six couplings with 3 each, exponential and two thresholds 18, packing 5",
    ),
    "xy": Row(
        "XY model in float32, 8192^2",
        lambda: sm.models.xy(L=8192, dtype="float32"),
        1,
        "metropolis",
        0.9,
        33.0,
        "angle, cosine and sine: 4 bytes each, read and written by the site, the last two read by neighbors; "
        "1 byte of tables",
        150,
        "two random words 18, four neighbors with 8 each, sine and cosine 60, exponential 20, proposal 20",
    ),
    "heisenberg": Row(
        "Heisenberg model in float32, 8192^2",
        lambda: _heisenberg(8192),
        1,
        "metropolis",
        0.9,
        37.0,
        "three components of 4 bytes, read and written by the site, read by neighbors; 1 byte of tables",
        170,
        "four random words 36, four neighbors with 12 each, proposal 66, exponential 20",
    ),
    "phi4": Row(
        "phi^4 theory in float32, 8192^2",
        lambda: sm.models.phi4(L=8192, dtype="float32"),
        1,
        "metropolis",
        1.0,
        13.0,
        "a field of 4 bytes, read and written by the site, read by neighbors; 1 byte of tables",
        90,
        "two random words 18, four neighbors with 8 each, potential 12, exponential 20, proposal 8",
    ),
    "clusters": Row(
        "2D Ising model at the critical temperature, 4096^2",
        lambda: sm.models.ising(L=4096),
        1,
        "swendsen_wang",
        2.269185,
        74.0,
        "a label of 4 bytes, written, read by four ties, written by one and read; two ties with four "
        "numbers of 4 bytes each; the number of the site and its row; a spin, read by four ties, written",
        140,
        "two ties: random word 15, exponential 20, differences 10, labels 10 each; the word of a cluster 15",
    ),
    "rbm": Row(
        "restricted Boltzmann machine, 4096 and 4096 units",
        lambda: sm.models.restricted_boltzmann_machine(weights=_weights(4096)),
        4096,
        "heat_bath",
        1.0,
        34.0,
        "a state of 1 byte, read and written; as float32, written and read; two digits of its field, written "
        "and read; two digits of 4096 couplings, which serve 4096 replicas",
        8192,
        "two digits of 4096 couplings, multiplied and added on tensor cores",
    ),
    "sk": Row(
        "Sherrington-Kirkpatrick glass, N = 1024",
        lambda: sm.models.sherrington_kirkpatrick(N=1024),
        16384,
        "heat_bath",
        1.0,
        162.0,
        "1024 states in float32, read for 32 sites; two digits of a field and a random word, written and read; "
        "a state of 1 byte, read and written, and as float32, written twice",
        2048,
        "two digits of 1024 couplings, multiplied and added on tensor cores",
    ),
}


def _heisenberg(L: int) -> pm.Model:
    lattice = sm.lattices.square(L)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.UnitVector("s", lattice, dtype="float32")
        sm.Energy("exchange", -s[i] * s[j])
    return model


def _weights(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(scale=n**-0.5, size=(n, n))


@dataclass(frozen=True)
class Run:
    """Chains of a row on the card."""

    kernels: Any
    packed: Any
    updates: int
    """Of a sweep."""

    @staticmethod
    def of(row: Row) -> Run:
        """Set up."""
        sampler = compile_model(row.build(), row.replicas, updates=row.updates, backend="cupy")
        chains = np.arange(row.replicas)
        beta = np.full(row.replicas, 1 / row.T)
        packed = sampler.kernels.pack(sampler.start(1, chains, 0 * chains, beta, "cold"))
        return Run(sampler.kernels, packed, row.replicas * sum(sampler.n_sites.values()))

    def seconds(self, n: int) -> float:
        """Time of n sweeps."""
        from cupy.cuda import Device

        Device().synchronize()
        began = time.perf_counter()
        self.kernels.sweep(self.packed, n)
        Device().synchronize()
        return time.perf_counter() - began

    def sweep(self) -> Spread:
        """Seconds of a sweep, measured again and again."""
        self.seconds(10)  # compiles, and warms up
        n = max(1, round(SECONDS / self.seconds(10) * 10))
        return Spread.of(np.array([self.seconds(n) / n for _ in range(REPEATS)]))

    def share_of_products(self) -> dict[str, float]:
        """The part of a sweep that the products of a dense model take, in both kinds of arithmetic."""
        device, found = self.kernels.device, {}
        matmul, best = device.matmul, device.tf32
        for name, device.tf32 in (("float32", False), ("TF32", best)):
            device.matmul = matmul
            whole = self.sweep().median
            device.matmul = lambda a, b, out: None
            found[name] = 1 - self.sweep().median / whole
        device.matmul = matmul
        return found


def card() -> dict[str, str]:
    """The card and its driver."""
    import cupy

    runtime = cupy.cuda.runtime
    return {
        "card": runtime.getDeviceProperties(runtime.getDevice())["name"].decode(),
        "driver": str(runtime.driverGetVersion()),
        "runtime": str(runtime.runtimeGetVersion()),
        "cupy": cupy.__version__,
    }


def main() -> None:
    """Time the named rows, all unless named."""
    rows = []
    for name in sys.argv[1:] or ROWS:
        row = ROWS[name]
        run = Run.of(row)
        spread = run.sweep()
        ns = {k: v / run.updates * 1e9 for k, v in asdict(spread).items()}
        found = {"ns": ns, "updates_per_ns": 1 / ns["median"]}
        if getattr(run.kernels, "dense", None):
            found["share_of_products"] = run.share_of_products()
        rows.append({k: v for k, v in asdict(row).items() if k != "build"} | found)
        print(f"{row.system}, {row.replicas} replicas: {found}", flush=True)
    where = card()
    result = {"environment": environment(LIBRARIES) | where, "rows": rows}
    name = re.sub(r"\W+", "-", where["card"].lower()).strip("-")
    (RESULTS / f"gpu-{name}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

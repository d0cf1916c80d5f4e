"""Free energies of many states: MBAR.

50 harmonic oscillators in a row, 5000 draws of each: free energies of all, and their errors, from the matrix
of reduced potentials. Nanoseconds are those of one of its 12.5 million numbers, of processor time, on one core.
pymbar runs under JAX, compiled before, with its default method and with the adaptive one alone, the fastest of
its own. The row stands only if free energies and errors are equal to 1e-8.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np

from benchmarks import peers
from benchmarks.contender import Contender
from benchmarks.rows import Comparison, Row, compare, tried
from statmech_dsl.estimators import MBAR

STATES, DRAWS = 50, 5000
EQUAL = 1e-8

Solution = tuple[np.ndarray, np.ndarray]


def potentials() -> np.ndarray:
    """Of oscillators that get stiffer along the row, at draws of each."""
    k, c = np.linspace(1, 3, STATES)[:, None], np.linspace(0, 25, STATES)[:, None]
    x = np.random.default_rng(1).normal(size=(STATES, DRAWS)) / np.sqrt(k) + c
    return k * (x.ravel() - c) ** 2 / 2


def here(u: np.ndarray, counts: np.ndarray) -> Solution:
    """Free energies relative to the first, and errors."""
    pool = MBAR(u, counts)
    return pool.free_energy, np.sqrt(np.diag(pool.covariance))


def contender(name: str, size: int, solve: Callable[[], object]) -> Contender:
    """One that solves the equations so many times."""

    def sweep(n: int) -> float:
        began = time.process_time()
        for _ in range(n):
            solve()
        return time.process_time() - began

    return Contender(name, sweep, size, lambda: np.empty(0)).warm(1)


def against(module: ModuleType, protocol: str) -> Comparison:
    """One method of the peer."""
    system = f"MBAR, {STATES} states x {DRAWS} draws, its {protocol} method"
    u, counts = potentials(), np.full(STATES, DRAWS)
    ours, theirs = here(u, counts), module.free_energies(u, counts, protocol)
    apart = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    if not apart < EQUAL:
        return Comparison(system, "pymbar", f"free energies or errors differ by {apart:.1e}")
    return compare(
        system,
        "pymbar",
        contender("statmech_dsl", u.size, lambda: here(u, counts)),
        contender("pymbar", u.size, lambda: module.free_energies(u, counts, protocol)),
        repeats=7,
        sweeps=1,
    )


def measure() -> Iterator[Row]:
    """Both methods."""
    system = f"MBAR, {STATES} states x {DRAWS} draws"
    if peers.version("pymbar") is None:
        yield Comparison(system, "pymbar", "not installed")
        return
    for protocol in ("default", "adaptive"):
        yield tried(system, "pymbar", lambda p=protocol: against(peers.load("pymbar"), p))

"""Slowing down at the critical point of the 2D Ising model, of cluster moves and of local ones.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

import statmech_dsl as sm
from tests.evidence.tempering import Check

CRITICAL = 2.0 / np.log(1.0 + np.sqrt(2.0))


def correlation_time(L: int, updates: str, **options) -> tuple[float, float]:
    """Integrated time of abs(m) in sweeps, and its error, from a seed that is a function of L alone."""
    lattice = sm.lattices.square(L)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Observable("m", s.mean())
    data = sm.sample(
        model,
        T=CRITICAL,
        updates=updates,
        seed=zlib.crc32(f"{updates} {L}".encode()),
        progressbar=False,
        **options,
    )
    found = sm.tau_int(np.abs(data.posterior.m.values))
    thin = options["thin"]
    return thin * found.tau, thin * found.tau_error


def exponent(sizes: Sequence[int], times: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The z of tau = c L^z by least squares, and its error."""
    tau, error = np.array(times).T
    x, weight = np.log(sizes), (tau / error) ** 2
    x = x - np.average(x, weights=weight)
    scale = (weight * x**2).sum()
    return float((weight * x * np.log(tau)).sum() / scale), float(scale**-0.5)


def _row(
    what: str, sizes: Sequence[int], times: list[tuple[float, float]], low: float, high: float
) -> Check:
    z, error = exponent(sizes, times)
    shown = ", ".join(f"{tau:.3g}" for tau, _ in times)
    return Check(
        f"{what}, L = {', '.join(map(str, sizes))}: z of abs(m)",
        f"{low:g} to {high:g}" if low else f"below {high:g}",
        f"{z:.3f} +- {error:.3f} (times {shown} sweeps)",
        low <= z < high,
    )


def swendsen_wang(whole: bool) -> list[Check]:
    """Clusters hardly slow down."""
    sizes = (32, 64, 128, 256) if whole else (16, 32, 64)
    draws = {L: (4_000_000 if whole else 200_000) // L for L in sizes}
    times = [
        correlation_time(
            L, "swendsen_wang", chains=1, tune=200, draws=draws[L], thin=1, init="cold"
        )
        for L in sizes
    ]
    return [_row("Swendsen-Wang", sizes, times, 0.0, 0.3)]


def local(whole: bool) -> list[Check]:
    """Local updates slow down as a walk does, and a little more."""
    sizes = (16, 32, 64) if whole else (8, 16, 32)
    times = []
    for L in sizes:
        thin = L * L // (50 if whole else 16)
        more = {"tune": 200 * thin, "thin": thin, "draws": 2000 if whole else 500}
        times.append(correlation_time(L, "heat_bath", chains=64, **more))
    return [_row("local heat bath", sizes, times, 2.0, 2.35)]


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """All of them, one after the other."""
    checks: list[Check] = []
    for find in (swendsen_wang, local):
        for check in find(whole):
            say(check)
            checks.append(check)
    return checks

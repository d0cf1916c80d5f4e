"""What overrelaxation gains for the planar XY model, beside heat bath alone.

What is compared is m^2, in a sweep of the recipe the slowest of the three quantities.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt

import statmech_dsl as sm
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.estimators import CorrelatedMean
from tests.evidence.tempering import LIMIT, Check

T = 0.9
CHAINS = 64
RECIPES: dict[str, Updates] = {
    "heat bath": "heat_bath",
    "with overrelaxation": ["heat_bath", ("overrelaxation", 5)],
}


@dataclass(frozen=True)
class Size:
    """A lattice, the sweeps from draw to draw of each recipe, and the least gain in tau."""

    L: int
    draws: int
    thin: tuple[int, int]
    gain: float


WHOLE, REDUCED = Size(64, 2000, (8, 1), 8.0), Size(24, 200, (5, 1), 3.0)


def planar(L: int) -> sm.Model:
    """The XY model on a torus; ``cosines`` and ``sines`` are sums over the bonds along one axis, per site."""
    lattice = sm.lattices.square(L)
    i, j = lattice.bonds
    site = np.arange(L * L).reshape(L, L)
    a, b = site.ravel(), np.roll(site, -1, axis=1).ravel()
    with sm.Model() as model:
        theta = sm.Angle("theta", lattice)
        sm.Energy("exchange", -pt.cos(theta[i] - theta[j]))
        sm.Observable("mx", pt.cos(theta).mean())
        sm.Observable("my", pt.sin(theta).mean())
        sm.Observable("cosines", pt.cos(theta[a] - theta[b]).mean())
        sm.Observable("sines", pt.sin(theta[a] - theta[b]).mean())
    return model


def measured(size: Size, name: str, thin: int) -> dict[str, CorrelatedMean]:
    """Means with autocorrelation times in draws."""
    x = sm.sample(
        planar(size.L),
        T=T,
        updates=RECIPES[name],
        chains=CHAINS,
        draws=size.draws,
        tune=5 * size.L * thin,
        thin=thin,
        init="cold",
        seed=zlib.crc32(name.encode()),
        progressbar=False,
    ).posterior
    stiffness = x.cosines - size.L**2 / T * x.sines**2
    series = {"m^2": x.mx**2 + x.my**2, "energy": x.energy, "helicity modulus": stiffness}
    return {what: sm.tau_int(values) for what, values in series.items()}


def seconds(L: int, repeats: int = 7) -> list[float]:
    """Processor time of a sweep of each recipe, in turn; the median."""
    works, times = [], np.empty((repeats, len(RECIPES)))
    for updates in RECIPES.values():
        sampler = compile_model(planar(L), CHAINS, updates=updates, backend="numba", threads=1)
        state = sampler.start(
            1, np.arange(CHAINS), np.zeros(CHAINS, int), np.full(CHAINS, 1 / T), "hot"
        )
        works.append((sampler.kernels, sampler.kernels.pack(state)))
        sampler.kernels.sweep(works[-1][1], 1)
    for row in times:
        for k, (kernels, packed) in enumerate(works):
            began = time.thread_time()
            kernels.sweep(packed, 10)
            row[k] = time.thread_time() - began
    return np.median(times, axis=0).tolist()


def gains(whole: bool) -> list[Check]:
    """Autocorrelation times in sweeps of a recipe; effective samples a second; means that must agree."""
    size = WHOLE if whole else REDUCED
    plain, mixed = (measured(size, *x) for x in zip(RECIPES, size.thin, strict=True))
    taus = [found["m^2"].tau * thin for found, thin in zip((plain, mixed), size.thin, strict=True)]
    gain, what = taus[0] / taus[1], f"XY L = {size.L}, T = {T}"
    checks = [
        Check(
            f"{what}, 1 heat bath + 5 overrelaxation: tau of m^2",
            f"at most 1/{size.gain:g} of heat bath's",
            f"{taus[1]:.2f} and {taus[0]:.1f} sweeps, 1/{gain:.0f}",
            gain > size.gain,
        )
    ]
    if whole:
        times = seconds(size.L)
        rate = gain * times[0] / times[1]
        checks.append(
            Check(
                f"{what}: effective samples of m^2 a second",
                "at least 5 times heat bath's",
                f"{rate:.1f} times, a sweep taking {times[1] / times[0]:.2f} times as long",
                rate > 5,
            )
        )
    off = [
        (mixed[x].value - plain[x].value) / np.hypot(mixed[x].error, plain[x].error) for x in plain
    ]
    worst, names = float(np.abs(off).max()), ", ".join(plain)
    checks.append(
        Check(f"{what}: {names}", "the same within 4 errors", f"{worst:.2f}", worst < LIMIT)
    )
    return checks


def all_checks(whole: bool, say: Callable[[Check], None]) -> Sequence[Check]:
    """All checks, each told when it is done."""
    checks = gains(whole)
    for check in checks:
        say(check)
    return checks

"""Posteriors by exchange, path and exactly: against quadrature, and by simulation-based calibration.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

import statmech_dsl as sm
from statmech_dsl.estimators import tau_int
from statmech_dsl.inference.methods import METHODS as inference_methods
from statmech_dsl.inference.methods import Run
from statmech_dsl.inference.problem.posed import pose
from tests.evidence.checks import Check

Report = Callable[[Check], None]
LEAST_P = 0.01
COVERED = 82, 97
SECONDS = 60.0
SIGMAS = 4.0
METHODS = "exact", "exchange", "path"


def magnet(lattice: sm.lattices.Lattice, low: float, high: float, field: float) -> sm.Model:
    """Spins with unknown exchange and field."""
    i, j = lattice.bonds
    with sm.Model() as model:
        J = pm.Uniform("J", low, high)
        h = pm.Normal("h", 0, field)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
        sm.Energy("zeeman", -h * s)
    return model


def rotors() -> sm.Model:
    """A ring of planar spins with unknown exchange."""
    i, j = sm.lattices.chain(32).bonds
    with sm.Model() as model:
        J = pm.HalfNormal("J", 1)
        theta = sm.Angle("theta", 32)
        sm.Energy("exchange", -J * pt.cos(theta[i] - theta[j]))
    return model


def scalar_field() -> sm.Model:
    """A phi^4 field with unknown quartic coupling."""
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        coupling = pm.Gamma("lambda", 2, 2)
        phi = sm.Field("phi", lattice)
        sm.Energy("gradient", (phi[i] - phi[j]) ** 2 / 2)
        sm.Energy("mass", phi**2 / 4)
        sm.Energy("quartic", coupling * phi**4)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """What a few of hundreds of posteriors warn of is not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Ring:
    """A ring of 16 spins, 200 states at J = 0.3, and the posterior of J by quadrature."""

    def __init__(self) -> None:
        n, lattice = 200, sm.lattices.chain(16)
        i, j = lattice.bonds
        with sm.Model() as self.model:
            J = pm.Normal("J", 0, 1)
            s = sm.Spin("s", lattice)
            sm.Energy("exchange", -J * s[i] * s[j])
        truth = sm.models.ising(L=16, J=0.3, lattice="chain")
        run = sm.sample(truth, draws=1, chains=n, tune=500, store="s", seed=1, progressbar=False)
        self.states = x = run.posterior.s.values[:, 0]
        self.grid = np.linspace(0.0, 0.6, 6001)
        log_z = 16 * np.log(2 * np.cosh(self.grid)) + np.log1p(np.tanh(self.grid) ** 16)
        self.mean, self.variance = self.moments(self.grid * (x[:, i] * x[:, j]).sum() - n * log_z)

    def moments(self, log_likelihood: np.ndarray) -> tuple[float, float]:
        """Mean and variance of J under its prior."""
        log_p = log_likelihood - self.grid**2 / 2
        w = np.exp(log_p - log_p.max())
        mean = float(np.average(self.grid, weights=w))
        return mean, float(np.average((self.grid - mean) ** 2, weights=w))


def ring(whole: bool) -> Check:
    """Mean and variance of J by the exchange algorithm against quadrature."""
    known = Ring()
    draws, chains = (2000, 4) if whole else (300, 2)
    options = {"draws": draws, "tune": 300, "chains": chains, "seed": 1, "progressbar": False}
    with quiet():
        found = sm.infer(known.model, {"s": known.states}, method="exchange", **options)
    series = found.posterior.J.values
    exact = known.mean, known.variance
    estimates = tau_int(series), tau_int((series - known.mean) ** 2)
    z = [(e.value - x) / e.error for e, x in zip(estimates, exact, strict=True)]
    size = estimates[0].effective_sample_size
    measured = f"{z[0]:+.1f} and {z[1]:+.1f} errors; {size:.0f} effective draws"
    return Check(
        "ring of 16 spins, 200 states: mean and variance of J, exchange",
        f"within {SIGMAS:.0f} errors of quadrature",
        measured,
        max(map(abs, z)) < SIGMAS and size > 100,
    )


def ring_by_likelihood(method: str) -> Check:
    """Mean and standard deviation of J from the likelihood that a method has, without draws of J."""
    known = Ring()
    posed = pose(known.model, {"s": known.states})
    run = Run(draws=1, tune=1, chains=1, seed=1, threads=None, progressbar=False)
    found = inference_methods[method].likelihood(posed, run)
    mean, variance = known.moments(np.array([found.total(np.array([-J]))[0] for J in known.grid]))
    sd = known.variance**0.5
    off = (mean - known.mean) / sd, variance**0.5 / sd - 1
    allowed = 0.02 if method == "exact" else SIGMAS * found.attrs["expected_shift"]
    return Check(
        f"ring of 16 spins, 200 states: mean and standard deviation of J, {method}",
        f"within {allowed:.0%} of the standard deviation"
        + (", four times the error it states" if method == "path" else ""),
        f"{off[0]:+.2%} and {off[1]:+.2%}",
        max(map(abs, off)) < allowed,
    )


def calibration(method: str, whole: bool) -> Check:
    """Ranks of J and h of a small grid."""
    model = magnet(sm.lattices.square(3, periodic=False), -0.6, 0.6, 0.5)
    n = 300 if whole else 20
    with quiet():
        found = sm.calibrate(
            model,
            method=method,
            states=5,
            simulations=n,
            draws=49 if whole else 19,
            thin=4 if whole else 2,
            tune=250 if whole else 60,
            seed=3,
            progressbar=False,
        )
    p = found.p_value
    measured = ", ".join(f"p = {float(p.sel(parameter=x)):.2g} of {x}" for x in ("J", "h"))
    asked = f"p > {LEAST_P}" if method in METHODS else "reported"
    right = method not in METHODS or bool((p > LEAST_P).all())
    return Check(f"{n} posteriors, open 3 x 3 magnet: ranks, {method}", asked, measured, right)


def coverage(what: str, model: sm.Model, whole: bool, method: str = "exchange") -> list[Check]:
    """How many of 100 intervals of 90 % hold the truth; seconds a posterior."""
    n, draws = (100, 99) if whole else (6, 19)
    began = time.perf_counter()
    with quiet():
        found = sm.calibrate(
            model,
            method=method,
            simulations=n,
            draws=draws,
            thin=5,
            tune=300 if whole else 60,
            seed=2,
            progressbar=False,
        )
    seconds = (time.perf_counter() - began) / n
    checks = [
        Check(
            f"{what}: intervals of 90 % that hold {name}, {method}",
            f"{COVERED[0]} to {COVERED[1]} of 100" if whole else f"most of {n}",
            f"{held(found, str(name))} of {n}",
            COVERED[0] <= held(found, str(name)) <= COVERED[1]
            if whole
            else held(found, str(name)) > n // 2,
        )
        for name in found.parameter.values
    ]
    measured = f"{seconds:.1f} s"
    time_check = Check(
        f"{what}: time of one posterior, {method}",
        f"under {SECONDS:.0f} s",
        measured,
        seconds < SECONDS,
    )
    return [*checks, time_check]


def held(found: xr.Dataset, name: str) -> int:
    """Number of central intervals of 90 % that hold the truth, by its ranks."""
    share = (found["rank"].sel(parameter=name) + 0.5) / (found.attrs["draws"] + 1)
    return int(((share > 0.05) & (share < 0.95)).sum())


def all_checks(whole: bool, report: Report) -> list[Check]:
    """All of them, each reported when it is done."""
    checks: list[Check] = []

    def done(*new: Check) -> None:
        for check in new:
            report(check)
            checks.append(check)

    done(ring(whole), *map(ring_by_likelihood, ("exact", "path")))
    methods = (*METHODS, "pseudolikelihood") if whole else ("exact", "exchange")
    for method in methods:
        done(calibration(method, whole))
    L = 32 if whole else 8
    square = magnet(sm.lattices.square(L), 0.1, 0.4, 0.1)
    by = ("exchange", "path") if whole else ("exchange",)
    for method in by:
        done(*coverage(f"one state of {L} x {L} spins", square, whole, method))
        if whole:
            done(*coverage("one ring of 32 planar spins", rotors(), whole, method))
            done(*coverage("one 4 x 4 phi^4 field", scalar_field(), whole, method))
    return checks

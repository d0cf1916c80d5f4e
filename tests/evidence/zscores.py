"""From a case to its z-scores: (measured - exact) / standard error."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import chi2

import statmech_dsl as sm
from statmech_dsl.errors import ShortChainWarning
from tests.evidence.cases import Case


@dataclass(frozen=True)
class Score:
    """One measured quantity at one temperature against its exact value."""

    case: Case
    quantity: str
    T: float
    value: float
    error: float
    exact: float
    estimator: str

    @property
    def z(self) -> float:
        """Number of standard errors between what was measured and what is exact."""
        return (self.value - self.exact) / self.error

    def __str__(self) -> str:
        return (
            f"z = {self.z:+.2f}: {self.case.name}, T = {self.T:.6g}: {self.quantity} = "
            f"{self.value:.6g} +- {self.error:.2g}, exactly {self.exact:.6g}"
        )


def scores(case: Case, threads: int | None = None) -> list[Score]:
    """Run a case; raise `ShortChainWarning` where chains are too short for their error bars."""
    data = sm.sample(
        case.build(),
        T=case.T,
        draws=case.draws,
        tune=case.tune,
        chains=case.chains * len(case.exact),
        thin=case.thin,
        seed=case.seed,
        init=case.init,
        updates=case.updates,
        backend=case.backend,
        threads=threads,
        progressbar=False,
    )
    found = []
    for k, (quantity, exact) in enumerate(case.exact.items()):
        own = data.isel(chain=slice(k * case.chains, (k + 1) * case.chains), missing_dims="ignore")
        estimator = "sm.tau_int" if quantity in data["posterior"] else "sm.derived"
        with warnings.catch_warnings():
            warnings.simplefilter("error", ShortChainWarning)
            measured = ESTIMATORS[estimator](own, quantity)
        found += [
            Score(case, quantity, T, value, error, wanted, estimator)
            for T, (value, error), wanted in zip(case.T, measured, exact, strict=True)
        ]
    return found


def means(data: xr.DataTree, quantity: str) -> list[tuple[float, float]]:
    """Mean of a variable and its error, at each temperature."""
    series = data["posterior"][quantity]
    estimates = [sm.tau_int(series.isel(T=k).values) for k in range(series.sizes["T"])]
    return [(e.value, e.error) for e in estimates]


def jackknifed(data: xr.DataTree, quantity: str) -> list[tuple[float, float]]:
    """A derived quantity and its error, at each temperature."""
    n_sites = sum(json.loads(data.attrs["n_sites"]).values())
    table = sm.derived(data, [quantity], n_sites=n_sites)
    values, errors = table[quantity].values, table[f"{quantity}_error"].values
    return list(zip(values.tolist(), errors.tolist(), strict=True))


ESTIMATORS = {"sm.tau_int": means, "sm.derived": jackknifed}
"""What gives the value and the error: of a variable of the posterior, and of a function of means."""


def variance(found: Sequence[Score]) -> float:
    """Mean of z^2: the variance about 0, where z has its mean if nothing is wrong."""
    return float(np.mean([s.z**2 for s in found]))


def band(n: int, chance: float) -> tuple[float, float]:
    """Limits of the variance of n independent z-scores, left with this chance if all is right."""
    low, high = chi2.ppf([chance / 2, 1 - chance / 2], n) / n
    return float(low), float(high)

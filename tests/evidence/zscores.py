"""From a case to its z-scores: (measured - exact) / standard error."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import chi2

import statmech_dsl as sm
from statmech_dsl.diagnostics.derived import TAU
from statmech_dsl.diagnostics.thermodynamic import THERMAL, magnetic
from statmech_dsl.errors import ShortChainWarning
from tests.evidence.cases import Case

JACKKNIFE = (THERMAL.keys() | magnetic("m").keys()) - {"energy_per_site"}


@dataclass(frozen=True)
class Score:
    """One measured quantity at one temperature against its exact value."""

    case: Case
    quantity: str
    T: float
    value: float
    error: float
    exact: float

    @property
    def z(self) -> float:
        """Standard errors between what was measured and what is exact."""
        return (self.value - self.exact) / self.error

    def __str__(self) -> str:
        return (
            f"z = {self.z:+.2f}: {self.case.name}, T={self.T:.6g}, {self.quantity} = "
            f"{self.value:.6g} +- {self.error:.2g}, exact {self.exact:.6g}"
        )


def run(case: Case) -> list[Score]:
    """Sample a case and compare; raises where the chains are too short for their error bars."""
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
        progressbar=False,
    )
    scores = []
    for k, (quantity, exact) in enumerate(case.exact.items()):
        chains = slice(k * case.chains, (k + 1) * case.chains)
        own = data.isel(chain=chains, missing_dims="ignore")
        with warnings.catch_warnings():
            warnings.simplefilter("error", ShortChainWarning)
            estimates = jackknifed(own, quantity) if quantity in JACKKNIFE else means(own, quantity)
        for T, (value, error), wanted in zip(case.T, estimates, exact, strict=True):
            scores.append(Score(case, quantity, T, value, error, wanted))
    return scores


def means(data: xr.DataTree, quantity: str) -> list[tuple[float, float]]:
    """Mean and error at each temperature of a variable, from `sm.tau_int`."""
    series = data["posterior"]["energy" if quantity == "energy_per_site" else quantity]
    if quantity == "energy_per_site":
        series = series / sum(sites(data).values())
    results = [sm.tau_int(series.isel(T=k).values) for k in range(series.sizes["T"])]
    return [(r.value, r.error) for r in results]

"""What flat histograms are held against: exact densities of states, canonical runs, Baxter's latent heat.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.optimize import brentq

import statmech_dsl as sm
from tests.evidence.tempering import LIMIT, Check

STATES = json.loads((Path(__file__).parents[1] / "data" / "ising_states.json").read_text())["g"]
LATENT_HEAT = 0.69605
"""Potts model, q = 10, a site: R. J. Baxter, J. Phys. C 6, L445 (1973)."""


def flat(name: str, model: sm.Model, **options) -> xr.DataTree:
    """Run with a seed that is a function of the name alone: no seed was ever picked."""
    return sm.flat_histogram(model, seed=zlib.crc32(name.encode()), progressbar=False, **options)


def misses(data: xr.DataTree, L: int) -> tuple[np.ndarray, np.ndarray]:
    """Ln g minus the exact one at all levels of an Ising model, and its errors."""
    found = data["density_of_states"].to_dataset()
    exact = {-2 * L * L + 4 * k: math.log(int(g)) for k, g in enumerate(STATES[str(L)]) if int(g)}
    assert list(found["level"].values) == list(exact), "all levels were found"
    values = found["log_density_of_states"].values - np.array(list(exact.values()))
    return values, found["log_density_of_states_error"].values


def ising_states(whole: bool) -> list[Check]:
    """All levels of one large model, by a few runs."""
    L, sweeps, thin, runs = (16, 20_000, 15, 3) if whole else (8, 4000, 1, 1)
    rms, held, seconds, levels = [], [], [], 0
    for k in range(runs):
        began = time.perf_counter()
        data = flat(f"Ising {L}, {k}", sm.models.ising(L=L), tune=sweeps, draws=sweeps, thin=thin)
        seconds.append(time.perf_counter() - began)
        miss, error = misses(data, L)
        levels = len(miss)
        rms.append(math.sqrt((miss**2).mean()))
        held.append(float((np.abs(miss) < 2 * error).mean()))
    # The levels of one short run hang together: fewer of them may be right.
    limit, least = (0.03, 0.85) if whole else (0.06, 0.8)
    what = f"2D Ising, L = {L}, ln g of all {levels} levels, runs: {runs}"
    return [
        Check(f"{what}: rms error of each", f"at most {limit}",
              ", ".join(f"{x:.4f}" for x in rms), max(rms) <= limit),
        Check("the same: within 2 of its errors", f"at least {100 * least:g} %",
              ", ".join(f"{x:.0%}" for x in held), min(held) >= least),
        Check("the same: time, the first with compilation", "below 60 s",
              ", ".join(f"{x:.0f} s" for x in seconds), max(seconds) < 60),
    ]  # fmt: skip


def coverage(whole: bool) -> list[Check]:
    """Error bars over many seeds."""
    n = 100 if whole else 10
    z = []
    for k in range(n):
        data = flat(
            f"coverage {k}", sm.models.ising(L=4), tune=1000, draws=2000, chains=16, threads=1
        )
        miss, error = misses(data, 4)
        z.append(miss / error)
    variance = float(np.mean(np.square(z)))
    low, high = (0.8, 1.25) if whole else (0.6, 1.6)
    return [
        Check(
            f"2D Ising, L = 4, {n} runs: variance of the z-scores of ln g",
            f"{low} to {high}", f"{variance:.2f}", low <= variance <= high,
        )
    ]  # fmt: skip


def peaks(data: xr.DataTree, L: int) -> tuple[float, float, float, float]:
    """The temperature of equally high peaks of a Potts model, their energies a site, the ln of the valley."""
    found = data["density_of_states"].to_dataset()
    level, log_g = found["level"].values, found["log_density_of_states"].values
    ordered = level < -(1 + 10**-0.5) * L * L

    def difference(T: float) -> float:
        x = log_g - level / T
        return x[ordered].max() - x[~ordered].max()

    T = float(brentq(difference, 0.65, 0.85))
    x = log_g - level / T
    low, high = (level[side][x[side].argmax()] for side in (ordered, ~ordered))
    valley = x[(level >= low) & (level <= high)].min() - x.max()
    return T, low / L**2, high / L**2, float(valley)


def potts(whole: bool) -> list[Check]:
    """Two peaks at equal height, and means beside those of canonical runs."""
    L, sweeps = (12, 20_000) if whole else (6, 3000)
    model, name = sm.models.potts(q=10, L=L), f"Potts, q = 10, L = {L}"
    data = flat(name, model, tune=sweeps, draws=sweeps)
    T_equal, low, high, valley = peaks(data, L)
    T = [0.66, round(T_equal, 4), 0.8, 1.0]
    table = sm.reweight(data, T=T, quantities=["energy_per_site"])
    canonical = sm.derived(
        sm.sample(model, T=T, chains=16, draws=sweeps // 5, thin=5, seed=1, progressbar=False),
        ["energy_per_site"],
    )
    gap = table.energy_per_site - canonical.energy_per_site.values
    z = gap.values / np.hypot(table.energy_per_site_error, canonical.energy_per_site_error.values)
    worst = float(np.abs(z).max())
    two = valley < (-1.0 if whole else -0.3)
    where = f"T = {T_equal:.4f}, E = {low:.2f} and {high:.2f} a site, valley {math.exp(valley):.2f}"
    return [
        Check(f"{name}: two peaks of equal height", "a valley between", where, two),
        Check(f"{name}: u at {len(T)} temperatures beside canonical runs", "within 4 errors",
              f"worst {worst:.2f}", worst < LIMIT),
    ]  # fmt: skip


def latent_heat(whole: bool) -> list[Check]:
    """The mean energies of the phases of a larger system; too long for the tests."""
    if not whole:
        return []
    L = 32
    data = sm.flat_histogram(
        sm.models.potts(q=10, L=L), energies=(-1.85 * L**2, -0.7 * L**2),
        tune=80_000, draws=10_000, thin=20, chains=16, seed=1, progressbar=False,
    )  # fmt: skip
    return [latent_heat_check(data, L)]


def latent_heat_check(data: xr.DataTree, L: int) -> Check:
    """Phases are what lies on either side of the valley, where both peaks are equally high."""
    found, T = data["density_of_states"].to_dataset(), peaks(data, L)[0]
    level = found["level"].values
    x = found["log_density_of_states"].values - level / T
    weight, ordered = np.exp(x - x.max()), level < -(1 + 10**-0.5) * L * L
    low, high = (weight[k] @ level[k] / weight[k].sum() / L**2 for k in (ordered, ~ordered))
    off = float(high - low) / LATENT_HEAT - 1
    return Check(
        f"Potts, q = 10, L = {L}: latent heat, by the means of the phases",
        f"{LATENT_HEAT} within 10 %", f"{high - low:.4f} ({off:+.1%}) at T = {T:.5f}", abs(off) < 0.1,
    )  # fmt: skip


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check, one after the other."""
    checks: list[Check] = []
    for find in (ising_states, coverage, potts, latent_heat):
        for check in find(whole):
            say(check)
            checks.append(check)
    return checks

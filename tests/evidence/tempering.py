"""What tempering is held against: glasses, wells, and the theory of ladders. Each check gives rows.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import arviz as az
import numpy as np
from scipy.stats import binom

import statmech_dsl as sm
from statmech_dsl.results.ladder import log_partition, swap_chances
from tests.evidence.cases import Row, rows
from tests.evidence.checks import Check

LIMIT = 4.0
"""Standard errors."""


def temper(name: str, model: sm.Model, **options) -> sm.Model:
    """Temper with a seed that is a function of the name alone: no seed was ever picked."""
    return sm.temper(model, seed=zlib.crc32(name.encode()), progressbar=False, **options)


def at(data, beta: float, variable: str = "energy") -> np.ndarray:
    """Draws at one temperature, the mean over copies: (chains, draws, ...)."""
    x = data.posterior[variable].sel(T=1 / beta, method="nearest")
    return x.mean([d for d in x.dims if d == "copy"]).transpose("chain", "draw", ...).values


def mean_z(series: np.ndarray, exact: float) -> float:
    """Standard errors between a mean and its exact value."""
    found = sm.tau_int(series)
    return (found.value - exact) / found.error


def scored(what: str, z: Sequence[float]) -> list[Check]:
    """The worst of some z-scores."""
    worst = float(np.abs(z).max())
    return [Check(f"{what}: {len(z)} z-scores", "worst below 4", f"{worst:.2f}", worst < LIMIT)]


# ---- spin glasses and small graphs ----------------------------------------------------------------


def glass_model(row: Row) -> sm.Model:
    """The square torus with given couplings."""
    L = row["L"]
    site = np.arange(L * L).reshape(L, L)
    i = np.concatenate([site.ravel()] * 2)
    j = np.concatenate([np.roll(site, -1, axis=axis).ravel() for axis in (1, 0)])
    J = np.concatenate([np.ravel(row["Jx"]), np.ravel(row["Jy"])])
    with sm.Model() as model:
        s = sm.Spin("s", L * L)
        sm.Energy("exchange", -J * s[i] * s[j])
    return model


def glass3d_model(row: Row) -> sm.Model:
    """The cubic torus with given couplings."""
    site = np.arange(64).reshape(4, 4, 4)
    i = np.concatenate([site.ravel()] * 3)
    j = np.concatenate([np.roll(site, -1, axis=axis).ravel() for axis in (2, 1, 0)])
    J = np.concatenate([np.asarray(row["J"])[..., mu].ravel() for mu in range(3)])
    with sm.Model() as model:
        s = sm.Spin("s", 64)
        sm.Energy("exchange", -J * s[i] * s[j])
    return model


GLASS = [0.0, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0]
"""Inverse temperatures of small glasses, with those of the references."""


def glasses_2d(whole: bool, z: list[float]) -> list[Check]:
    """Energy and log Z of 12 instances at three temperatures."""
    found: list[float] = []
    for row in rows("spin_glasses", "ea2d")[:: 1 if whole else 5]:
        name = f"{row['kind']} {row['L']} {row['sample']}"
        options = {"draws": 4000 if whole else 1000, "tune": 1000, "chains": 8, "thin": 5}
        data = temper(name, glass_model(row), beta=GLASS, **options)
        stats, T = data.sample_stats, data.posterior["T"].values
        for o in row["obs"]:
            k = int(np.abs(T - 1 / o["beta"]).argmin())
            found.append(mean_z(at(data, o["beta"]), o["E"]))
            error = float(stats.log_partition_error[k])
            found.append((float(stats.log_partition[k]) - o["lnZ"]) / error)
    z += found
    return scored("2D glasses, E and log Z", found)


def glasses_3d(whole: bool) -> list[Check]:
    """Ground states of two instances."""
    checks = []
    for k, row in enumerate(rows("spin_glasses", "ea3d")):
        data = temper(f"3D {k}", glass3d_model(row), T=(0.4, 3.0), tune=2000, draws=1000, chains=8)
        lowest = round(float(data.posterior.energy.min()))
        checks.append(
            Check(
                f"3D glass {k + 1}, lowest energy", f"{row['E0']}", f"{lowest}", lowest == row["E0"]
            )
        )
    return checks


def graph_model(row: Row) -> sm.Model:
    """Spins with given couplings and fields; all spins and pairs are watched."""
    i, j = np.array(row["edges"]).T
    with sm.Model() as model:
        s = sm.Spin("s", row["N"])
        sm.Energy("exchange", -np.array(row["J"]) * s[i] * s[j])
        if any(row["h"]):
            sm.Energy("zeeman", -np.array(row["h"]) * s)
        sm.Observable("spins", s)
        sm.Observable("bonds", s[i] * s[j])
    return model


def small_graphs(whole: bool, z: list[float]) -> list[Check]:
    """<s_i> and <s_i s_j> of all sites and edges, at four temperatures.

    Those that hardly ever leave one of their values have no normal errors, and are left out.
    """
    found: list[float] = []
    for row in rows("small_graphs", "instances")[:: 1 if whole else 3]:
        betas = [0.0, 0.15, *(o["beta"] for o in row["obs"]), 0.5, 1.4]
        options = {"draws": 4000 if whole else 1000, "tune": 500, "chains": 8, "thin": 3}
        data = temper(f"graph {row['name']}", graph_model(row), beta=betas, **options)
        for o in row["obs"]:
            for name in ("spins", "bonds"):
                series = at(data, o["beta"], name)
                seen = 1 - np.abs(o[name]) > 200 / series[..., 0].size
                found += [mean_z(series[..., k], o[name][k]) for k in np.flatnonzero(seen)]
    z += found
    return scored("7 small graphs, <s_i> and <s_i s_j>" if whole else "small graphs", found)


def link_identity(whole: bool) -> list[Check]:
    """U = -(beta z / 2) (1 - q_link) for Gaussian couplings, averaged over them; z = 6."""
    difference = []
    for sample in range(100 if whole else 12):
        model = sm.models.edwards_anderson(L=4, d=3, couplings="gaussian", seed=sample)
        data = temper(
            f"links {sample}", model, T=[1.0, 1.3, 1.7, 2.4, 4.0], replicas_per_T=2,
            draws=500, tune=500, thin=4,
        )  # fmt: skip
        mean = data.posterior.mean(("chain", "draw"))
        u = mean.energy.mean("copy") / 64
        difference.append((u + 3 / u["T"] * (1 - mean.link_overlap)).values)
    x = np.array(difference)
    z = x.mean(axis=0) / (x.std(axis=0, ddof=1) / len(x) ** 0.5)
    worst = float(np.abs(z).max())
    what = f"U = -(beta z/2)(1 - q_link), 3D, {len(x)} samples, 5 temperatures"
    return [Check(what, "within 4 errors", f"{worst:.2f} errors", worst < LIMIT)]


# ---- wells ----------------------------------------------------------------------------------------


def wells(whole: bool) -> list[Check]:
    """2D Ising at T = 1.8 from both wells."""
    L, chains = 32, 32
    model = sm.models.ising(L=L)
    start = {"s": np.where(np.arange(chains) % 2, 1, -1)[:, None] * np.ones((1, L * L), int)}
    plain = sm.sample(
        model, T=1.8, chains=4, init={"s": start["s"][:4]}, draws=1000, seed=1, progressbar=False
    )
    r_hat = float(az.rhat(plain, var_names=["m"]).m)
    draws = 20000 if whole else 1500
    data = temper(
        "wells", model, T=(1.8, 2.9), chains=chains, init=start, tune=4000, draws=draws, thin=5
    )
    up = sm.tau_int((data.posterior.m.isel(T=0) > 0).values.astype(float))
    z = (up.value - 0.5) / up.error
    limit = 0.01 if whole else 0.05
    return [
        Check(
            "Ising L = 32, T = 1.8: R-hat of m, sample", "above 1.5", f"{r_hat:.2f}", r_hat > 1.5
        ),
        Check(
            "the same, temper: fraction of up-magnetized",
            f"1/2 within 4 errors, error below {limit:.0%}",
            f"{up.value:.4f} +- {up.error:.4f}",
            abs(z) < LIMIT and up.error < limit,
        ),
    ]


# ---- ladders --------------------------------------------------------------------------------------


def chain_energies(beta: float, bonds: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies of an open Ising chain and their probabilities: bonds are independent."""
    broken = np.arange(bonds + 1)
    return 2.0 * broken - bonds, binom.pmf(broken, bonds, 1 / (1 + np.exp(2 * beta)))


def exact_rejection(b1: float, b2: float, bonds: int) -> float:
    """Rejection of swaps between two temperatures of an open Ising chain."""
    (e, p1), (_, p2) = chain_energies(b1, bonds), chain_energies(b2, bonds)
    accept = np.exp(np.minimum((b1 - b2) * (e[:, None] - e), 0.0))
    return float(1 - p1 @ accept @ p2)


def exact_barrier(betas: np.ndarray, bonds: int) -> float:
    """Integral of half the mean absolute difference of two energies (Syed et al. 2021)."""
    x = np.linspace(betas.min(), betas.max(), 400)
    e, _ = chain_energies(1.0, bonds)
    p = np.stack([chain_energies(b, bonds)[1] for b in x])
    rate = 0.5 * np.einsum("bi,ij,bj->b", p, np.abs(e[:, None] - e), p)
    return float(np.trapezoid(rate, x))


def ising_chain(whole: bool) -> list[Check]:
    """Rejections of every swap on an open chain, and their sum."""
    bonds, draws = 64, 20000 if whole else 2000
    ends = np.array([1.5, 0.2])
    barrier = exact_barrier(ends, bonds)
    betas = np.linspace(*ends, round(4 * barrier))
    model = sm.models.ising(L=bonds + 1, lattice="chain", periodic=False)
    data = temper("Ising chain", model, beta=list(betas), draws=draws, tune=500, chains=8, thin=10)
    chance = swap_chances(data.posterior.energy.values, betas)
    exact = [exact_rejection(a, b, bonds) for a, b in zip(betas, betas[1:], strict=False)]
    z = [-mean_z(chance[..., k], 1 - r) for k, r in enumerate(exact)]
    total = float(data.sample_stats.barrier[0])
    worst, off = float(np.abs(z).max()), abs(total / barrier - 1)
    n = len(betas)
    return [
        Check(
            f"Ising chain, {n} temperatures: each swap rejection",
            "within 4 errors of the exact one", f"worst {worst:.2f} errors", worst < LIMIT,
        ),
        Check(
            f"their sum, {n} temperatures (4 barriers)",
            f"{barrier:.3f} within 5 %", f"{total:.3f}, {off:.1%} off", off < 0.05,
        ),
    ]  # fmt: skip


def tuned_ladders(whole: bool) -> list[Check]:
    """Rejections of a tuned ladder, and its round trips beside those of other ladders."""
    checks = []
    with sm.Model() as paramagnet:  # its sweeps forget everything, as the theory assumes
        spin = sm.Spin("spin", 64)
        sm.Energy("zeeman", -1.0 * spin)
    for name, model, ends, thin in (
        ("64 free spins", paramagnet, (0.3, 5.0), 1),
        ("2D Ising L = 16", sm.models.ising(L=16), (1.5, 6.0), 40),
    )[: 2 if whole else 1]:
        options = {"chains": 16, "thin": thin, "draws": 8000 if whole else 2000}
        tune = thin * (4000 if whole else 2000)
        data = temper(f"{name}, tuned", model, T=ends, tune=tune, **options)
        n = data.posterior.sizes["T"]
        stats = data.sample_stats
        r = 1 - stats.swap_acceptance.mean("chain").values
        spread, ideal = float(r.std() / r.mean()), 1 / (2 + 2 * (r / (1 - r)).sum())
        rate, error = rate_of(data)
        what = f"{name}, tuned ladder of {n}"
        checks += [
            Check(f"{what}: variation of rejections", "at most 10 %", f"{spread:.1%}", spread <= 0.1),
            Check(
                f"{what}: round trips per swap", f"at least 0.8 x {ideal:.4f}",
                f"{rate:.4f} +- {error:.4f} ({rate / ideal:.2f})", rate >= 0.8 * ideal,
            ),
        ]  # fmt: skip
        for other, T in (("geometric", np.geomspace(*ends, n)), ("linear", np.linspace(*ends, n))):
            beside = temper(f"{name}, {other}", model, T=list(T), tune=20 * thin * n, **options)
            slower, its_error = rate_of(beside)
            checks.append(
                Check(
                    f"{what}: beside a {other} one of the same size", "not below",
                    f"{rate:.4f} and {slower:.4f} +- {its_error:.4f}",
                    rate > slower - 3 * np.hypot(error, its_error),
                )
            )  # fmt: skip
    return checks


def rate_of(data) -> tuple[float, float]:
    """Round trips of a ladder in a swap, and the error by the scatter of the chains."""
    rate = data.sample_stats.round_trip_rate.values
    return float(rate.mean()), float(rate.std(ddof=1) / len(rate) ** 0.5)


# ---- log Z and its error --------------------------------------------------------------------------

MODELS: dict[str, tuple[Callable[[], sm.Model], float]] = {
    "Ising 4x4": (lambda: sm.models.ising(L=4), 0.6),
    "Ising 3x3 in a field": (lambda: sm.models.ising(L=3, h=0.3), 1.0),
    "Potts q=3, 3x3": (lambda: sm.models.potts(L=3, q=3), 1.5),
    "clock q=5, 3x3": (lambda: sm.models.clock(L=3, q=5), 1.5),
    "Blume-Capel 3x3": (lambda: sm.models.blume_capel(L=3), 1.0),
    "lattice gas 4x4": (lambda: sm.models.lattice_gas(L=4), 2.0),
    "Gaussian glass 4x4": (
        lambda: sm.models.edwards_anderson(L=4, d=2, couplings="gaussian", seed=3), 1.5,
    ),
    "SK, N = 12": (lambda: sm.models.sherrington_kirkpatrick(N=12, seed=2), 2.0),
    "Ashkin-Teller 3x3": (lambda: sm.models.ashkin_teller(L=3), 0.4),
    "Z2 gauge 3x3": (lambda: sm.models.z2_gauge(L=3, d=2), 1.0),
}  # fmt: skip
"""Ten small models, and how cold it gets."""


def log_z_scores(name: str, seeds: int, draws: int) -> np.ndarray:
    """z-scores of log Z at the lowest temperature; two chains of one run are one seed."""
    build, coldest = MODELS[name]
    model = build()
    options = {"chains": 2 * seeds, "draws": draws, "tune": 2000, "thin": 4}
    data = temper(f"log Z {name}", model, beta=(0.0, coldest), **options)
    betas = 1 / data.posterior["T"].values
    exact = sm.exact(model, beta=[coldest, 0.0]).log_partition.values
    energy = data.posterior.energy.values[:, :, None, :]
    pairs = (energy[2 * k : 2 * k + 2] for k in range(seeds))
    found = np.array([[x[0] for x in log_partition(pair, betas)] for pair in pairs])
    return (found[:, 0] - (exact[0] - exact[1])) / found[:, 1]


def coverage(whole: bool) -> list[Check]:
    """How often intervals hold the exact log Z."""
    names = list(MODELS) if whole else list(MODELS)[:3:2]
    scores = {name: log_z_scores(name, 400 if whole else 100, 1000) for name in names}
    bands = (
        {1.0: (0.60, 0.765), 1.96: (0.915, 0.98)}
        if whole
        else {1.0: (0.53, 0.83), 1.96: (0.88, 1.0)}
    )
    checks = []
    for width, (low, high) in bands.items():
        held = {name: float((np.abs(z) < width).mean()) for name, z in scores.items()}
        least, most = min(held.values()), max(held.values())
        interval = "68 %" if width == 1 else "95 %"
        checks.append(
            Check(
                f"log Z of {len(names)} models: {interval} interval holds it",
                f"{low:.1%} to {high:.1%}", f"{least:.1%} to {most:.1%}", low <= least and most <= high,
            )
        )  # fmt: skip
    pooled = np.concatenate(list(scores.values()))
    mean, sd = float(pooled.mean()), float(pooled.std())
    limit, low, high = (0.1, 0.9, 1.1) if whole else (0.3, 0.85, 1.15)
    checks.append(
        Check(
            f"the same: {len(pooled)} z-scores pooled", f"|mean| < {limit}, sd {low} to {high}",
            f"{mean:+.3f}, {sd:.3f}", abs(mean) < limit and low <= sd <= high,
        )
    )  # fmt: skip
    return checks


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check, one after the other."""
    z: list[float] = []
    checks: list[Check] = []
    for find in (
        lambda w: glasses_2d(w, z),
        lambda w: small_graphs(w, z),
        lambda w: [variance_check(z)],
        glasses_3d, link_identity, wells, ising_chain, tuned_ladders, coverage,
    ):  # fmt: skip
        for check in find(whole):
            say(check)
            checks.append(check)
    return checks


def variance_check(z: Sequence[float]) -> Check:
    """The variance of all z-scores of glasses and graphs."""
    variance = float(np.mean(np.square(z)))
    return Check(
        f"variance of these {len(z)} z-scores",
        "0.8 to 1.25",
        f"{variance:.3f}",
        0.8 <= variance <= 1.25,
    )

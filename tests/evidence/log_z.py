"""What free energies are held against: exact log Z, and the coverage of the errors of every route.

``whole`` runs are for `make evidence`; the others are short enough for the tests.
"""

from __future__ import annotations

import math
import time
import warnings
import zlib
from collections.abc import Callable, Iterator

import numpy as np

import statmech_dsl as sm
from statmech_dsl.errors import OverlapError, OverlapWarning, StatmechError
from tests.evidence.checks import Check
from tests.evidence.log_z_coverage import COVERED, coverage
from tests.evidence.log_z_models import FEW, MODELS, kaufman
from tests.evidence.population import MODELS as ORDERED

QUIET = {"progressbar": False}
LEFT_OUT = {
    # Real couplings have no levels to count.
    ("flat_histogram", "Gaussian glass, L=4"),
    ("flat_histogram", "Sherrington-Kirkpatrick, N=16"),
    ("flat_histogram", "Boltzmann machine, N=12"),
}
"""Routes and models whose intervals are not held against exact values."""
REFUSALS = ("ArgumentError", "ImproperDistributionError")


def seed_of(*names: object) -> int:
    """A seed that depends on the name of a run alone."""
    return zlib.crc32("/".join(map(str, names)).encode())


# ---- models with exact log Z --------------------------------------------------------------------------


def panel_scores(name: str, repeats: int, draws: int) -> tuple[dict[str, list[float]], int]:
    """(log Z - exact) / error by every route that a model allows; and how many runs say they are in trouble.

    Those have no z-score: nobody is told to trust their errors.
    """
    known, found, troubled = MODELS[name], {}, 0
    exact = known.log_z()
    for k in range(repeats):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)  # they are counted
            data = sm.free_energy(
                known.build(), T=known.T, method="panel", draws=draws, tune=draws,
                seed=seed_of(name, k), **QUIET,
            )  # fmt: skip
        z = (data.log_partition - exact) / data.log_partition_error
        troubled += int((data.trouble != "").sum())
        for route, value in zip(data.method.values, z.values, strict=True):
            if not str(data.trouble.sel({"method": route}).item()):
                found.setdefault(str(route), []).append(float(value))
    return found, troubled


def against_exact(whole: bool) -> Iterator[Check]:
    """All routes on all models: z-scores below 4, and their variance."""
    names, repeats, draws = (tuple(MODELS), 4, 1000) if whole else (FEW, 1, 300)
    every: dict[str, list[float]] = {}
    troubled = 0
    for name in names:
        found, more = panel_scores(name, repeats, draws)
        troubled += more
        for route, z in found.items():
            every.setdefault(route, []).extend(z)
    for route, z in every.items():
        worst = float(np.abs(z).max())
        what = f"log Z by {route}: {len(z)} runs of {len(names)} models"
        yield Check(what, "worst z below 4", f"{worst:.2f}", worst < 4)
    if whole:
        z = np.concatenate(list(every.values()))
        v = float((z**2).mean())
        yield Check(f"all {len(z)} z-scores: variance", "0.8 to 1.25", f"{v:.2f}", 0.8 <= v <= 1.25)
        what = "other runs, which say that they are in trouble"
        runs = len(z) + troubled
        yield Check(what, "at most 5 %", f"{troubled} of {runs}", troubled <= 0.05 * runs)


# ---- coverage -----------------------------------------------------------------------------------------


def intervals(whole: bool) -> Iterator[Check]:
    """How often intervals of each route hold the exact value, over many seeds."""
    if not whole:
        # Against the field a magnet is in a well of its own, which a lone chain hardly ever leaves or finds.
        for route, name in (
            ("tempering", "+-J glass, L=4"),
            ("integration", "Ising in a field, L=4"),
        ):
            z = COVERED[route](name, 40, draws=400)
            yield from coverage(f"log Z by {route}", z, slack=3.0)
        return
    for route, measure in COVERED.items():
        names = [name for name in ORDERED if (route, name) not in LEFT_OUT]
        z = np.concatenate([measure(name, 400) for name in names])
        yield from coverage(f"log Z by {route}, {len(names)} models", z)
        mean, sd = float(z.mean()), float(z.std())
        right = abs(mean) < 0.1 and abs(sd - 1) < 0.1
        asked = "mean below 0.1, sd 0.9 to 1.1"
        yield Check(f"log Z by {route}: {len(z)} z-scores", asked, f"{mean:+.3f}, {sd:.3f}", right)


# ---- a large lattice ----------------------------------------------------------------------------------


def finite_lattice(whole: bool) -> Iterator[Check]:
    """F of the 2D Ising model at 30 temperatures across its transition."""
    L, draws, tune, thin, factor = (128, 1000, 8000, 14, 1) if whole else (16, 200, 400, 2, 40)
    T = np.linspace(1.8, 2.8, 30)
    began = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error", OverlapWarning)
        data = sm.free_energy(
            sm.models.ising(L=L), T=T, method="tempering", ground_state=(-2.0 * L**2, 2),
            draws=draws, tune=tune, thin=thin, seed=seed_of("finite lattice", L), **QUIET,
        )  # fmt: skip
    spent, passed = time.process_time() - began[0], time.perf_counter() - began[1]
    exact = kaufman(L, T)
    off = data.log_partition.values - exact
    z = np.abs(off / data.log_partition_error.values)
    rms, worst = float(np.sqrt(((off / exact) ** 2).mean())), float(np.abs(off / exact).max())
    name = f"2D Ising, {L} x {L}, F at {len(T)} temperatures"
    limits = 1e-5 * factor, 2.5e-5 * factor
    yield Check(
        f"{name}: relative error, rms and worst", f"{limits[0]:.1e}, {limits[1]:.1e}",
        f"{rms:.1e}, {worst:.1e}", rms <= limits[0] and worst <= limits[1],
    )  # fmt: skip
    yield Check(f"{name}: worst z", "below 4", f"{z.max():.2f}", bool(z.max() < 4))
    if whole:
        measured = f"{spent:.0f} s, {passed:.0f} s passed"
        yield Check(f"{name}: time of both cores", "60 s", measured, spent <= 60)


# ---- infinite temperature -----------------------------------------------------------------------------


CLAMPED = np.ma.masked_equal([1, 0, 0, 0], 0)
KINDS: dict[str, tuple[Callable[[], object], float]] = {
    "Spin": (lambda: sm.Spin("x", 3), math.log(2)),
    "Spin, a site clamped": (lambda: sm.Spin("x", 4, observed=CLAMPED), math.log(2)),
    "Occupation": (lambda: sm.Occupation("x", 3), math.log(2)),
    "Levels": (lambda: sm.Levels("x", 3, values=[-1, 0, 1]), math.log(3)),
    "Potts": (lambda: sm.Potts("x", 3, q=5), math.log(5)),
    "Clock": (lambda: sm.Clock("x", 3, q=6), math.log(6)),
    "Angle": (lambda: sm.Angle("x", 3), math.log(2 * math.pi)),
    "UnitVector, n=2": (lambda: sm.UnitVector("x", 3, n=2), math.log(2 * math.pi)),
    "UnitVector, n=3": (lambda: sm.UnitVector("x", 3, n=3), math.log(4 * math.pi)),
    "UnitVector, n=4": (lambda: sm.UnitVector("x", 3, n=4), math.log(2 * math.pi**2)),
}
"""Variables of three free sites, and log Z at beta = 0 of each site."""


def one(declare: Callable[[], object]) -> sm.Model:
    """A model of one variable."""
    with sm.Model() as model:
        sm.Energy("any", 0.1 * declare())
    return model


def at_infinite_temperature(whole: bool) -> Iterator[Check]:
    """Log Z of every kind of variable at beta = 0; an infinite one is refused by name."""
    options = {"beta": 0.0, "method": "tempering", "draws": 20, "tune": 40, "seed": 1} | QUIET
    kinds = KINDS if whole else {k: KINDS[k] for k in ("Spin", "Spin, a site clamped", "Angle")}
    off = [
        abs(float(sm.free_energy(one(declare), **options).log_partition) - 3 * each)
        for declare, each in kinds.values()
    ]
    what = f"log Z at beta = 0 of {len(kinds)} kinds of variables"
    yield Check(what, "off by less than 1e-12", f"{max(off):.0e}", max(off) < 1e-12)
    refused = {
        "a Field": lambda: sm.free_energy(one(lambda: sm.Field("x", 3)), **options),
        "a massless field": lambda: sm.exact(sm.models.gaussian_field(L=4, d=1, m2=0.0)),
    }
    for name, run in refused.items():
        try:
            run()
            said = "not refused"
        except StatmechError as error:
            said = type(error).__name__
        asked = "refused by name"
        yield Check(f"log Z of {name}, infinite", asked, said, said in REFUSALS)


# ---- poor overlap -------------------------------------------------------------------------------------


def plain(n: int, h: float) -> sm.Model:
    """Spins that do not know of each other."""
    with sm.Model() as model:
        sm.Energy("field", -h * sm.Spin("s", n))
    return model


def all_alike(n: int, J: float) -> sm.Model:
    """A magnet whose two phases are far apart where J is large."""
    return sm.models.curie_weiss(N=n, J=J)


def three_alike(n: int) -> sm.Model:
    """A magnet of three-spin terms: its transition is of first order, and replicas hardly ever cross it."""
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("three", -1.0 * n * s.mean() ** 3)
    return model


Run = Callable[[int], object]


def panel(build: Callable[[], sm.Model], T: float, draws: int) -> Run:
    """All routes, so many draws each."""
    return lambda seed: sm.free_energy(
        build(), T=T, method="panel", draws=draws, tune=80, seed=seed, **QUIET
    )


def route(name: str, build: Callable[[], sm.Model], T: float, draws: int, **more) -> Run:
    """One of them."""
    return lambda seed: sm.free_energy(
        build(), T=T, method=name, draws=draws, tune=80, seed=seed, **(QUIET | more)
    )


BAD: dict[str, Run] = {
    "tempering, 4 draws": route("tempering", lambda: plain(64, 1.0), 1.0, 4),
    "tempering, 10 draws of one chain": route(
        "tempering", lambda: all_alike(100, 2.0), 1.0, 10, chains=1
    ),
    "integration, 8 draws": route("integration", lambda: plain(64, 1.0), 1.0, 8),
    "integration across a first-order transition": route(
        "integration", lambda: three_alike(200), 1.0, 1000
    ),
    "population of 20": route("population", lambda: plain(64, 1.0), 0.5, 20),
    "population of 50, cold": route("population", lambda: all_alike(200, 4.0), 1.0, 50),
    "annealing, 8 members": route("annealing", lambda: plain(64, 1.0), 0.5, 8),
    "annealing across a first-order transition": route(
        "annealing", lambda: three_alike(200), 1.0, 1000
    ),
    "panel across a first-order transition": panel(lambda: three_alike(200), 1.0, 300),
    "panel, 10 draws": panel(lambda: plain(64, 1.0), 1.0, 10),
}
GOOD: dict[str, Run] = {
    "tempering": route("tempering", lambda: plain(64, 1.0), 1.0, 400),
    "tempering, a magnet": route("tempering", lambda: all_alike(100, 2.0), 1.0, 1000),
    "tempering, from another model": route(
        "tempering", lambda: plain(64, 0.5), 1.0, 400, reference=plain(64, 0.4)
    ),
    "integration": route("integration", lambda: plain(64, 1.0), 1.0, 400),
    "integration, a small magnet": route("integration", lambda: all_alike(50, 0.5), 1.0, 1000),
    "population": route("population", lambda: plain(64, 1.0), 1.0, 2000),
    "population, a magnet": route("population", lambda: all_alike(100, 2.0), 1.0, 4000),
    "annealing": route("annealing", lambda: plain(64, 1.0), 1.0, 400),
    "annealing, a magnet": route("annealing", lambda: all_alike(100, 2.0), 1.0, 1000),
    "panel": panel(lambda: plain(64, 1.0), 1.0, 3000),
}


def flagged(run: Run, seed: int) -> bool:
    """Whether it raises or warns by name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run(seed)
        except OverlapError:
            return True
    return any(w.category is OverlapWarning for w in caught)


def poor_overlap(whole: bool) -> Iterator[Check]:
    """Planted cases, and good ones."""
    few = None if whole else 9
    for asked, cases, expected in (("all", BAD, True), ("none", GOOD, False)):
        chosen = dict(list(cases.items())[:few])
        hits = [name for name, run in chosen.items() if flagged(run, seed_of(name))]
        quality = "poor" if expected else "good"
        what = f"{len(chosen)} runs of {quality} overlap: flagged"
        right = len(hits) == len(chosen) if expected else not hits
        yield Check(what, asked, f"{len(hits)} of {len(chosen)}", right)


FINDERS = (against_exact, intervals, finite_lattice, at_infinite_temperature, poor_overlap)


def all_checks(whole: bool, say: Callable[[Check], None] = lambda check: None) -> list[Check]:
    """Every check, one after the other."""
    checks: list[Check] = []
    for find in FINDERS:
        for check in find(whole):
            say(check)
            checks.append(check)
    return checks

"""What the samplers are held against: models, temperatures, and exact values from tests/data."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as variant
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import statmech_dsl as sm

DATA = Path(__file__).parents[1] / "data"

Row = dict[str, Any]
Exact = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Case:
    """One run of a model at several temperatures, and what is known exactly about it.

    ``exact[quantity][k]`` is the value at ``T[k]``. A quantity is one of `sm.derived`, or a variable of the
    posterior, whose mean is meant. Each has ``chains`` chains of its own at each temperature, so that all
    z-scores are independent of each other.
    """

    family: str
    name: str
    build: Callable[[], sm.Model]
    T: tuple[float, ...]
    exact: Mapping[str, tuple[float, ...]]
    chains: int = 32
    tune: int = 1000
    draws: int = 1000
    thin: int = 5
    init: str = "both"
    updates: str | Mapping[str, str] = "auto"
    backend: str = "auto"
    ci: bool = False
    """Whether it is short enough to run with the tests."""

    @property
    def seed(self) -> int:
        """A function of the name alone: no seed was ever picked."""
        return zlib.crc32(self.name.encode())

    @property
    def n_scores(self) -> int:
        """Number of z-scores that the run gives."""
        return len(self.T) * len(self.exact)


@cache
def _tables(topic: str) -> dict[str, list[Row]]:
    return json.loads((DATA / f"{topic}.json").read_text())["tables"]


def rows(topic: str, table: str, **wanted: object) -> list[Row]:
    """The rows of a table of tests/data that have the wanted entries."""
    every = _tables(topic)[table]
    return [r for r in every if all(r[key] == value for key, value in wanted.items())]


def column(table: Sequence[Row], value: str | Callable[[Row], float]) -> tuple[float, ...]:
    """One number of each row, by its key or by a function."""
    return tuple(float(value(r) if callable(value) else r[value]) for r in table)


def inverse(table: Sequence[Row], key: str) -> tuple[float, ...]:
    """Temperatures of rows that give K or beta."""
    return column(table, lambda r: 1 / r[key])


def thermal(table: Sequence[Row], n_sites: int) -> Exact:
    """Energy, in total, and heat capacity per site, from tables with both per site."""
    return {
        "energy": column(table, lambda r: n_sites * r["u"]),
        "heat_capacity_per_site": column(table, "c"),
    }


# ---- Ising --------------------------------------------------------------------------------------


def ising_torus() -> Iterator[Case]:
    """L = 8, 16, 32 at 11 temperatures; cold starts below Tc, where a hot one may freeze in stripes."""
    ranges = {"cold": (0.0, 2.1), "critical": (2.1, 2.45), "hot": (2.45, 9.0)}
    thin = {
        (8, "cold"): 5, (8, "critical"): 10, (8, "hot"): 5,
        (16, "cold"): 5, (16, "critical"): 20, (16, "hot"): 5,
        (32, "cold"): 10, (32, "critical"): 60, (32, "hot"): 5,
    }  # fmt: skip
    for (L, name), sweeps in thin.items():
        low, high = ranges[name]
        table = [r for r in rows("ising", "torus", L=L) if low < r["T"] <= high]
        yield Case(
            "Ising, torus",
            f"Ising {L}x{L}, {name}",
            partial(sm.models.ising, L=L),
            column(table, "T"),
            thermal(table, L * L),
            tune=100 * sweeps,
            thin=sweeps,
            init="both" if name == "hot" else "cold",
            ci=L == 8 or (L == 16 and name != "critical") or (L == 32 and name == "hot"),
        )


def ising_magnetization() -> Iterator[Case]:
    """Magnetizations and cumulants of small lattices, odd ones and ones with free edges too."""
    for L, periodic in ((4, False), (6, False), (5, True), (8, True)):
        table = rows("ising", "magnetization", L=L, periodic=periodic)
        case = Case(
            "Ising, magnetization",
            f"Ising {L}x{L}, {'periodic' if periodic else 'free'}",
            partial(sm.models.ising, L=L, periodic=periodic),
            column(table, "T"),
            thermal(table, L * L)
            | {
                "abs_magnetization": column(table, "abs_m"),
                "susceptibility_per_site": column(table, "chi_abs"),
                "binder_cumulant": column(table, "U4"),
            },
            ci=L == 4,
        )
        yield case
        if L == 5:
            yield variant(case, name=f"{case.name}, Metropolis", updates="metropolis", thin=10)


# ---- Potts, clock, Ashkin-Teller ----------------------------------------------------------------


def potts() -> Iterator[Case]:
    """Small tori and an open chain."""
    for q, L in ((3, 3), (3, 4), (4, 4), (10, 3)):
        table = rows("potts", "torus", q=q, L=L)
        case = Case(
            "Potts",
            f"Potts q={q}, {L}x{L}",
            partial(sm.models.potts, L=L, q=q),
            column(table, "T"),
            thermal(table, L * L),
            ci=q == 3 and L == 4,
        )
        yield case
        if q == 10:
            yield variant(case, name=f"{case.name}, Metropolis", updates="metropolis", thin=30)
    table = rows("potts", "open_chain")
    yield Case(
        "Potts",
        "Potts q=3, open chain of 10",
        partial(sm.models.potts, L=10, q=3, lattice="chain", periodic=False),
        inverse(table, "K"),
        {"energy": column(table, lambda r: 9 * r["u_bond"])},
    )


def ashkin_teller() -> Iterator[Case]:
    """At K = J it is the 4-state Potts model of exchange 4 J, and J more for each bond."""
    table = rows("potts", "torus", q=4, L=4)
    yield Case(
        "Potts",
        "Ashkin-Teller 4x4, K = J, one variable by heat bath and one by Metropolis",
        partial(sm.models.ashkin_teller, L=4, K=1.0),
        column(table, lambda r: 4 * r["T"]),
        {
            "energy": column(table, lambda r: 16 * (4 * r["u"] + 2)),
            "heat_capacity": column(table, lambda r: 16 * r["c"]),
        },
        updates={"s": "heat_bath", "t": "metropolis"},
    )


def clock() -> Iterator[Case]:
    """Small tori; that of q = 16 is the XY model to better than any error here."""
    for q, L in ((3, 3), (5, 3), (4, 4), (6, 4)):
        table = rows("clock", "torus", q=q, L=L)
        yield Case(
            "Clock",
            f"Clock q={q}, {L}x{L}",
            partial(sm.models.clock, L=L, q=q),
            inverse(table, "K"),
            thermal(table, L * L),
            ci=q == 5,
        )
    table = rows("clock", "torus", q=8, L=4)
    yield Case(
        "Clock",
        "Clock q=8, 4x4, Metropolis",
        partial(sm.models.clock, L=4, q=8),
        inverse(table, "K"),
        thermal(table, 16),
        thin=10,
        updates="metropolis",
    )


# ---- continuous spins ---------------------------------------------------------------------------


def xy() -> Iterator[Case]:
    """Torus, rings and open chains. A ring of 32 at K = 5 freezes in its winding number: left out."""
    table = rows("clock", "torus", q=16, L=3)
    torus = Case(
        "XY",
        "XY 3x3",
        partial(sm.models.xy, L=3),
        inverse(table, "K"),
        thermal(table, 9),
    )
    yield torus
    yield variant(torus, name="XY 3x3, Metropolis", updates="metropolis", thin=20)
    for N in (3, 8, 32):
        table = [r for r in rows("chains", "xy_ring", N=N) if N < 32 or r["K"] < 5]
        yield Case(
            "XY",
            f"XY ring of {N}",
            partial(sm.models.xy, L=N, lattice="chain"),
            inverse(table, "K"),
            {"energy": column(table, lambda r: r["N"] * r["u_bond"])},
            init="cold",
            ci=N == 8,
        )
    yield _open_chain("XY", 2, "XY open chain", partial(sm.models.xy, lattice="chain"))


def vectors() -> Iterator[Case]:
    """Open chains of unit vectors."""
    for n, name in ((2, "O(2)"), (3, "Heisenberg"), (4, "O(4)")):
        build = partial(sm.models.heisenberg, n=n, lattice="chain")
        case = _open_chain("Heisenberg, O(n)", n, f"{name} open chain", build)
        yield variant(case, ci=n == 3)
        if n == 3:
            yield variant(case, name=f"{case.name}, Metropolis", updates="metropolis", thin=20)


def _open_chain(family: str, n: int, name: str, build: Callable[..., sm.Model]) -> Case:
    """A chain with free ends, whose bonds are independent of each other."""
    table = rows("chains", "open", n=n)
    N = 8
    return Case(
        family,
        f"{name} of {N}",
        partial(build, L=N, periodic=False),
        inverse(table, "K"),
        {
            "energy": column(table, lambda r: (N - 1) * r["u_bond"]),
            "heat_capacity": column(table, lambda r: (N - 1) * r["c_bond"]),
        },
    )


def ising_rings() -> Iterator[Case]:
    """Rings of spins."""
    for N in (8, 32, 128):
        table = rows("chains", "ising_ring", N=N)
        yield Case(
            "Ising, rings",
            f"Ising ring of {N}",
            partial(sm.models.ising, L=N, lattice="chain"),
            inverse(table, "K"),
            {
                "energy": column(table, lambda r: r["N"] * r["u"]),
                "susceptibility_per_site_disordered": column(
                    table, lambda r: r["K"] * r["chi_over_beta"]
                ),
            },
            ci=N == 8,
        )


# ---- fields -------------------------------------------------------------------------------------


def gaussian_field() -> Iterator[Case]:
    """The Gaussian free field in 1 to 4 dimensions."""
    for r in rows("gaussian_field", "torus"):
        L, d, m2 = r["L"], r["d"], r["m2"]
        case = Case(
            "Gaussian field",
            f"Gaussian field L={L}, d={d}, m2={m2}",
            partial(sm.models.gaussian_field, L=L, d=d, m2=m2),
            (1.0,),
            {
                "energy": (r["action"],),
                "heat_capacity_per_site": (0.5,),
                "phi2": (r["phi2"],),
                "susceptibility_per_site_disordered": (r["susc"],),
                "binder_cumulant": (0.0,),
            },
            ci=(L, d) in ((8, 2), (4, 3)),
        )
        yield case
        if (L, d) == (4, 2):
            yield variant(case, name=f"{case.name}, Metropolis", updates="metropolis", thin=20)


def phi4_model(L: int, mu2: float, lam: float, d: int) -> sm.Model:
    """The model of the zoo, with the mean of phi^4."""
    model = sm.models.phi4(L=L, mu2=mu2, lam=lam, d=d)
    with model:
        sm.Observable("phi4", (model["phi"] ** 4).mean())
    return model


def one_site(mu2: float, lam: float) -> sm.Model:
    """An anharmonic oscillator at rest: phi^4 theory without a neighbor."""
    with sm.Model() as model:
        x = sm.Field("x", 1)
        sm.Energy("well", 0.5 * mu2 * x**2 + 0.25 * lam * x**4)
        sm.Observable("x2", (x**2).mean())
        sm.Observable("x4", (x**4).mean())
    return model


def phi4_energy(r: Row, d: int) -> float:
    """<E> / N out of <phi^2>, <phi^4> and <phi_x phi_y> of neighbors."""
    gradient = d * (r["phi2"] - r["phiphi_nn"])
    return gradient + r["mu2"] / 2 * r["phi2"] + r["lam"] / 4 * r["phi4"]


def phi4() -> Iterator[Case]:
    """The 3x3 torus, rings and a single site, by Metropolis with tuned widths."""
    for r in rows("phi4", "torus_3x3"):
        yield Case(
            "phi^4",
            f"phi^4 3x3, mu2={r['mu2']}, lam={r['lam']}",
            partial(phi4_model, L=3, mu2=r["mu2"], lam=r["lam"], d=2),
            (1.0,),
            {
                "energy": (9 * phi4_energy(r, 2),),
                "phi2": (r["phi2"],),
                "phi4": (r["phi4"],),
                "susceptibility_per_site_disordered": (r["chi"],),
                "binder_cumulant": (r["U4"],),
            },
            thin=20,
            ci=r["mu2"] == -1.0,
        )
    for r in rows("phi4", "ring"):
        yield Case(
            "phi^4",
            f"phi^4 ring of {r['N']}, mu2={r['mu2']}, lam={r['lam']}",
            partial(phi4_model, L=r["N"], mu2=r["mu2"], lam=r["lam"], d=1),
            (1.0,),
            {
                "energy": (r["N"] * phi4_energy(r, 1),),
                "phi2": (r["phi2"],),
                "phi4": (r["phi4"],),
            },
            thin=20,
        )
    for r in rows("phi4", "site"):
        yield Case(
            "phi^4",
            f"phi^4 on one site, mu2={r['mu2']}, lam={r['lam']}",
            partial(one_site, mu2=r["mu2"], lam=r["lam"]),
            (1.0,),
            {"x2": (r["x2"],), "x4": (r["x4"],)},
            thin=20,
        )


# ---- gauge theories -----------------------------------------------------------------------------


def gauge() -> Iterator[Case]:
    """Mean plaquettes in two dimensions, and of Z2 on the cube."""
    for L in (2, 4, 8, 16):
        table = rows("gauge", "u1_torus", V=L * L)
        yield Case(
            "U(1) gauge",
            f"U(1) gauge {L}x{L}",
            partial(sm.models.u1_gauge, L=L, d=2),
            inverse(table, "beta"),
            {"plaquette": column(table, "P")},
            ci=L in (2, 4),
        )
    for L in (2, 4, 8):
        table = rows("gauge", "z2_torus", V=L * L)
        yield Case(
            "Z2 gauge",
            f"Z2 gauge {L}x{L}",
            partial(sm.models.z2_gauge, L=L, d=2),
            inverse(table, "beta"),
            {"plaquette": column(table, "P")},
            ci=L < 8,
        )
    table = rows("gauge", "z2_cube")
    yield Case(
        "Z2 gauge",
        "Z2 gauge 2x2x2",
        partial(sm.models.z2_gauge, L=2, d=3),
        inverse(table, "beta"),
        {"plaquette": column(table, "P")},
        ci=True,
    )


# ---- all with all, and graphs -------------------------------------------------------------------


def curie_weiss() -> Iterator[Case]:
    """The tables leave out i = j, so that the energy here is lower by 1/2."""
    for N, h in ((10, 0.0), (10, 0.1), (100, 0.0), (100, 0.1), (1000, 0.0)):
        table = rows("curie_weiss", "magnet", N=N, h=h)
        moments = {"binder_cumulant": column(table, "U4")}
        if h:
            moments["magnetization"] = column(table, "m")
        else:
            moments["abs_magnetization"] = column(table, "abs_m")
        yield Case(
            "Curie-Weiss",
            f"Curie-Weiss N={N}, h={h}",
            partial(sm.models.curie_weiss, N=N, h=h),
            column(table, "T"),
            {
                "energy": column(table, lambda r: r["N"] * r["u"] - 0.5),
                "susceptibility_per_site_disordered": column(
                    table, lambda r: r["N"] * r["m2"] / r["T"]
                ),
            }
            | moments,
            init="cold",
            ci=N == 10,
        )


def graph_model(row: Row) -> sm.Model:
    """Spins with given couplings and fields; one spin and one pair are watched."""
    i, j = np.array(row["edges"]).T
    with sm.Model() as model:
        s = sm.Spin("s", row["N"])
        sm.Energy("exchange", -np.array(row["J"]) * s[i] * s[j])
        if any(row["h"]):
            sm.Energy("zeeman", -np.array(row["h"]) * s)
        sm.Observable("spin", s[row["spin"]])
        sm.Observable("pair", s[i[row["bond"]]] * s[j[row["bond"]]])
    return model


def small_graphs() -> Iterator[Case]:
    """Random couplings and fields on graphs; without fields <s_i> = 0 says little and is left out."""
    for row in rows("small_graphs", "instances"):
        # At beta = 2 the triangles of AF_K5 leave their ground states once in 6000 draws, and the glass
        # with Gaussian couplings leaves its valleys once in 10^4 sweeps.
        short = row["name"] in ("AF_K5", "EA2D_4x4_gauss_torus_field")
        obs = [o for o in row["obs"] if o["beta"] < 2 or not short]
        exact = {
            "energy": column(obs, "E"),
            "heat_capacity": column(obs, "C"),
            "pair": column(obs, "corr"),
        }
        if any(row["h"]):
            exact["spin"] = column(obs, "m")
        thin = {"AF_K5": 5, "SK10": 20}.get(row["name"], 200)
        case = Case(
            "Small graphs",
            row["name"],
            partial(graph_model, row),
            inverse(obs, "beta"),
            exact,
            tune=thin * 100,
            thin=thin,
            ci=row["name"] in ("SK10", "AF_K5"),
        )
        yield case
        if case.ci:
            yield variant(case, name=f"{case.name}, Metropolis", updates="metropolis", ci=False)


def reference_backend() -> Iterator[Case]:
    """The slow backend, which is the living definition of all others, on tiny systems."""
    tiny = {"chains": 4, "tune": 50, "draws": 300, "thin": 1, "backend": "reference"}
    row = rows("small_graphs", "instances", name="AF_K5")[0]
    obs = [o for o in row["obs"] if o["beta"] < 1]
    exact = {"energy": column(obs, "E"), "pair": column(obs, "corr")}
    T = inverse(obs, "beta")
    yield Case("Reference backend", "AF_K5, reference", partial(graph_model, row), T, exact, **tiny)
    table = [r for r in rows("chains", "xy_ring", N=3) if r["K"] < 5]
    yield Case(
        "Reference backend",
        "XY ring of 3, reference",
        partial(sm.models.xy, L=3, lattice="chain"),
        inverse(table, "K"),
        {"energy": column(table, lambda r: 3 * r["u_bond"])},
        **tiny,
    )


CASES: tuple[Case, ...] = tuple(
    case
    for family in (
        ising_torus,
        ising_magnetization,
        ising_rings,
        potts,
        ashkin_teller,
        clock,
        xy,
        vectors,
        gaussian_field,
        phi4,
        gauge,
        curie_weiss,
        small_graphs,
        reference_backend,
    )
    for case in family()
)

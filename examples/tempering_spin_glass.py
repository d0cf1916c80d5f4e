"""A spin glass by parallel tempering: the ladder tunes itself, and two copies show how frozen it is.

    python examples/tempering_spin_glass.py [picture.png]

In a spin glass every bond wants something else, and no state pleases all of them. Cold chains fall
into one of many valleys and stay there: what they say about the others is nothing, and their error bars do
not know it. In parallel tempering replicas at many temperatures swap their temperatures: one that is
stuck warms up, forgets its valley, and cools into another.

How many temperatures that takes, and where, is found before the run: swaps of all neighbors are to be
rejected equally often. The result holds the free energy as well, and the overlap of two independent
copies. Its distribution P(q) is one peak around 0 while the system is a paramagnet, and spreads out to
+-1 as it freezes.

For Gaussian couplings there is a check that a run has reached equilibrium (Katzgraber, Palassini and Young,
Phys. Rev. B 63, 184422, 2001): averaged over couplings, the energy per site is
-(beta z / 2) (1 - q_link), with the link overlap of the copies. Chains that started at random come from
above with the left side and from below with the right one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import statmech_dsl as sm

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
L, SITES, NEIGHBORS = 6, 6**3, 6


def glass(seed: int) -> sm.Model:
    """Declare the glass: Gaussian couplings between neighbors of a cubic lattice."""
    lattice = sm.lattices.cubic(L)
    i, j = lattice.bonds
    J = np.random.default_rng(seed).standard_normal(lattice.n_links)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    return model


def run(small: bool) -> xr.DataTree:
    """Temper one glass between T = 0.5 and 2.5, where T_c = 0.95; two replicas at each temperature."""
    return sm.temper(
        glass(seed=1),
        T=(0.5, 2.5),
        replicas_per_T=2,
        tune=2000 if small else 8000,
        draws=500 if small else 4000,
        thin=5,
        seed=1,
        progressbar=False,
    )


def equilibrium(samples: int, small: bool) -> xr.Dataset:
    """Both sides of the identity, averaged over glasses, with errors by their scatter."""
    T = [0.8, 1.0, 1.3, 1.7, 2.2, 3.0]
    sides = []
    for seed in range(samples):
        data = sm.temper(
            glass(100 + seed),
            T=T,
            replicas_per_T=2,
            tune=500 if small else 4000,
            draws=100 if small else 400,
            thin=5,
            seed=seed,
            progressbar=False,
        )
        mean = data.posterior.mean(("chain", "draw"))
        energy = mean.energy.mean("copy") / SITES
        links = -NEIGHBORS / (2 * mean["T"]) * (1 - mean.link_overlap)
        sides.append(xr.Dataset({"energy": energy, "links": links}))
    joined = xr.concat(sides, "sample")
    joined["difference"] = joined.energy - joined.links
    errors = joined.std("sample", ddof=1) / samples**0.5
    return joined.mean("sample").assign({f"{name}_error": x for name, x in errors.items()})


def draw(data: xr.DataTree, sides: xr.Dataset) -> plt.Figure:
    """Draw the path of a replica, P(q) at three temperatures, and the check of equilibrium."""
    mpl.rcParams |= {"font.size": 9}
    figure, (path, overlap, check) = plt.subplots(1, 3, figsize=(9.6, 3.1), layout="constrained")
    T = data.posterior["T"].values
    index = data.sample_stats.temperature_index.sel(chain=0)
    for replica, color in ((0, BLUE), (len(T) // 2, ORANGE)):
        path.plot(T[index.sel(replica=replica).values], lw=0.7, color=color)
    path.set(xlabel="draw", ylabel="T", title="temperatures of two replicas")
    for k, color in ((0, BLUE), (len(T) // 2, GREEN), (len(T) - 1, ORANGE)):
        q = data.posterior.overlap.isel(T=k).values.ravel()
        style = {"bins": 41, "range": (-1, 1), "density": True, "histtype": "step"}
        overlap.hist(q, color=color, label=f"T = {T[k]:.2f}", **style)
    overlap.set(xlabel="overlap q", ylabel="P(q)", title="two copies of one glass")
    overlap.legend(frameon=False)
    for name, label, color in (("energy", "energy per site", BLUE), ("links", "by links", ORANGE)):
        check.errorbar(
            sides["T"],
            sides[name],
            sides[f"{name}_error"],
            fmt="o-",
            ms=3,
            color=color,
            label=label,
        )
    check.set(xlabel="T", title="equilibrium, averaged over glasses")
    check.legend(frameon=False)
    return figure


def main(
    picture: Path = Path("tempering_spin_glass.png"), small: bool = False
) -> tuple[xr.DataTree, xr.Dataset]:
    """Temper, print, check, draw."""
    data = run(small)
    stats, T = data.sample_stats, data.posterior["T"].values
    swaps = stats.swap_acceptance.mean("chain").values
    print(f"{len(T)} temperatures, barrier {float(stats.barrier[0]):.2f}")
    print(f"swaps accepted: {swaps.min():.2f} to {swaps.max():.2f}")
    print(f"round trips: {stats.round_trips.values}")
    lowest = float(data.posterior.energy.min()) / SITES
    print(f"lowest energy: {lowest:.4f} a site")
    binder = sm.derived(data, ["binder_cumulant"], magnetization="overlap")
    for k in range(0, len(T), max(1, len(T) // 6)):
        row = binder.isel(T=k)
        print(
            f"T = {T[k]:.3f}  log Z = {float(stats.log_partition[k]):8.3f} +- "
            f"{float(stats.log_partition_error[k]):.3f}  Binder cumulant of q = "
            f"{float(row.binder_cumulant):.3f} +- {float(row.binder_cumulant_error):.3f}"
        )
    sides = equilibrium(4 if small else 24, small)
    print("energy minus its form by links, in standard errors:")
    print((sides.difference / sides.difference_error).values.round(1))
    figure = draw(data, sides)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    return data, sides


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

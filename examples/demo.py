"""A tour in under a minute: the 2D Ising model through its transition, held against the exact solution.

    make demo

Prints a table and leaves two files in demo_output/: ising.nc, the draws as an ArviZ-ready DataTree, and
ising.png, a picture of the table.
"""

from __future__ import annotations

import time
from pathlib import Path

import arviz as az
import matplotlib as mpl

mpl.use("Agg")  # a picture in a file, no window

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from kaufman import T_C, kaufman
from rich.console import Console
from rich.table import Table

import statmech_dsl as sm

TEMPERATURES = [1.8, 1.9, 2.0, 2.1, 2.2, 2.25, 2.3, 2.35, 2.4, 2.5, 2.6, 2.8, 3.0]
SAMPLED, EXACT = "#D55E00", "#0072B2"

DECLARATION = """
    lattice = sm.lattices.square({L})
    with sm.Model() as model:
        s = sm.Spin("s", lattice)                   # s_i = -1 or +1
        i, j = lattice.bonds                        # each bond once
        sm.Energy("exchange", -1.0 * s[i] * s[j])   # summed over the bonds
        sm.Observable("m", s.mean())
"""


def declare(L: int) -> sm.Model:
    """Declare the Ising model: this and one call of `sm.sample` are all the user writes."""
    lattice = sm.lattices.square(L)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Observable("m", s.mean())
    return model


def compare(data: xr.DataTree, L: int) -> xr.Dataset:
    """Energies with error bars, their exact values, and the diagnostics of the chains."""
    table = sm.derived(data, ["energy_per_site", "heat_capacity_per_site"])
    _, energy, heat_capacity = kaufman(L, table.T)
    table = table.assign(energy_exact=("T", energy), heat_capacity_exact=("T", heat_capacity))
    table["z"] = (table.energy_per_site - table.energy_exact) / table.energy_per_site_error
    table["r_hat"] = az.rhat(data, var_names=["energy"])["energy"]
    table["ess"] = az.ess(data, var_names=["energy"])["energy"]
    return table


def show(table: xr.Dataset, L: int) -> Table:
    """Lay the numbers out for the terminal."""
    out = Table(title=f"Ising model on a {L} x {L} torus: energy per site")
    for name in ("T / J", "sampled", "exact", "z", "R-hat", "ESS"):
        out.add_column(name, justify="right")
    for T in table.T.values:
        row = table.sel(T=T)
        out.add_row(
            f"{T:.2f}",
            f"{row.energy_per_site:.5f} +- {row.energy_per_site_error:.5f}",
            f"{row.energy_exact:.5f}",
            f"{row.z:+.1f}",
            f"{row.r_hat:.3f}",
            f"{row.ess:.0f}",
        )
    return out


def draw(table: xr.Dataset, L: int) -> plt.Figure:
    """Draw exact lines, sampled points, and by how many error bars the points are off."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(
        2, 2, figsize=(8, 4.6), sharex=True, height_ratios=[3, 1], layout="constrained"
    )
    T = np.linspace(TEMPERATURES[0], TEMPERATURES[-1], 200)
    _, energy, heat_capacity = kaufman(L, T)
    for (top, bottom), name, exact, label in zip(
        panels.T,
        ("energy", "heat_capacity"),
        (energy, heat_capacity),
        ("energy per site, $u$ / $J$", "heat capacity per site, $c$ / $k_B$"),
        strict=True,
    ):
        value, error = table[f"{name}_per_site"], table[f"{name}_per_site_error"]
        top.plot(T, exact, color=EXACT, lw=1.2, label="exact (Kaufman)")
        style = {"fmt": "o", "color": SAMPLED, "ms": 4, "capsize": 2, "lw": 1}
        top.errorbar(table.T, value, error, **style, label="sampled")
        bottom.axhspan(-2, 2, color="0.93")
        bottom.axhline(0, color=EXACT, lw=1.2)
        bottom.errorbar(table.T, (value - table[f"{name}_exact"]) / error, 1, **style)
        bottom.set(
            ylim=(-4.5, 4.5), xlabel="temperature, $k_B T$ / $J$", ylabel="deviation / error"
        )
        top.set(ylabel=label)
        top.axvline(T_C, color="0.6", lw=0.8, ls=":")
    panels[0, 0].legend(frameon=False)
    figure.suptitle(f"2D Ising model, {L} x {L}, dotted: $T_c$ of the infinite lattice", fontsize=9)
    return figure


def main(folder: Path = Path("demo_output"), small: bool = False) -> xr.Dataset:
    """Sample, compare, and write what was found."""
    console, began = Console(), time.perf_counter()
    L = 16 if small else 32
    console.print(DECLARATION.format(L=L), highlight=False, markup=False)
    data = sm.sample(
        declare(L),
        T=TEMPERATURES,
        chains=16,
        tune=500 if small else 2000,
        draws=500 if small else 1000,
        thin=3 if small else 6,
        init="both",  # half of the chains start ordered, half disordered
        seed=2,
        progressbar=console.is_terminal,
    )
    table = compare(data, L)
    console.print(show(table, L))
    console.print(
        "z: distance from the exact value in error bars; R-hat: 1 if chains that start ordered and "
        "disordered agree; ESS: independent draws that the chains are worth."
    )
    folder.mkdir(exist_ok=True)
    data.to_netcdf(folder / "ising.nc")
    figure = draw(table, L)
    figure.savefig(folder / "ising.png", dpi=130)
    plt.close(figure)
    console.print(f"{folder / 'ising.nc'}: the draws (xarray.open_datatree)", highlight=False)
    console.print(f"{folder / 'ising.png'}: the picture", highlight=False)
    console.print(
        f"{time.perf_counter() - began:.0f} seconds, compilation included", highlight=False
    )
    return table


if __name__ == "__main__":
    main()

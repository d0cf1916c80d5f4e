"""The transition of the two-dimensional Ising model, sampled and exact.

    python examples/ising_transition.py [picture.png]

Spins on a square lattice line up below T_c = 2 / ln(1 + sqrt 2) = 2.269. On a finite lattice nothing is
singular: the heat capacity has a peak that grows with the logarithm of the size, and |m| has a tail
above T_c. All of this is known exactly, so it is a good test of a sampler: every point must lie on its
curve within its error bar.
"""

from __future__ import annotations

import sys
from pathlib import Path

import arviz as az
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from kaufman import T_C, kaufman, spontaneous_magnetization

import statmech_dsl as sm

TEMPERATURES = [1.6, 1.8, 1.95, 2.05, 2.15, 2.2, 2.25, 2.3, 2.35, 2.45, 2.6, 2.8, 3.1]
COLORS = {4: "#E69F00", 16: "#009E73", 32: "#0072B2"}
"""Lattice sizes and their colors (Okabe and Ito: they differ for every eye)."""


def ising(L: int) -> sm.Model:
    """Declare the model: the variables, the energy, and what to record."""
    lattice = sm.lattices.square(L)
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds  # each bond once
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        # Below T_c the sign of m is an accident of each chain, and <m> means little; |m| is the
        # order parameter.
        sm.Observable("m", s.mean())
        sm.Observable("abs_m", abs(s.mean()))
    return model


def sample(L: int, small: bool) -> xr.DataTree:
    """Sample all temperatures at once: they are replicas of one run, and share its vectors."""
    # Single spins need about L^2.17 sweeps to forget m near T_c; an error bar that can be trusted
    # takes 50 of these times. Half of the chains start from random spins and half from aligned
    # ones: if both ends agree (R-hat near 1), nothing was stuck.
    thin = 1 if L < 10 else 4 if small else 20
    draws = 1000 if small else 2000
    return sm.sample(
        ising(L),
        T=TEMPERATURES,
        chains=8,
        tune=1000 if small else 4000,
        draws=draws,
        thin=thin,
        init="both",
        seed=7,
        progressbar=sys.stdout.isatty(),
    )


def compare(L: int, data: xr.DataTree) -> xr.Dataset:
    """Put estimates with errors beside the exact values."""
    quantities = ["energy_per_site", "heat_capacity_per_site", "abs_magnetization"]
    table = sm.derived(data, quantities)
    _, energy, heat_capacity = kaufman(L, table.T)
    table["energy_exact"] = "T", energy
    table["heat_capacity_exact"] = "T", heat_capacity
    table["z_energy"] = (table.energy_per_site - energy) / table.energy_per_site_error
    error = table.heat_capacity_per_site_error
    table["z_heat_capacity"] = (table.heat_capacity_per_site - heat_capacity) / error
    if L == 4:  # 2^16 states: sm.exact adds them all up, |m| included
        exact = sm.exact(ising(L), T=TEMPERATURES).abs_m
        table["z_abs_m"] = (table.abs_magnetization - exact) / table.abs_magnetization_error
    table["r_hat"] = az.rhat(data, var_names=["energy"])["energy"]
    return table


def draw(tables: dict[int, xr.Dataset], runs: dict[int, xr.DataTree]) -> plt.Figure:
    """Draw states of three temperatures, and the three curves with the samples on them."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure = plt.figure(figsize=(9.6, 5.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2, 3])
    largest = max(tables)
    states = runs[largest].final_state.s.isel(chain=0)
    for panel, T in zip(top.subplots(1, 3), (1.8, 2.25, 3.1), strict=True):
        spins = states.sel(T=T).values.reshape(largest, largest)
        panel.imshow(spins, cmap="Greys", vmin=-1.2, vmax=1.6)
        panel.set_title(f"a state at $k_BT$ = {T:g} $J$", fontsize=9)
        panel.set_axis_off()
    # Exact lines: energy and heat capacity for every size, |m| by enumeration for L = 4 and by Yang's
    # formula for the infinite lattice.
    T = np.linspace(1.5, 3.2, 171)
    energy, capacity, order = bottom.subplots(1, 3)
    for L, table in tables.items():
        _, u, c = kaufman(L, T)
        energy.plot(T, u, color=COLORS[L], lw=1)
        capacity.plot(T, c, color=COLORS[L], lw=1)
        style = {
            "color": COLORS[L],
            "fmt": "o",
            "ms": 3.5,
            "capsize": 2,
            "lw": 1,
            "label": f"L = {L}",
        }
        for panel, name in (
            (energy, "energy_per_site"),
            (capacity, "heat_capacity_per_site"),
            (order, "abs_magnetization"),
        ):
            panel.errorbar(table.T, table[name], table[f"{name}_error"], **style)
    order.plot(T, sm.exact(ising(4), T=T, observables=["abs_m"]).abs_m, color=COLORS[4], lw=1)
    fine = np.linspace(1.5, T_C, 400)
    order.plot(fine, spontaneous_magnetization(fine), "k--", lw=1, label=r"$L$ = $\infty$")
    energy.set(ylabel="energy per site, $u$ / $J$")
    capacity.set(ylabel="heat capacity per site, $c$ / $k_B$")
    order.set(ylabel="order parameter, $\\langle|m|\\rangle$", ylim=(0, 1.05))
    for panel in (energy, capacity, order):
        panel.axvline(T_C, color="0.6", lw=0.8, ls=":")
        panel.set(xlabel="temperature, $k_B T$ / $J$", xlim=(1.5, 3.2))
    order.legend(frameon=False)
    energy.text(0.03, 0.97, "points: sampled\nlines: exact", va="top", transform=energy.transAxes)
    return figure


def main(
    picture: Path = Path("ising_transition.png"), small: bool = False
) -> dict[int, xr.Dataset]:
    """Sample three sizes, compare each with its exact solution, draw a picture."""
    sizes = (4, 16) if small else (4, 16, 32)
    runs = {L: sample(L, small) for L in sizes}
    tables = {L: compare(L, data) for L, data in runs.items()}
    for L, table in tables.items():
        print(f"\nL = {L}")
        columns = ["energy_per_site", "energy_per_site_error", "energy_exact", "z_energy"]
        columns += ["heat_capacity_per_site", "heat_capacity_exact", "z_heat_capacity"]
        columns += ["abs_magnetization", "r_hat"]
        print(table[columns].to_dataframe().round(4).to_string())
    draw(tables, runs).savefig(picture, dpi=130)
    print(f"\npicture: {picture}")
    return tables


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

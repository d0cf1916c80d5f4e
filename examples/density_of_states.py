"""The density of states by a flat histogram: all temperatures from one run, and a first-order transition.

    python examples/density_of_states.py [picture.png]

How many states have the energy E? Once ln g(E) is known, so are free energy, entropy, energy and heat
capacity at every temperature. Walkers to which all energies are equally likely find it (Wang and Landau, Phys.
Rev. Lett. 86, 2050, 2001): they learn the weights 1/g(E) first, then the weights are frozen, and what is
drawn has honest error bars.

On the left is the two-dimensional Ising model, its 2^256 states in 255 levels. In the middle its heat
capacity, all from that one run, on top of Kaufman's exact solution. On the right is the Potts model of
ten colors, whose transition is of first order: at the transition a canonical chain must climb from one peak
to the other through states that it hardly ever visits, and the larger the system the longer it waits. For
the walkers of a flat histogram there is no valley between the peaks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from kaufman import T_C, kaufman
from scipy.optimize import brentq

import statmech_dsl as sm

BLUE, ORANGE = "#0072B2", "#E69F00"
QUANTITIES = ("log_partition", "energy_per_site", "heat_capacity_per_site")
VALLEY = 1 + 10**-0.5
"""Energy between the phases of the Potts model, exactly -(1 + 1/sqrt q) for each site at T_c."""


def ising(L: int, sweeps: int) -> tuple[xr.DataTree, xr.Dataset]:
    """Walk over all levels of the Ising model; hold reweighted quantities against exact ones."""
    data = sm.flat_histogram(
        sm.models.ising(L=L), tune=sweeps, draws=sweeps, seed=1, progressbar=False
    )
    T = np.linspace(1.2, 4.0, 15)
    table = sm.reweight(data, T=T, quantities=QUANTITIES[1:])
    for name, exact in zip(QUANTITIES, kaufman(L, T), strict=True):
        table[f"{name}_z"] = (table[name] - exact) / table[f"{name}_error"]
    return data, table


def potts(L: int, sweeps: int) -> xr.DataTree:
    """Walk over all levels of the Potts model of ten colors."""
    model = sm.models.potts(q=10, L=L)
    return sm.flat_histogram(model, tune=sweeps, draws=sweeps, seed=1, progressbar=False)


def equal_peaks(states: xr.Dataset, sites: int) -> tuple[float, np.ndarray, np.ndarray]:
    """The temperature at which both peaks of the energy are equally high; the distribution there."""
    level, log_g = states["level"].values, states["log_density_of_states"].values
    ordered = level < -VALLEY * sites

    def difference(T: float) -> float:
        x = log_g - level / T
        return x[ordered].max() - x[~ordered].max()

    T = float(brentq(difference, 0.6, 0.9))
    x = log_g - level / T
    return T, level / sites, np.exp(x - x.max())


def draw(states: xr.Dataset, table: xr.Dataset, L: int, potts_L: int, peaks: tuple) -> plt.Figure:
    """Draw ln g, the heat capacity, and the two peaks."""
    mpl.rcParams |= {"font.size": 9}
    figure, (entropy, heat, phases) = plt.subplots(1, 3, figsize=(9.6, 3.1), layout="constrained")
    entropy.plot(states["level"] / L**2, states["log_density_of_states"], ".", ms=2, color=BLUE)
    entropy.set(xlabel="energy per site", title=f"ln g(E), Ising, L = {L}")
    T = np.linspace(1.2, 4.0, 200)
    exact = kaufman(L, T)[2]
    heat.plot(T, exact, color=ORANGE, label="exact")
    heat.errorbar(
        table["T"],
        table["heat_capacity_per_site"],
        table["heat_capacity_per_site_error"],
        fmt="o",
        ms=3,
        color=BLUE,
        label="one run",
    )
    heat.axvline(T_C, color="0.7", lw=0.7)
    heat.set(xlabel="T", title="heat capacity per site")
    heat.legend(frameon=False)
    T_equal, energy, p = peaks
    phases.plot(energy, p, color=BLUE)
    phases.set(
        xlabel="energy per site",
        ylim=(0, None),
        title=f"Potts, q = 10, L = {potts_L}, T = {T_equal:.4f}",
    )
    return figure


def main(
    picture: Path = Path("density_of_states.png"), small: bool = False
) -> tuple[xr.Dataset, tuple[float, np.ndarray, np.ndarray]]:
    """Walk, print, draw."""
    L, potts_L = (8, 6) if small else (16, 12)
    data, table = ising(L, 4000 if small else 20_000)
    states = data["density_of_states"].to_dataset()
    lowest = states.isel(level=0)
    print(f"Ising, L = {L}: {states.sizes['level']} levels, flatness {states.flatness:.2f}")
    print(
        f"ground states: {np.exp(float(lowest.log_density_of_states)):.2f} "
        f"+- {100 * float(lowest.log_density_of_states_error):.0f} %"
    )
    for name in QUANTITIES:
        print(f"{name}: worst z {float(abs(table[f'{name}_z']).max()):.1f}")
    found = potts(potts_L, 3000 if small else 20_000)
    peaks = equal_peaks(found["density_of_states"].to_dataset(), potts_L**2)
    print(f"Potts, q = 10, L = {potts_L}: equal peaks at T = {peaks[0]:.4f}")
    figure = draw(states, table, L, potts_L, peaks)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    print(f"picture: {picture}")
    return table, peaks


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

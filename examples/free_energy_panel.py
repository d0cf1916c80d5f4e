"""The free energy of a spin glass by five routes that have little in common, and whether they agree.

    python examples/free_energy_panel.py [picture.png]

log Z is no average: it is followed from infinite temperature, where it is N log 2. Each route goes another way:
by replicas that swap temperatures, by the integral of the energy, by populations that are resampled or weighed
while they cool, by a density of states. Where all of them agree, an error would have to be in all of them.

The glass is planar, so that log Z is known exactly (by free fermions) and can be drawn beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import statmech_dsl as sm

L = 8
T = np.linspace(0.6, 3.0, 7)


def draw(panel: xr.Dataset, exact: xr.Dataset) -> plt.Figure:
    """Draw the panel, with exact lines."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure = sm.plots.free_energies(panel)
    curve, off = figure.axes
    curve.plot(T, exact.free_energy, color="black", lw=0.8, zorder=0)
    weight = 1 / panel.log_partition_error**2
    mean = (weight * panel.log_partition).sum("method") / weight.sum("method")
    off.plot(T, exact.log_partition - mean, color="black", lw=0.8, zorder=0)
    return figure


def main(
    picture: Path = Path("free_energy_panel.png"), small: bool = False
) -> tuple[xr.Dataset, xr.Dataset]:
    """Run all routes, compare; print and draw."""
    model = sm.models.edwards_anderson(L=L, d=2, seed=1, periodic=False)
    draws = 1000 if small else 4000
    panel = sm.free_energy(model, T=T, method="panel", draws=draws, tune=1000, seed=1)
    exact = sm.exact(model, T=T)
    print(f"log Z at T = {T[0]:g}: exactly {float(exact.log_partition[0]):.3f}")
    for name in panel.method.values:
        row = panel.sel({"method": name}).isel(T=0)
        value, error = float(row.log_partition), float(row.log_partition_error)
        print(f"{name:15} {value:8.3f} +- {error:.3f}")
    verdict = "agree" if panel.agreed else "do not agree"
    print(f"the routes {verdict}: {float(panel.worst_sigma):.1f} standard errors at most")
    figure = draw(panel, exact)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
    print(f"picture: {picture}")
    return panel, exact


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

"""A spin glass by population annealing: energies and the free energy at all temperatures, in one run.

    python examples/population_annealing.py [picture.png]

A population of copies begins at infinite temperature, where log Z = N log 2 is known. It is cooled in steps;
at each, copies are removed or doubled in proportion to exp(-(change of beta) E), and swept. The mean weights
multiply up to Z. At low temperatures most of the first copies have no descendants left: rho_t, the mean
square size of a family, says how many members carry the information of one.

The 2D +-J glass is small enough for an exact sum over states, which all of it is compared with.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import xarray as xr

import statmech_dsl as sm

L, LOWEST = 8, 0.4
TICKS = (0.4, 1, 2, 4, 8)


def draw(averages: xr.Dataset, exact: xr.Dataset, stats: xr.Dataset) -> plt.Figure:
    """Draw energy and entropy against exact lines, and families below."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(1, 3, figsize=(10.2, 3.3), layout="constrained")
    N, T = L * L, averages["T"]
    energy, entropy, families = panels
    bars = {"fmt": "o", "ms": 3, "color": "#0072B2", "zorder": 3}
    energy.errorbar(T, averages.energy / N, averages.energy_error / N, **bars)
    energy.plot(T, exact.energy / N, color="#D55E00", label="exact")
    s = averages.log_partition + averages.energy / T
    entropy.plot(T, s / N, "o", ms=3, color="#0072B2", label="population annealing")
    entropy.plot(T, exact.entropy / N, color="#D55E00", label="exact")
    families.plot(T, stats.rho_t.mean("chain"), color="#0072B2", label="mean square size")
    families.plot(T, stats.rho_s.mean("chain"), color="#56B4E9", label="entropic size")
    energy.set(ylabel="energy per site")
    entropy.set(ylabel="entropy per site")
    families.set(ylabel="size of a family", ylim=(0, None))
    for panel in panels:
        panel.set(xscale="log", xlabel="temperature")
        panel.set_xticks(TICKS, map(str, TICKS))
        panel.minorticks_off()
        panel.legend(frameon=False)
    return figure


def main(
    picture: Path = Path("population_annealing.png"), small: bool = False
) -> tuple[xr.Dataset, xr.Dataset]:
    """Cool the population, compare with the exact sum; print and draw."""
    model = sm.models.edwards_anderson(L=L, d=2, seed=3)
    data = sm.population_anneal(
        model, T=(8.0, LOWEST), population=5000 if small else 20_000, runs=4, seed=1
    )
    averages, stats = data.averages.to_dataset(), data.sample_stats.to_dataset()
    exact = sm.exact(model, T=averages["T"].values)
    print("     T   energy                 exact     log Z                 exact   rho_t")
    for k in range(0, averages.sizes["T"], 4):
        row, true = averages.isel(T=k), exact.isel(T=k)
        print(
            f"{float(row['T']):6.3f}  {float(row.energy):8.3f} +- {float(row.energy_error):5.3f} "
            f"{float(true.energy):10.3f}  {float(row.log_partition):8.4f} +- "
            f"{float(row.log_partition_error):.4f}  {float(true.log_partition):9.4f}  "
            f"{float(stats.rho_t[:, k].max()):6.1f}"
        )
    figure = draw(averages, exact, stats)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
    print(f"picture: {picture}")
    return averages, exact


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

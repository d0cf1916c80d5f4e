"""The maximum cut of a graph with 800 sites, by simulated annealing.

    python examples/maxcut_gset.py [GRAPH] [picture.png]

G11 of the G-set (Y. Ye; made by the generator rudy of G. Rinaldi) is a torus of 100 x 8 sites whose bonds
have weights of -1 or +1: as an Ising model a two-dimensional spin glass. Its maximum cut is 564. Two lines
read it and anneal it; what follows says how good the reads are, how long one has to repeat them, and what the
annealing looked like.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import statmech_dsl as sm

GRAPH = Path(__file__).parent / "G11.txt"
BEST = 564  # proven: an exact transfer matrix goes around the torus
SWEEPS = (100, 1000, 10_000)
TICKS = (0.2, 0.5, 1, 2, 5)


def draw(results: dict[int, xr.Dataset]) -> plt.Figure:
    """Draw the energies along the schedules, and the cuts that the reads ended with."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    colors = ("#56B4E9", "#0072B2", "#003C66")
    for color, (sweeps, result) in zip(colors, results.items(), strict=False):
        left.plot(1 / result.beta, -result.energy_mean, color=color, label=f"{sweeps} sweeps")
        cuts, counts = np.unique(-result.energy, return_counts=True)
        right.step(cuts, counts / counts.sum(), where="mid", color=color, label=f"{sweeps} sweeps")
    left.set(xscale="log", xlabel="temperature", ylabel="cut, mean of all reads")
    left.set_xticks(TICKS, map(str, TICKS))
    left.minorticks_off()
    left.invert_xaxis()
    right.axvline(BEST, color="#D55E00", label="maximum cut")
    right.set(xlabel="cut of a read", ylabel="fraction of the reads")
    left.legend(frameon=False)
    right.legend(frameon=False)
    return figure


def main(
    graph: Path = GRAPH, picture: Path = Path("maxcut_gset.png"), small: bool = False
) -> dict[int, xr.Dataset]:
    """Anneal with more and more sweeps; print and draw."""
    model = sm.models.max_cut(str(graph))
    results = {
        sweeps: sm.anneal(
            model, reads=128 if small else 512, sweeps=sweeps, schedule="linear", seed=1
        )
        for sweeps in (SWEEPS[:2] if small else SWEEPS)
    }
    for sweeps, result in results.items():
        found = sm.time_to_solution(result, target=-BEST)
        seconds, high = float(found.time_to_solution), float(found.time_to_solution_high)
        print(
            f"{sweeps:6} sweeps: best cut {-int(result.energy.min())}, mean "
            f"{-float(result.energy.mean()):.1f}, {BEST} in {float(found.success_probability):.1%} of "
            f"the reads, 99 % sure after {seconds:.2g} s (at most {high:.2g} s)"
        )
    best = results[max(results)]
    sides = best.s.sel(read=best.energy.idxmin()).values
    i, j = sm.read_gset(graph)[0].bonds
    print(f"the best cut has {np.count_nonzero(sides[i] != sides[j])} bonds")
    figure = draw(results)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
    print(f"picture: {picture}")
    return results


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))

"""A gas that separates: quench a lattice gas whose number of particles is conserved, and watch droplets grow.

    python examples/spinodal_decomposition.py [picture.png]

Particles may only change places with neighboring holes (Kawasaki dynamics). After a quench far below the
critical temperature, a half-filled lattice falls apart into a labyrinth of liquid and gas; a dilute one into
droplets. Both coarsen by diffusion, slowly: lengths grow like the cube root of time (Lifshitz and
Slyozov 1961; Huse 1986), and approach that law from below.

The length shown is the bonds of the lattice over those between liquid and gas, less those that a phase has by
itself in equilibrium at this temperature.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import statmech_dsl as sm

DENSITIES = (0.5, 0.2)
T = 0.33  # in units of the attraction; the critical temperature is 0.567


def quench(L: int, density: float, times: list[int]) -> xr.Dataset:
    """States and lengths at some times (in sweeps) after a quench from infinite temperature."""
    model = sm.models.lattice_gas(L=L)
    particles = np.random.default_rng(1).permutation(L * L) < round(density * L * L)
    run = {"T": T, "updates": "kawasaki", "draws": 1, "tune": 0, "chains": 1, "store": "n"}
    data, states, done = None, [], 0
    for t in times:
        first = {"n": particles} if data is None else data
        data = sm.sample(model, init=first, thin=t - done, seed=1, progressbar=False, **run)
        states.append(data.posterior.n.to_numpy()[0, 0].reshape(L, L))
        done = t
    n = np.stack(states)
    mixed = sum((n != np.roll(n, 1, axis)).mean(axis=(1, 2)) for axis in (1, 2)) / 2
    return xr.Dataset(
        {"n": (("time", "y", "x"), n), "length": ("time", 1 / (mixed - bulk_bonds()))},
        coords={"time": times},
        attrs={"density": density, "particles": int(particles.sum())},
    )


def bulk_bonds() -> float:
    """Part of the bonds between a particle and a hole inside a phase, from the exact energy and m.

    The lattice gas is the Ising model of J = 1/4: two unlike neighbors cost 2 J, and in the bulk their part is
    (1 + u / (2 J)) / 2, u being Onsager's energy per site (1944).
    """
    from scipy.special import ellipk

    k = 0.25 / T
    m = (2 * np.sinh(2 * k) / np.cosh(2 * k) ** 2) ** 2
    u = -(1 + 2 / np.pi * (2 * np.tanh(2 * k) ** 2 - 1) * ellipk(m)) / np.tanh(2 * k)
    return float((1 + u / 2) / 2)


def draw(quenches: list[xr.Dataset]) -> plt.Figure:
    """Draw the states at three times, and the growth of lengths."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(
        len(quenches), 4, figsize=(10.2, 2.5 * len(quenches)), layout="constrained"
    )
    for row, q in zip(panels, quenches, strict=True):
        shown = np.linspace(1, q.sizes["time"] - 1, 3).astype(int)
        for panel, k in zip(row, shown, strict=False):
            panel.imshow(q.n[k], cmap="Blues", interpolation="nearest")
            panel.set_title(f"{int(q.time[k])} sweeps", fontsize=9)
            panel.set_axis_off()
        last = row[-1]
        last.loglog(q.time, q.length, "o", ms=3, color="#0072B2")
        late = q.time[q.time >= q.time[-1] / 100]
        guide = float(q.length[-1]) * (late / q.time[-1]) ** (1 / 3)
        last.loglog(late, guide, color="#D55E00", lw=1, label="time$^{1/3}$")
        last.set(xlabel="sweeps", ylabel="length")
        last.set_yticks((5, 10, 20), ("5", "10", "20"))
        last.minorticks_off()
        last.set_title(f"{q.attrs['density']:.0%} filled", fontsize=9)
        last.legend(frameon=False)
    return figure


def main(picture: Path = Path("spinodal_decomposition.png"), small: bool = False) -> list:
    """Quench a half-filled lattice and a dilute one; print and draw."""
    L, last = (48, 400) if small else (160, 16_384)
    times = [int(t) for t in np.unique(np.geomspace(4, last, 7).round())]
    quenches = [quench(L, density, times) for density in DENSITIES]
    print("density  sweeps  particles  length")
    for q in quenches:
        for k, t in enumerate(times):
            number, length = int(q.n[k].sum()), float(q.length[k])
            print(f"{q.attrs['density']:7.2f}  {t:6d}  {number:9d}  {length:6.2f}")
    figure = draw(quenches)
    figure.savefig(picture, dpi=90)
    plt.close(figure)
    print(f"picture: {picture}")
    return quenches


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

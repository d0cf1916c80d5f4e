"""peapods: Ising spins on Bravais lattices with any couplings, in Rust."""

from __future__ import annotations

import numpy as np
from peapods import Ising

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 8


def couplings(system: System) -> np.ndarray:
    """J of the bond from each site to the next along each axis, shape (L, ..., L, d)."""
    shape = (system.L,) * system.d
    out = np.zeros((*shape, system.d))
    a, b = (np.array(np.unravel_index(sites, shape)) for sites in (system.i, system.j))
    forward = (b - a) % system.L
    axis = forward.argmax(0)  # one entry is not 0: it is 1 along the axis, or L - 1 against it
    first = np.where(forward.max(0) == 1, a, b)
    out[(*first, axis)] = system.J
    return out


def chains(system: System, T: float | np.ndarray, n: int) -> Contender:
    """Chains as temperatures of its ladder, one after the other, without any swap.

    Only the last sweep of a call is measured. Energies there have the other sign.
    """
    temperatures = np.repeat(np.atleast_1d(T), n)
    model = Ising((system.L,) * system.d, couplings(system), temperatures)

    def run(sweeps: int) -> None:
        unmeasured = (sweeps - 1) / sweeps + 1e-9
        with np.errstate(invalid="ignore"):  # its Binder cumulant of a single magnetization of 0
            model.sample(sweeps, "metropolis", warmup_ratio=unmeasured, sequential=True)

    def energy() -> np.ndarray:
        return -np.asarray(model.energies_avg).reshape(-1, n).mean(0)

    return Contender("peapods", clocked(run), len(temperatures) * system.n_sites, energy)

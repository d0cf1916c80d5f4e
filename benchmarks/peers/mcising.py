"""mcising: the Ising ferromagnet on a few lattices, sequential Metropolis in Rust."""

from __future__ import annotations

import numpy as np
from mcising import IsingSimulation

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 8


def magnetizations(L: int, T: float, algorithm: str, draws: int, thin: int) -> np.ndarray:
    """Magnetizations of one chain, ``thin`` cluster moves apart, after 5000 times as many."""
    simulation = IsingSimulation(L, 1.0, 0.0, 0.0, 0.0, 1, algorithm=algorithm)
    simulation.sweep(5000 * thin, temperature=T)
    found = np.empty(draws)
    for k in range(draws):
        simulation.sweep(thin, temperature=T)
        found[k] = simulation.magnetization()
    return found


def chains(system: System, T: float, n: int) -> Contender:
    """One chain after the other; the lattice and J = 1 are built in."""
    assert system.d == 2
    assert np.all(system.J == 1)
    simulations = [IsingSimulation(system.L, 1.0, 0.0, 0.0, 0.0, seed) for seed in range(1, n + 1)]

    def run(sweeps: int) -> None:
        for simulation in simulations:
            simulation.sweep(sweeps, temperature=T)

    def energy() -> np.ndarray:
        return np.array([simulation.energy() for simulation in simulations])

    return Contender("mcising", clocked(run), n * system.n_sites, energy)

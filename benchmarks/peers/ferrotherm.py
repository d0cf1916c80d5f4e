"""ferrotherm: block Gibbs sweeps of any Ising problem in Rust, one system after the other."""

from __future__ import annotations

import ferrotherm
import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 8


def chains(system: System, T: float, n: int) -> Contender:
    """One chain after the other."""
    bonds = list(zip(system.i.tolist(), system.j.tolist(), system.J.tolist(), strict=True))
    simulations = [
        ferrotherm.Model(system.n_sites).couple_many(bonds).build(beta=1 / T, seed=seed)
        for seed in range(1, n + 1)
    ]

    def run(sweeps: int) -> None:
        for simulation in simulations:
            simulation.sweep(sweeps)

    def energy() -> np.ndarray:
        return np.array([simulation.energy for simulation in simulations]) / system.n_sites

    return Contender("ferrotherm", clocked(run), n * system.n_sites, energy)

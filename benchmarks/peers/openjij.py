"""OpenJij: single-spin flips on any Ising problem in C++, through its core interface."""

from __future__ import annotations

import numpy as np
import openjij
from openjij import cxxjij

from benchmarks.contender import Contender, clocked
from benchmarks.systems import System

CHAINS = 8


def chains(system: System, T: float | np.ndarray, n: int) -> Contender:
    """One chain after the other; the coupling there has the other sign."""
    bonds = zip(system.i.tolist(), system.j.tolist(), (-system.J).tolist(), strict=True)
    linear = dict.fromkeys(range(system.n_sites), 0.0)
    model = openjij.BinaryQuadraticModel(
        linear, {(i, j): J for i, j, J in bonds}, 0.0, "SPIN", sparse=True
    )
    graph, _ = model.get_cxxjij_ising_graph()
    temperatures = np.repeat(np.atleast_1d(T), n)
    systems = [
        cxxjij.system.make_classical_ising(graph.gen_spin(k), graph)
        for k in range(len(temperatures))
    ]
    seeds = iter(range(1, 10_000_000))

    def run(sweeps: int) -> None:
        for each, temperature in zip(systems, temperatures, strict=True):
            step = cxxjij.utility.ClassicalSchedule()
            step.one_mc_step = sweeps
            step.updater_parameter.beta = 1 / temperature
            cxxjij.algorithm.Algorithm_SingleSpinFlip_run(each, next(seeds), [step])

    def energy() -> np.ndarray:
        spins = np.array([each.spin[: system.n_sites] for each in systems])
        return system.energy(spins).reshape(-1, n).mean(0)

    return Contender("openjij", clocked(run), len(systems) * system.n_sites, energy)

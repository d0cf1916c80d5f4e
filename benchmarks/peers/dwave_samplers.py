"""dwave-samplers: simulated annealing of any Ising problem in C++, one read after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

from benchmarks.contender import Contender
from benchmarks.systems import System
from statmech_dsl.estimators import TimeToSolution, time_to_solution

CHAINS = 16


def problem(system: System) -> dimod.BinaryQuadraticModel:
    """Its own form of a system; the coupling there has the other sign."""
    bonds = zip(system.i.tolist(), system.j.tolist(), (-system.J).tolist(), strict=True)
    linear = dict.fromkeys(range(system.n_sites), 0.0)
    return dimod.BinaryQuadraticModel(linear, {(i, j): J for i, j, J in bonds}, 0.0, "SPIN")


def chains(system: System, T: float, n: int) -> Contender:
    """Chains at a fixed beta, each call going on from the states of the last one."""
    return _contender(system, n, lambda sweeps: [1 / T], goes_on=True)


def annealed(
    system: System, betas: tuple[float, float], reads: int, rule: str = "Metropolis"
) -> Contender:
    """Reads from random states, one sweep for each beta; the rule may be "Gibbs" (heat bath) too."""
    schedule = partial(np.geomspace, *betas)
    return _contender(system, reads, schedule, goes_on=False, proposal_acceptance_criteria=rule)


def searches(instance, reads: int) -> Iterator[Callable[[int], TimeToSolution]]:
    """Times to solution of maximum cuts as functions of the sweeps, for each of its own schedules."""
    sampler = SimulatedAnnealingSampler()
    (i, j), w = instance.graph.bonds, instance.weights
    pairs = zip(i.tolist(), j.tolist(), (w / 2).tolist(), strict=True)
    linear = dict.fromkeys(range(instance.graph.n_sites), 0.0)
    bqm = dimod.BinaryQuadraticModel(linear, {(a, b): x for a, b, x in pairs}, -w.sum() / 2, "SPIN")
    for schedule in ("geometric", "linear"):

        def run(sweeps: int, schedule: str = schedule) -> TimeToSolution:
            began = time.thread_time()
            found = sampler.sample(
                bqm, num_reads=reads, num_sweeps=sweeps, seed=sweeps, beta_schedule_type=schedule
            )
            # Its own clock leaves out reading the problem, that of the thread other programs.
            spent = time.thread_time() - began
            seconds = min(found.info["timing"]["sampling_ns"] * 1e-9, spent)
            reached = int((found.record.energy <= instance.target + 1e-6).sum())
            return time_to_solution(reached, reads, seconds / reads)

        yield run


def _contender(system: System, n: int, schedule, goes_on: bool, **options) -> Contender:
    sampler, bqm = SimulatedAnnealingSampler(), problem(system)
    seeds, last = iter(range(1, 100_000)), {}

    def sweep(sweeps: int) -> float:
        """Its own clock counts the sweeps and leaves out reading the problem."""
        betas = schedule(sweeps)
        found = sampler.sample(
            bqm,
            num_reads=n,
            beta_schedule_type="custom",
            beta_schedule=betas,
            num_sweeps_per_beta=sweeps // len(betas),
            initial_states=last.get("states") if goes_on else None,
            seed=next(seeds),
            **options,
        )
        last["states"] = found
        return found.info["timing"]["sampling_ns"] * 1e-9

    def energy() -> np.ndarray:
        return last["states"].record.energy / system.n_sites

    return Contender("dwave-samplers", sweep, n * system.n_sites, energy)

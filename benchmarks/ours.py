"""This library as a contender."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm

from benchmarks.contender import Contender, clocked
from statmech_dsl.engine.compile import compile_model

NAME = "statmech_dsl"


def chains(
    model: pm.Model,
    T: float | np.ndarray,
    replicas: int,
    *,
    threads: int = 1,
    updates: str | Mapping[str, str] = "auto",
    name: str = NAME,
) -> Contender:
    """Replicas at T, or at each T of an array; their energies are means over T then."""
    beta = np.repeat(1 / np.atleast_1d(T), replicas)
    index_of_T, chain = np.divmod(np.arange(len(beta)), replicas)
    sampler = compile_model(model, len(beta), updates=updates, threads=threads)
    kernels, n_sites = sampler.kernels, sum(sampler.n_sites.values())
    packed = kernels.pack(sampler.start(1, chain, index_of_T, beta, "hot"))

    def energy() -> np.ndarray:
        tempered, fixed = kernels.energy(packed)
        return (tempered + fixed).reshape(-1, replicas).mean(0) / n_sites

    sweep = clocked(lambda n: kernels.sweep(packed, n))
    return Contender(name, sweep, len(beta) * n_sites, energy)


def annealed(model: pm.Model, betas: tuple[float, float], reads: int) -> Contender:
    """Anneal reads from random states: ``sweep(n)`` is a geometric schedule of n sweeps.

    Drawing the random states and packing them is not clocked, as the peers do not count setting up either.
    """
    sampler = compile_model(model, reads, threads=1)
    kernels, n_sites = sampler.kernels, sum(sampler.n_sites.values())
    last, seeds = {}, iter(range(1, 1000))

    def schedule(n: int) -> None:
        for beta in np.geomspace(*betas, n):
            kernels.set_beta(last["state"], np.full(reads, beta))
            kernels.sweep(last["state"], 1)

    def anneal(n: int) -> float:
        zeros = np.zeros(reads, int)
        state = sampler.start(next(seeds), np.arange(reads), zeros, zeros + betas[0], "hot")
        last["state"] = kernels.pack(state)
        return clocked(schedule)(n)

    def energy() -> np.ndarray:
        return sum(kernels.energy(last["state"])) / n_sites

    return Contender(NAME, anneal, reads * n_sites, energy)

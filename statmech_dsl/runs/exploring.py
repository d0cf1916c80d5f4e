"""A short run from the lowest energies to the highest, before the weights of a flat histogram are learned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from statmech_dsl.engine.sampler import Sampler

STAGES, SWEEPS = 200, 4
"""Temperatures on each side of infinity, and sweeps at each."""
COLDEST = 10.0
"""The last inverse temperature, over the spread of the energy for one site."""


@dataclass(frozen=True, eq=False)
class Explored:
    """What the run has seen: energies, and mean energies by descending inverse temperature."""

    energies: np.ndarray
    beta: np.ndarray
    mean_energy: np.ndarray

    def log_g(self, levels: np.ndarray) -> np.ndarray:
        """Integrate beta = d ln g / dE over equally spaced levels: a rough ln g, up to a constant."""
        beta = np.interp(levels, self.mean_energy, self.beta)
        steps = np.diff(levels) * (beta[1:] + beta[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])


def explore(sampler: Sampler, seed: int, walkers: int) -> Explored:
    """Cool half of the walkers, and heat the others beyond infinity.

    At negative temperatures high energies are the likely ones.
    """
    chains, kernels = np.arange(walkers), sampler.kernels
    # Replicas of the second temperature: random numbers that the run proper does not use.
    state = sampler.start(seed, chains, np.ones_like(chains), np.zeros(walkers), "hot")
    packed = kernels.pack(state)
    hot = kernels.record(packed, STAGES, 1)[0][STAGES // 10 :]
    scale = hot.std() / math.sqrt(sum(sampler.n_sites.values()))
    seen, low, high = [hot], [(0.0, float(hot.mean()))], [(0.0, float(hot.mean()))]
    steps = np.linspace(0.0, 1.0, STAGES + 1)[1:] ** 2  # closer together where most happens
    for beta in COLDEST / scale * steps if scale > 0 else ():
        kernels.set_beta(packed, np.where(chains % 2, -beta, beta))
        energy = kernels.record(packed, SWEEPS, 1)[0]
        seen.append(energy)
        cold, warm = float(energy[:, ::2].mean()), float(energy[:, 1::2].mean())
        if cold < low[-1][1]:  # else it is frozen: beta says nothing about this energy
            low.append((float(beta), cold))
        if warm > high[-1][1]:
            high.append((-float(beta), warm))
    curve = np.array([*low[:0:-1], *high])
    return Explored(np.concatenate(seen).reshape(-1), curve[:, 0], curve[:, 1])

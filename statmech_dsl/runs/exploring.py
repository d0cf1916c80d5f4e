"""A short run from the lowest energies to the highest, before the weights of a flat histogram are learned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.runs.tuning import retune

STAGES, SWEEPS = 200, 4
"""Temperatures on each side of infinity, and sweeps at each."""
COLDEST = 10.0
"""The last inverse temperature, over the spread of the energy for one site."""
FACTOR = 1.1
"""Ratio of neighboring temperatures where none is infinite."""


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


def explore(
    sampler: Sampler, seed: int, walkers: int, window: tuple[float, float] = (-math.inf, math.inf)
) -> Explored:
    """Cool half of the walkers, and heat the others beyond infinity.

    At negative temperatures high energies are the likely ones. Where states have no finite measure, there is no
    infinite temperature: walkers are cooled and heated until their mean energies are those of the ``window``.
    """
    chains, kernels = np.arange(walkers), sampler.kernels
    # Replicas of the second temperature: random numbers that the run proper does not use.
    state = sampler.start(seed, chains, np.ones_like(chains), np.zeros(walkers), "hot")
    packed = kernels.pack(state)
    endless = any(math.isinf(v.domain.log_volume) for v in sampler.program.model.variables)
    sites, middle = math.sqrt(sum(sampler.n_sites.values())), 0.0
    if endless and (spread := kernels.energy(packed)[0].std()) > 0:
        middle = sites / spread
        kernels.set_beta(packed, np.full(walkers, middle))
    packed, energy = _record(sampler, packed, STAGES, 0)
    hot = energy[STAGES // 10 :]
    seen, first = [hot], float(hot.mean())
    low, high = [(middle, first)], [(middle, first)]
    last = np.array([middle, middle])
    for stage, betas in enumerate(_stages(endless, middle, hot.std() / sites)):
        if endless:  # on either side no further than the window
            go_on = np.array([low[-1][1] > window[0], high[-1][1] < window[1]])
            betas = last = np.where(go_on, betas, last)
        kernels.set_beta(packed, betas[chains % 2])
        packed, energy = _record(sampler, packed, SWEEPS, stage + 1)
        seen.append(energy)
        cold, warm = float(energy[:, ::2].mean()), float(energy[:, 1::2].mean())
        if cold < low[-1][1]:  # else it is frozen: beta says nothing about this energy
            low.append((float(betas[0]), cold))
        if warm > high[-1][1]:
            high.append((float(betas[1]), warm))
    curve = np.array([*low[:0:-1], *high])
    return Explored(np.concatenate(seen).reshape(-1), curve[:, 0], curve[:, 1])


def _stages(endless: bool, middle: float, scale: float) -> np.ndarray:
    """Inverse temperatures of the cool walkers and of the others, stage by stage."""
    if endless:
        factors = FACTOR ** np.arange(STAGES)
        return middle * np.stack([factors, 1 / factors], axis=1)
    steps = np.linspace(0.0, 1.0, STAGES + 1)[1:] ** 2  # closer together where most happens
    return COLDEST / scale * np.stack([steps, -steps], axis=1) if scale > 0 else np.zeros((0, 2))


def _record(sampler: Sampler, packed: Any, sweeps: int, stage: int) -> tuple[Any, np.ndarray]:
    """Energies after each sweep; widths are adapted."""
    energy = sampler.kernels.record(packed, sweeps, 1)[0]
    return (retune(sampler, packed, sweeps, stage) if sampler.params else packed), energy

"""A ladder that tunes itself: pilot ladders go up and down, and their rejections place the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.engine.sampler import Init, Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.state import State
from statmech_dsl.results.recorder import raise_improper
from statmech_dsl.rng import CHAIN_BITS
from statmech_dsl.runs.ensemble import Ensemble, numbers
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.ladder import equal_rejections, first_ladder
from statmech_dsl.runs.sectors import require_one_sector

PILOTS = 4
"""Pilot ladders, whatever the number of chains: so a chain does not depend on how many others there are."""
SHORTEST = 10
"""Swaps of the first round, at least."""


def tuned_ladder(
    sampler: Sampler,
    ends: np.ndarray,
    thin: int,
    sweeps: int,
    seed: int,
    init: Init,
    advance: Callable[..., None],
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse temperatures between two ends, and the tuned widths at each, (parameters, temperatures).

    Every round is twice as long as the one before, and takes its states from it.
    """
    steps = sweeps // thin
    if steps < SHORTEST:
        raise ArgumentError(
            "tune is too short for a ladder that tunes itself",
            where=f"half of tune, {sweeps} sweeps, swaps {steps} times",
            mend=f"use tune={4 * SHORTEST * thin} at least, or give all temperatures as a list",
        )
    rounds = int(np.log2(steps / SHORTEST + 1))
    edges = (steps * (2 ** np.arange(rounds + 1) - 1)) // (2**rounds - 1)
    pilots = (1 << CHAIN_BITS) - 1 - np.arange(PILOTS)
    beta = first_ladder(*ends)
    level, pilot = np.divmod(np.arange(len(beta) * PILOTS), PILOTS)
    # Given states are those of the chains, unless they say what updates conserve.
    first = init if isinstance(init, str) or sampler.conserved else "hot"
    state = sampler.start(seed, pilots[pilot], level, beta[level], first)
    require_one_sector(sampler, state, pilot)
    state.replicas = numbers(len(beta), pilots, 1)
    for length in np.diff(edges):
        ensemble = Ensemble(sampler, state, Exchange(beta, pilots, 1, seed), thin)
        chance = ensemble.burn(int(length), advance)
        if not np.isfinite(chance).all():
            raise_improper(sampler)
        new = equal_rejections(beta, 1.0 - chance)
        state, beta = _moved(ensemble.state(), beta, new, pilots), new
    width = np.exp(np.log(state.params.reshape(-1, len(beta), PILOTS)).mean(axis=2))
    return beta, width


def _moved(state: State, old: np.ndarray, new: np.ndarray, pilots: np.ndarray) -> State:
    """States of a new ladder: each temperature takes those of the nearest old one."""
    nearest = np.abs(new[:, None] - old).argmin(axis=1)
    rows = (nearest[:, None] * PILOTS + np.arange(PILOTS)).reshape(-1)
    return replace(
        state,
        values={name: x[rows] for name, x in state.values.items()},
        replicas=numbers(len(new), pilots, 1),
        beta=np.repeat(new, PILOTS),
        params=state.params[:, rows],
        accepted=np.zeros((len(state.accepted), len(rows)), np.int64),
    )

"""Proposal widths, tuned replica by replica and only before production."""

from __future__ import annotations

from typing import Any

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State

BLOCK = 10
"""Sweeps between two adaptations."""


def retune(sampler: Sampler, packed: Any, sweeps: int, step: int) -> Any:
    """The replicas with widths adapted to the moves of the last ``sweeps`` sweeps."""
    passes = [number for number, _ in sampler.params]
    targets = np.array([q.target for _, q in sampler.params])
    moves = sweeps * sampler.moves[passes]
    state = sampler.kernels.unpack(packed)
    adapt(state, passes, targets, moves, step)
    return sampler.kernels.pack(state)


def adapt(
    state: State, passes: list[int], targets: np.ndarray, moves: np.ndarray, step: int
) -> None:
    """Move each replica's parameters towards the wanted acceptance (Robbins and Monro 1951).

    ``passes[k]`` is the pass of parameter k and ``moves[k]`` the number of moves that it made; the gain falls
    as step^-0.6. A replica's widths depend on its own moves only.
    """
    for k, number in enumerate(passes):
        rate = state.accepted[number] / moves[k]
        gain = 4.0 / (1.0 + step) ** 0.6
        state.params[k] = np.clip(state.params[k] * np.exp(gain * (rate - targets[k])), 1e-6, 1e6)
    state.accepted[:] = 0

"""Proposal widths, tuned replica by replica and only before production."""

from __future__ import annotations

import numpy as np

from statmech_dsl.ir.state import State

BLOCK = 10
"""Sweeps between two adaptations."""


def adapt(
    state: State, passes: list[int], targets: np.ndarray, n_sites: np.ndarray, step: int
) -> None:
    """Move each replica's parameters towards the wanted acceptance (Robbins and Monro 1951).

    ``passes[k]`` is the pass of parameter k and ``n_sites[k]`` the number of sites that it visits; the gain
    falls as step^-0.6. A replica's widths depend on its own moves only.
    """
    for k, number in enumerate(passes):
        rate = state.accepted[number] / (BLOCK * n_sites[k])
        gain = 4.0 / (1.0 + step) ** 0.6
        state.params[k] = np.clip(state.params[k] * np.exp(gain * (rate - targets[k])), 1e-6, 1e6)
    state.accepted[:] = 0

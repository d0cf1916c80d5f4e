"""What takes part in a comparison: something that sweeps over sites and knows its energy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Contender:
    """Chains of one system in one library.

    ``sweep(n)`` does n sweeps of all chains and returns the seconds they took. ``energy()`` is the
    energy per site of each chain after them, shape (chains,); empty where nothing is sampled.
    ``updates`` counts the site updates in a sweep of all chains.
    """

    name: str
    sweep: Callable[[int], float]
    updates: int
    energy: Callable[[], np.ndarray]

    def warm(self, sweeps: int) -> Contender:
        """Bring the chains to equilibrium."""
        self.sweep(sweeps)
        return self


def clocked(
    run: Callable[[int], object], clock: Callable[[], float] = time.perf_counter
) -> Callable[[int], float]:
    """The same function, returning the seconds that it took."""

    def sweep(n: int) -> float:
        began = clock()
        run(n)
        return clock() - began

    return sweep

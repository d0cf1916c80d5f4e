"""A segment of a path along which log Z is followed, and how long a route runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from statmech_dsl.engine.sampler import Init, Sampler

ENOUGH = 50.0
"""Effective draws below which an estimate is no estimate: its error could not be trusted either."""


@dataclass(frozen=True)
class Ground:
    """The lowest energy, and the log of the number of its states, relative to log Z at the first x."""

    energy: float
    log_weight: float

    @property
    def resolution(self) -> float:
        """Energies closer than this are the same."""
        return 1e-9 * max(1.0, abs(self.energy))


@dataclass(frozen=True, eq=False)
class Segment:
    """The distributions exp(-x E) from ``first`` on, up to the largest of the ``wanted`` x.

    On the way from a temperature to others x is beta; on the way from a reference to a model it goes from 0
    to 1, and E is what that adds. ``wanted`` is ascending. ``compile`` gives a sampler for a number of
    replicas, and a law if it is not the Boltzmann law.
    """

    compile: Callable[..., Sampler]
    first: float
    wanted: np.ndarray
    ground: Ground | None = None

    @property
    def is_point(self) -> bool:
        """Whether there is no way to go, only averages to take."""
        return bool(self.wanted[-1] == self.first)


@dataclass(frozen=True)
class Effort:
    """How long and with what a route runs."""

    draws: int
    tune: int
    chains: int
    thin: int
    seed: int
    init: Init


def too_few(wanted: np.ndarray, size: np.ndarray) -> tuple[str, ...]:
    """The x that fewer than `ENOUGH` effective draws speak of, in words."""
    few = [f"{x:g}" for x, n in zip(wanted, size, strict=True) if not n >= ENOUGH]
    return (f"fewer than {ENOUGH:g} effective draws at x = {', '.join(few)}",) if few else ()

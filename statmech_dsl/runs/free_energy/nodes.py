"""Where routes without swaps stop on their way: between the rungs of a ladder that tunes itself."""

from __future__ import annotations

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.progress import Advance

SHORTEST = 40
"""Sweeps of the pilots, at least."""


def pilot_ladder(
    sampler: Sampler, segment: Segment, effort: Effort, seed: int, advance: Advance
) -> np.ndarray:
    """A ladder along the segment; the seed is the pilots' own, so that they do not walk the way of the run."""
    ends, tune = np.array([segment.wanted[-1], segment.first]), max(effort.tune, SHORTEST)
    return tuned_ladder(sampler, ends, 1, tune, seed, effort.init, advance)[0]


def finer(ladder: np.ndarray, n: int) -> np.ndarray:
    """The ladder from its last rung on, each step of it cut into n.

    Examples
    --------
    >>> finer(np.array([3.0, 0.0]), 3)
    array([0., 1., 2., 3.])
    """
    steps = len(ladder) - 1
    return np.interp(np.linspace(0, steps, n * steps + 1), np.arange(steps + 1), ladder[::-1])

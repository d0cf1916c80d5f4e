"""A flat histogram: draws at known weights that visit all energies, weighted for each temperature."""

from __future__ import annotations

import numpy as np

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.estimators import FlatWeights
from statmech_dsl.results import Recorder
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.energy_bins import choose_bins
from statmech_dsl.runs.exploring import explore
from statmech_dsl.runs.free_energy.pooled import from_pool
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.sample import run_chains
from statmech_dsl.runs.wang_landau import learn

LONGER = 10
"""Draws for each one of another route: one walk has to visit all temperatures."""
WALKERS = 8
"""At least."""
MANY = 2000
"""Levels; beyond, a walk would hardly see all of them."""


def refuse(journey: Journey) -> str | None:
    """It counts the states of levels."""
    if not journey.from_infinity:
        return "it begins at infinite temperature, where log Z is not known here"
    if not journey.discrete:
        return "a variable is continuous"
    walkers = explore(journey.legs[0][0].compile(WALKERS), 0, WALKERS)
    try:
        n = choose_bins(None, walkers.energies).n
    except (ArgumentError, ModelError) as error:
        return error.what
    return f"there are {n} levels, too many to visit in turn" if n > MANY else None


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Learn the weights, then walk."""
    walkers = max(effort.chains, WALKERS)
    pilot, sampler = segment.compile(walkers), segment.compile(walkers, "tabulated")
    numbers, zeros = np.arange(walkers), np.zeros(walkers, int)
    state = sampler.start(effort.seed, numbers, zeros, np.zeros(walkers), effort.init)
    explored = explore(pilot, effort.seed, walkers)
    bins = choose_bins(None, explored.energies)
    draws, tune = LONGER * effort.draws, LONGER * max(effort.tune, 1)
    state, walk = learn(sampler, state, bins, explored, tune, advance)
    recorder = Recorder(sampler, draws, walkers, ())
    state = run_chains(sampler, state, recorder, 0, draws, effort.thin, advance)
    energy, law = recorder.arrays()["energy"], state.law_table
    low, width = state.law_range
    index = np.clip(np.rint((energy - low) / width).astype(np.int64), 0, len(law) - 1)
    trouble = () if walk.late else ("the walk was too short to learn its weights",)
    return from_pool(FlatWeights(energy, -law[index]), segment.wanted, trouble)

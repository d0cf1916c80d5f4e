"""How often the intervals of each route to log Z hold the exact value.

Ladders, grids and weights are tuned once for each model: only what is drawn with them is repeated. Nothing
here looks at draws and then decides.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

import statmech_dsl as sm
from statmech_dsl.estimators import FlatWeights, Multihistogram
from statmech_dsl.results import Recorder
from statmech_dsl.runs.energy_bins import choose_bins
from statmech_dsl.runs.exploring import explore
from statmech_dsl.runs.free_energy.pooled import from_pool
from statmech_dsl.runs.free_energy.routes.annealing import SWEEPS, steps
from statmech_dsl.runs.free_energy.routes.integration import grid, integral, node_energies
from statmech_dsl.runs.free_energy.routes.tempering import ladder_energies
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.free_energy.start import plan
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.sample import run_chains
from statmech_dsl.runs.wang_landau import learn
from tests.evidence.checks import Check
from tests.evidence.population import MODELS

OPTIONS = {"updates": "auto", "backend": "auto", "threads": None}
CHAINS = 4
"""Of one estimate."""


def nothing(n: int, note: str = "") -> None:
    """Show no progress."""


def segment_of(name: str, repeats: int, draws: int) -> tuple[Segment, Effort, float]:
    """The way from infinite temperature to that of a model, for so many estimates; its exact log Z on it."""
    build, T = MODELS[name]
    model, seed = build(), zlib.crc32(name.encode())
    effort = Effort(draws, 500, CHAINS * repeats, 2, seed, "hot")
    journey = plan(model, T, None, None, None, effort, OPTIONS)
    exact = float(sm.exact(model, T=T).log_partition) - journey.log_z[0]
    return journey.legs[0][0], effort, exact


def by_tempering(name: str, repeats: int, draws: int = 400) -> np.ndarray:
    """Z-scores of log Z by tempering, of ladders that are tuned once."""
    segment, effort, exact = segment_of(name, repeats, draws)
    sampler = segment.compile(effort.chains * 8)
    ends = np.array([segment.wanted[-1], 0.0])
    ladder, widths = tuned_ladder(sampler, ends, 2, 500, effort.seed, "hot", nothing)
    energy = ladder_energies(sampler, ladder, widths, effort, nothing)
    own = np.split(energy, repeats)
    return _scores([from_pool(Multihistogram(e, ladder), segment.wanted) for e in own], exact)


def by_integration(name: str, repeats: int, draws: int = 1200) -> np.ndarray:
    """Z-scores of log Z by integration, over nodes that are placed once."""
    segment, effort, exact = segment_of(name, repeats, draws)
    ends = np.array([segment.wanted[-1], 0.0])
    pilot = segment.compile(32)
    nodes = grid(tuned_ladder(pilot, ends, 2, 500, effort.seed, "hot", nothing)[0], segment.wanted)
    own = np.split(node_energies(segment, nodes, effort, nothing), repeats)
    found = [integral(nodes, e) for e in own]
    return np.array([(-f.value - exact) / f.error for f in found])


def by_flat_histogram(name: str, repeats: int, draws: int = 2000) -> np.ndarray:
    """Z-scores of log Z by a flat histogram, of walks at weights that are learned once."""
    segment, effort, exact = segment_of(name, repeats, draws)
    n = effort.chains
    pilot, sampler = segment.compile(64), segment.compile(n, "tabulated")
    explored = explore(pilot, effort.seed, 64)
    bins = choose_bins(None, explored.energies)
    state = sampler.start(effort.seed, np.arange(n), np.zeros(n, int), np.zeros(n), "hot")
    state, _ = learn(sampler, state, bins, explored, 4000, nothing)
    recorder = Recorder(sampler, draws, n, ())
    state = run_chains(sampler, state, recorder, 0, draws, effort.thin, nothing)
    energy = recorder.arrays()["energy"]
    low, width = state.law_range
    index = np.rint((energy - low) / width).astype(np.int64)
    law = state.law_table[np.clip(index, 0, len(state.law_table) - 1)]
    pairs = zip(np.split(energy, repeats), np.split(law, repeats), strict=True)
    return _scores([from_pool(FlatWeights(e, -w), segment.wanted) for e, w in pairs], exact)


def _scores(found, exact: float) -> np.ndarray:
    return np.array(
        [(f.log_partition[0][-1] - exact) / f.log_partition[1][-1] for f in found], float
    )


def by_annealing(name: str, repeats: int, members: int = 500) -> np.ndarray:
    """Z-scores of log Z by annealed importance sampling, over steps that are placed once."""
    segment, effort, exact = segment_of(name, repeats, members)
    stops = steps(segment.compile(members), segment, replace(effort, chains=1), nothing)
    size = repeats * members
    crowd = Members(segment.compile(size), effort.seed, 1, size)
    crowd.measure(0)
    for x in stops[1:]:
        crowd.weigh(float(x))
        crowd.measure(SWEEPS)
    own = np.exp(crowd.weights.log_weights.reshape(repeats, members) - exact)
    mean, sd = own.mean(axis=1), own.std(axis=1, ddof=1)
    return np.log(mean) * mean / (sd / np.sqrt(members))


COVERED = {
    "tempering": by_tempering,
    "integration": by_integration,
    "annealing": by_annealing,
    "flat_histogram": by_flat_histogram,
}
"""Routes whose errors are held against their scatter; population annealing has a topic of its own."""
BANDS = ((68, 0.9945, 0.60, 0.765), (95, 1.96, 0.915, 0.98))
"""Level of an interval, its half width in errors, and how often it may hold the exact value."""


def coverage(what: str, z: np.ndarray, slack: float = 1.0) -> list[Check]:
    """How often intervals hold the exact value; ``slack`` widens the bands, as few runs scatter more."""
    checks = []
    for level, width, low, high in BANDS:
        inside, middle = float((np.abs(z) < width).mean()), (low + high) / 2
        right = abs(inside - middle) <= slack * (high - low) / 2
        asked = f"{100 * low:g} to {100 * high:g} %"
        checks.append(
            Check(f"{what}, {len(z)} runs: {level} % interval", asked, f"{inside:.1%}", right)
        )
    return checks

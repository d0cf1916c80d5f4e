"""Tempering: replicas swap along the segment, and all draws are weighted together (MBAR)."""

from __future__ import annotations

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.estimators import Multihistogram, bar
from statmech_dsl.results import Recorder
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.ensemble import Ensemble
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.free_energy.pooled import from_pool
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.tempering import EXPECTED, start_ladders

WARM, COLDER, DOUBLINGS = 50, 1.25, 24
"""Sweeps of that run, and how x grows until it is cold enough."""
FROZEN = 0.8
"""Part of the chains that are then in the ground state."""
LEAST_OVERLAP = 0.03
"""Of neighbors in a ladder; below, Bennett's estimate means little."""


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Sample a ladder that tunes itself, and pool its draws."""
    sampler = segment.compile(effort.chains * EXPECTED)
    if segment.is_point:
        ladder, widths = np.array([segment.first]), None
    else:
        last = segment.wanted[-1] if segment.ground is None else coldest(sampler, segment, effort)
        ends = np.array([last, segment.first])
        ladder, widths = tuned_ladder(
            sampler, ends, 1, effort.tune // 2, effort.seed, effort.init, advance
        )
    energy = ladder_energies(sampler, ladder, widths, effort, advance)
    if (
        segment.ground is not None
        and energy.min() < segment.ground.energy - segment.ground.resolution
    ):
        raise ArgumentError(
            f"a state has the energy {energy.min():.12g}, below that of the ground state",
            where=f"ground_state=({segment.ground.energy:.12g}, ...)",
        )
    pool, trouble = Multihistogram(energy, ladder), poor_overlap(energy, ladder)
    return from_pool(pool, segment.wanted, trouble, segment.ground, float(ladder[0]))


def coldest(sampler: Sampler, segment: Segment, effort: Effort) -> float:
    """An x at which a short run, from all sites alike, is nearly always in the ground state."""
    assert segment.ground is not None
    n, x = effort.chains * EXPECTED, float(segment.wanted[-1])
    for _ in range(DOUBLINGS):
        chains = np.arange(n)
        # The second temperature: random numbers that the run proper does not use.
        state = sampler.start(effort.seed, chains, np.ones(n, int), np.full(n, x), effort.init)
        packed = sampler.kernels.pack(state)
        sampler.kernels.sweep(packed, WARM)
        energy = sampler.kernels.energy(packed)[0]
        if (energy <= segment.ground.energy + segment.ground.resolution).mean() > FROZEN:
            return x
        x *= COLDER
    raise ArgumentError(
        "no short run has reached the ground state",
        where=f"its energy is given as {segment.ground.energy:.12g}",
        mend="leave out ground_state=, or start in it with init=",
    )


def ladder_energies(
    sampler: Sampler,
    ladder: np.ndarray,
    widths: np.ndarray | None,
    effort: Effort,
    advance: Advance,
) -> np.ndarray:
    """Energies (chains, draws, rungs) of replicas that swap."""
    exchange = Exchange(ladder, np.arange(effort.chains), 1, effort.seed)
    state = start_ladders(sampler, exchange, 1, effort.init, widths)
    ensemble = Ensemble(sampler, state, exchange, effort.thin)
    recorder = Recorder(sampler, effort.draws, state.n_replicas, ())
    ensemble.burn(effort.tune // (2 * effort.thin), advance)
    while recorder.n < effort.draws:
        ensemble.record(recorder, None)
        advance(effort.thin)
    energy = recorder.arrays()["energy"].reshape(len(ladder), effort.chains, effort.draws)
    return energy.transpose(1, 2, 0)


def poor_overlap(energy: np.ndarray, ladder: np.ndarray) -> tuple[str, ...]:
    """Neighbors that have too little in common, in words."""
    steps = -np.diff(ladder)
    found = [
        bar(step * energy[..., k + 1], -step * energy[..., k]).overlap
        for k, step in enumerate(steps)
    ]
    if not found or min(found) >= LEAST_OVERLAP:
        return ()
    k = int(np.argmin(found))
    return (f"x = {ladder[k]:g} and {ladder[k + 1]:g} overlap by {found[k]:.1g} only",)

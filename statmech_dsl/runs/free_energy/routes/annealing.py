"""Annealed importance sampling: members cool step by step, and each keeps the weight of its way (Neal 2001)."""

from __future__ import annotations

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators import tau_int
from statmech_dsl.estimators.exponential import worth
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.nodes import finer, pilot_ladder
from statmech_dsl.runs.free_energy.routes.population import started
from statmech_dsl.runs.free_energy.segment import Effort, Segment, too_few
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.progress import Advance

STEPS = 8
"""Steps for one of a tempering ladder: the variance of the weights falls with their number."""
SWEEPS = 2
"""From step to step."""
PILOT = 1 << 33
"""Of the seed of the ladder."""


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Cool as many members as there are draws of all chains, none of which knows of another."""
    members, origin = started(segment, effort, 1, effort.chains * effort.draws)
    rows = []
    members.sweep(0)
    for x in steps(members.sampler, segment, effort, advance):
        if x > members.beta:
            members.weigh(float(x))
            members.sweep(SWEEPS)
            advance(SWEEPS, f"x = {x:.4g}")
        rows += [_averages(members, origin)] * int((segment.wanted == x).sum())
    worths = np.array([row[4] for row in rows])
    return Curve.of_rows([row[:4] for row in rows], worths, too_few(segment.wanted, worths))


def steps(sampler: Sampler, segment: Segment, effort: Effort, advance: Advance) -> np.ndarray:
    """Where members stop on their way: `STEPS` times for one step of a ladder, and at all that is wanted."""
    if segment.is_point:
        return segment.wanted[:1]
    ladder = pilot_ladder(sampler, segment, effort, effort.seed ^ PILOT, advance)
    return np.unique(np.concatenate([finer(ladder, STEPS), segment.wanted]))


def _averages(members: Members, origin: float) -> tuple:
    """Log Z and weighted averages; members are independent of each other."""
    w = members.weights.share[0]
    w, x, energy = w * w.size, members.beta, members.energy[0]
    mean = float(w @ energy / w.size)
    square = (energy - mean) ** 2
    variance = float(w @ square / w.size)
    log_z = float(members.weights.log_partition[0]) - origin

    def error(influence: np.ndarray) -> float:
        return tau_int(influence).error

    return (
        (log_z, error(w)),
        (mean, error(w * (energy - mean))),
        (x**2 * variance, error(x**2 * w * (square - variance))),
        (x * mean + log_z, error(w * (1 + x * (energy - mean)))),
        worth(members.weights.log_weights[0])[1],
    )

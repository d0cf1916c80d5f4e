"""Annealed importance sampling: members cool step by step, and each keeps the weight of its way (Neal 2001)."""

from __future__ import annotations

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators import tau_int
from statmech_dsl.estimators.exponential import worth
from statmech_dsl.runs.free_energy.pooled import ENOUGH
from statmech_dsl.runs.free_energy.segment import Effort, Found, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.progress import Advance

STEPS = 8
"""Steps for one of a tempering ladder: the variance of the weights falls with their number."""
SWEEPS = 2
"""From step to step."""
PILOT = 1 << 33
"""Of the seed of the ladder."""


def refuse(journey: Journey) -> str | None:
    """It works everywhere."""
    return None


def run(segment: Segment, effort: Effort, advance: Advance) -> Found:
    """Cool as many members as there are draws of all chains, none of which knows of another."""
    size = effort.chains * effort.draws
    sampler = segment.compile(size)
    members = Members(sampler, effort.seed, 1, size)
    begin = members.begin if segment.first == 0 else members.settle
    begin(segment.first, effort.tune)
    origin = float(members.weights.log_partition[0])
    rows = []
    members.measure(0)
    for x in steps(sampler, segment, effort, advance):
        if x > members.beta:
            members.weigh(float(x))
            members.measure(SWEEPS)
            advance(SWEEPS, f"x = {x:.4g}")
        rows += [_averages(members, origin)] * int((segment.wanted == x).sum())
    worths = np.array([row[4] for row in rows])
    few = [f"{x:g}" for x, n in zip(segment.wanted, worths, strict=True) if n < ENOUGH]
    trouble = (f"weights are worth fewer than {ENOUGH:g} members at x = {', '.join(few)}",)
    columns = [tuple(np.array(c).T) for c in zip(*(row[:4] for row in rows), strict=True)]
    return Found(*columns, worths, trouble if few else ())  # type: ignore[arg-type]


def steps(sampler: Sampler, segment: Segment, effort: Effort, advance: Advance) -> np.ndarray:
    """Where members stop on their way: `STEPS` times for one step of a ladder, and at all that is wanted."""
    if segment.is_point:
        return segment.wanted[:1]
    ends, seed = np.array([segment.wanted[-1], segment.first]), effort.seed ^ PILOT
    ladder, _ = tuned_ladder(sampler, ends, 1, max(effort.tune, 40), seed, effort.init, advance)
    n = len(ladder) - 1
    fine = np.interp(np.linspace(0, n, STEPS * n + 1), np.arange(n + 1), ladder[::-1])
    return np.unique(np.concatenate([fine, segment.wanted]))


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

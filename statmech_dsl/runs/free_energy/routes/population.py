"""Population annealing: a population follows the segment from its first distribution, weighed and resampled."""

from __future__ import annotations

import numpy as np

from statmech_dsl.estimators.families import (
    block_of,
    family_sizes,
    log_mean_exp,
    n_blocks,
    shares,
)
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.results.population import Step
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.population import FAMILIES, next_beta
from statmech_dsl.runs.progress import Advance

OVERLAP = 0.85
"""Of energies from step to step."""
SWEEPS = 10
"""From step to step."""


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Cool one population for each chain, of as many members as there are draws."""
    members, origin = started(segment, effort, effort.chains, effort.draws)
    rows, trouble = [], []
    for x in segment.wanted:
        while members.beta < x:
            step = members.measure(SWEEPS if members.moved else 0)
            members.move(next_beta(members.beta, float(x), step.energy, OVERLAP))
            advance(SWEEPS, f"x = {members.beta:.4g}")
        rows.append(averages(members.measure(SWEEPS), origin))
    rho = max(family_sizes(f).rho_t for f in members.weights.families)
    if effort.draws < FAMILIES * rho:
        trouble = [
            f"a population of {effort.draws} is too small: rho_t is {rho:.3g} at the end, and it should be "
            f"{FAMILIES} times that"
        ]
    return Curve.of_rows([row[:4] for row in rows], [row[4] for row in rows], tuple(trouble))


def started(segment: Segment, effort: Effort, runs: int, size: int) -> tuple[Members, float]:
    """Members at the first x, and log Z there, the same for all runs."""
    members = Members(segment.compile(runs * size), effort.seed, runs, size)
    begin = members.begin if segment.first == 0 else members.settle
    begin(segment.first, effort.tune)
    return members, float(members.weights.log_partition[0])


def averages(step: Step, origin: float) -> tuple:
    """Log Z and averages of a population, with errors from blocks of families."""
    x, (runs, members) = step.beta, step.energy.shape
    n = n_blocks(members)
    block = (block_of(step.families, members) + np.arange(runs)[:, None] * n).ravel()
    share = np.repeat(shares(step.log_z) / members, members)
    energy = step.energy.ravel()
    mean = float(share @ energy)
    square = (energy - mean) ** 2
    variance = float(share @ square)
    log_z = float(log_mean_exp(step.log_z)) - origin
    of_log_z = _log_z_influence(step, n)

    def error(influence: np.ndarray) -> float:
        count = n * runs
        return float(np.sqrt((influence**2).sum() * count / max(count - 1, 1)))

    def of(values: np.ndarray) -> np.ndarray:
        return np.bincount(block, share * values, n * runs)

    of_mean = of(energy - mean)
    rho = max(family_sizes(f).rho_t for f in step.families)
    return (
        (log_z, step.error),
        (mean, error(of_mean)),
        (x**2 * variance, error(x**2 * of(square - variance))),
        (x * mean + log_z, error(x * of_mean + of_log_z)),
        runs * members / rho,
    )


def _log_z_influence(step: Step, n: int) -> np.ndarray:
    """What each block of families adds to log Z, about: its share of the members, beyond an equal one."""
    runs, members = step.energy.shape
    block = block_of(step.families, members)
    share = shares(step.log_z) / members
    found = [
        np.bincount(b, minlength=n) * s - 1 / (n * runs) for b, s in zip(block, share, strict=True)
    ]
    return np.concatenate(found)

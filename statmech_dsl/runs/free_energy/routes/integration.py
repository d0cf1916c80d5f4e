"""Thermodynamic integration: independent chains along the segment, and the integral of the mean energy."""

from __future__ import annotations

import numpy as np

from statmech_dsl.estimators import tau_int
from statmech_dsl.results import Recorder
from statmech_dsl.runs.free_energy.pooled import ENOUGH
from statmech_dsl.runs.free_energy.segment import Effort, Found, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.sample import run_chains
from statmech_dsl.runs.tempering import EXPECTED

PILOT = 1 << 32
"""Of the seed: pilots must not walk the way that the chains walk."""
FINER = 3
"""Steps of the integral for one of the ladder: neighbors of a ladder may be far apart for a parabola."""
ORDER = 15.0
"""By how much a grid of twice as many nodes is better: the error falls as the fourth power of a step."""


def refuse(journey: Journey) -> str | None:
    """It works everywhere."""
    return None


def run(segment: Segment, effort: Effort, advance: Advance) -> Found:
    """Place nodes where the energy changes, sample each by itself, integrate."""
    nodes = segment.wanted
    if not segment.is_point:
        sampler = segment.compile(effort.chains * EXPECTED)
        ends = np.array([nodes[-1], segment.first])
        seed, tune = effort.seed ^ PILOT, max(effort.tune, 40)
        ladder, _ = tuned_ladder(sampler, ends, 1, tune, seed, effort.init, advance)
        nodes = np.unique(np.concatenate([between(ladder), nodes]))
    energy = _chains(segment, nodes, effort, advance)
    at = np.searchsorted(nodes, segment.wanted)
    mean, log_z = [tau_int(e) for e in energy], integral(nodes, energy)
    variance = energy.var(axis=(1, 2))
    heat = [tau_int(x**2 * (e - e.mean()) ** 2) for x, e in zip(nodes, energy, strict=True)]
    size = np.array([mean[k].effective_sample_size for k in at])
    few = [f"{x:g}" for x, n in zip(segment.wanted, size, strict=True) if n < ENOUGH]
    values = np.array([m.value for m in mean])
    errors = np.array([m.error for m in mean])
    return Found(
        (log_z[0][at], log_z[1][at]),
        (values[at], errors[at]),
        ((nodes**2 * variance)[at], np.array([heat[k].error for k in at])),
        # One node of many: its share of the error of log Z is small.
        ((nodes * values + log_z[0])[at], np.hypot(nodes * errors, log_z[1])[at]),
        size,
        (f"fewer than {ENOUGH:g} effective draws at x = {', '.join(few)}",) if few else (),
    )


def between(ladder: np.ndarray) -> np.ndarray:
    """Nodes for an integral: `FINER` times as many steps as a ladder has.

    Examples
    --------
    >>> between(np.array([3.0, 0.0]))
    array([0., 1., 2., 3.])
    """
    n = len(ladder) - 1
    return np.interp(np.linspace(0, n, FINER * n + 1), np.arange(n + 1), ladder[::-1])


def integral(nodes: np.ndarray, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log Z relative to the first node, with errors, from energies (nodes, chains, draws).

    The trapezoidal rule, corrected at both ends of each step by the slope of the mean energy, which is minus
    its variance (Euler and Maclaurin). What every other node gives tells the error of the quadrature, which
    is added to that of the draws.
    """
    mean, variance = energy.mean(axis=(1, 2)), energy.var(axis=(1, 2))
    fine = _cumulative(nodes, mean, variance)
    some = np.unique(np.append(np.arange(0, len(nodes), 2), len(nodes) - 1))
    coarse = np.interp(
        nodes, nodes[some], _cumulative(nodes[some], mean[some], variance[some]) - fine[some]
    )
    steps = np.diff(nodes)
    before, after = np.append(0.0, steps), np.append(steps, 0.0)
    squares, ends = np.zeros(len(nodes)), np.zeros(len(nodes))
    for k, e in enumerate(energy):
        d = e - mean[k]
        of_variance = d**2 - variance[k]

        def error(left: float, right: float) -> float:
            straight, bent = (left + right) / 2, (left**2 - right**2) / 12
            return tau_int(straight * d + bent * of_variance).error  # noqa: B023

        squares[k], ends[k] = error(before[k], after[k]) ** 2, error(before[k], 0.0) ** 2
    statistical = np.cumsum(np.append(0.0, squares[:-1])) + ends
    return fine, np.sqrt(statistical + (coarse / ORDER) ** 2)


def _cumulative(x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Minus the integral of the mean energy from the first x on."""
    h = np.diff(x)
    steps = h * (mean[1:] + mean[:-1]) / 2 + h**2 * (variance[1:] - variance[:-1]) / 12
    return np.append(0.0, -np.cumsum(steps))


def _chains(segment: Segment, nodes: np.ndarray, effort: Effort, advance: Advance) -> np.ndarray:
    """Energies (nodes, chains, draws) of independent chains."""
    n = effort.chains * len(nodes)
    sampler = segment.compile(n)
    chain, index = np.tile(np.arange(effort.chains), len(nodes)), np.arange(n) // effort.chains
    state = sampler.start(effort.seed, chain, index, nodes[index], effort.init)
    recorder = Recorder(sampler, effort.draws, n, ())
    run_chains(sampler, state, recorder, effort.tune, effort.draws, effort.thin, advance)
    return recorder.arrays()["energy"].reshape(len(nodes), effort.chains, -1)

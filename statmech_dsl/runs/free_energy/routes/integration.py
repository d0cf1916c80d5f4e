"""Thermodynamic integration: independent chains along the segment, and the integral of the mean energy."""

from __future__ import annotations

import warnings

import numpy as np

from statmech_dsl.errors import CoarseGridWarning
from statmech_dsl.estimators import ThermodynamicIntegral, tau_int, thermodynamic_integration
from statmech_dsl.results import Recorder
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.nodes import finer, pilot_ladder
from statmech_dsl.runs.free_energy.segment import Effort, Segment, too_few
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.sample import run_chains
from statmech_dsl.runs.tempering import EXPECTED

PILOT = 1 << 32
"""Of the seed: pilots must not walk the way that the chains walk."""
FINER = 3
"""Steps of the integral for one of the ladder: neighbors of a ladder may be far apart for a parabola."""


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Place nodes where the energy changes, sample each by itself, integrate."""
    nodes = segment.wanted
    if not segment.is_point:
        sampler = segment.compile(effort.chains * EXPECTED)
        ladder = pilot_ladder(sampler, segment, effort, effort.seed ^ PILOT, advance)
        nodes = grid(ladder, segment.wanted)
    energy = _chains(segment, nodes, effort, advance)
    at = np.searchsorted(nodes, segment.wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseGridWarning)
        integrals = [integral(nodes[: k + 1], energy[..., : k + 1]) for k in at]
    own = [energy[..., k] for k in at]
    mean = [tau_int(e) for e in own]
    rows = []
    for x, e, m, f in zip(segment.wanted, own, mean, integrals, strict=True):
        deviation = e - e.mean()
        rows.append(
            (
                (-f.value, f.error),
                (m.value, m.error),
                (x**2 * e.var(), tau_int(x**2 * deviation**2).error),
                (
                    x * m.value - f.value,
                    float(np.hypot(tau_int(x * deviation - f.influence).error, f.quadrature_error)),
                ),
            )
        )
    size = np.array([m.effective_sample_size for m in mean])
    trouble = (*too_few(segment.wanted, size), *_coarse(segment.wanted, integrals))
    return Curve.of_rows(rows, size, trouble)


def grid(ladder: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Nodes for integrals up to all that are wanted: `FINER` times as many steps as a ladder has.

    Examples
    --------
    >>> grid(np.array([3.0, 0.0]), np.array([3.0]))
    array([0., 1., 2., 3.])
    """
    first = ladder[-1]
    beyond = wanted[wanted > first]
    before = np.linspace(first, beyond[0], 4)[1:3] if beyond.size else wanted[:0]
    return np.unique(np.concatenate([finer(ladder, FINER), wanted, before]))


def integral(nodes: np.ndarray, energy: np.ndarray) -> ThermodynamicIntegral:
    """The integral of the mean energy (chains, draws, nodes) up to the last node; 0 at the first."""
    if len(nodes) == 1:
        return ThermodynamicIntegral(0.0, 0.0, 0.0, 0.0, np.zeros(energy.shape[:2]))
    return thermodynamic_integration(nodes, energy, linear=True)


def _coarse(wanted: np.ndarray, integrals: list[ThermodynamicIntegral]) -> tuple[str, ...]:
    coarse = [
        f"{x:g}"
        for x, f in zip(wanted, integrals, strict=True)
        if f.quadrature_error > f.statistical_error
    ]
    return (f"the grid is too coarse up to x = {', '.join(coarse)}",) if coarse else ()


def _chains(segment: Segment, nodes: np.ndarray, effort: Effort, advance: Advance) -> np.ndarray:
    """Energies (chains, draws, nodes) of independent chains."""
    n = effort.chains * len(nodes)
    sampler = segment.compile(n)
    chain, index = np.tile(np.arange(effort.chains), len(nodes)), np.arange(n) // effort.chains
    state = sampler.start(effort.seed, chain, index, nodes[index], effort.init)
    recorder = Recorder(sampler, effort.draws, n, ())
    run_chains(sampler, state, recorder, effort.tune, effort.draws, effort.thin, advance)
    energy = recorder.arrays()["energy"].reshape(len(nodes), effort.chains, -1)
    return np.moveaxis(energy, 0, 2)

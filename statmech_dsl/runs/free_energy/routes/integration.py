"""Thermodynamic integration: replicas swap along the segment, and the mean energy is integrated.

They swap because a mean needs all wells of the energy, each with its weight. A chain by itself may stay in
one of them for longer than it runs, and nothing in it shows what is missing.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from statmech_dsl.errors import CoarseGridWarning
from statmech_dsl.estimators import ThermodynamicIntegral, tau_int, thermodynamic_integration
from statmech_dsl.estimators.integration import SLOWEST
from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.nodes import finer, pilot_ladder
from statmech_dsl.runs.free_energy.routes.tempering import ladder_energies
from statmech_dsl.runs.free_energy.segment import Effort, Segment, too_few
from statmech_dsl.runs.progress import Advance
from statmech_dsl.runs.tempering import EXPECTED

APART = 1 << 32
"""Of the seed: replicas must not walk the way of those of tempering."""
FINER = 3
"""Steps of the integral for one of the ladder: neighbors of a ladder may be far apart for a parabola."""


def run(segment: Segment, effort: Effort, advance: Advance) -> Curve:
    """Place nodes where the energy changes, sample all of them, integrate."""
    nodes, effort = segment.wanted, replace(effort, seed=effort.seed ^ APART)
    if not segment.is_point:
        sampler = segment.compile(effort.chains * EXPECTED)
        ladder = pilot_ladder(sampler, segment, effort, effort.seed, advance)
        nodes = grid(ladder, segment.wanted)
    energy = node_energies(segment, nodes, effort, advance)
    at = np.searchsorted(nodes, segment.wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseGridWarning)
        integrals = [integral(nodes[: k + 1], energy[..., : k + 1]) for k in at]
    means = [tau_int(energy[..., k]) for k in range(len(nodes))]
    rows = []
    for x, k, f in zip(segment.wanted, at, integrals, strict=True):
        e, m = energy[..., k], means[k]
        deviation = e - e.mean()
        of_entropy = tau_int(x * deviation - f.influence, S=SLOWEST)
        rows.append(
            (
                (-f.value, f.error),
                (m.value, m.error),
                (x**2 * e.var(), tau_int(x**2 * deviation**2).error),
                (x * m.value - f.value, float(np.hypot(of_entropy.error, f.quadrature_error))),
            )
        )
    size = np.array([m.effective_sample_size for m in means])
    trouble = (*too_few(nodes, size), *_coarse(segment.wanted, integrals))
    return Curve.of_rows(rows, size[at], trouble)


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


def node_energies(
    segment: Segment, nodes: np.ndarray, effort: Effort, advance: Advance
) -> np.ndarray:
    """Energies (chains, draws, nodes) of replicas that swap nodes, which ascend."""
    sampler = segment.compile(effort.chains * len(nodes))
    return np.flip(ladder_energies(sampler, np.flip(nodes), None, effort, advance), axis=2)

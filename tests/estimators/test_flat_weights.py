"""Draws under known weights: three levels whose law is known."""

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import FlatWeights, density_of_states, tau_int

ENERGY, STATES = np.array([0.0, 1.0, 3.0]), np.array([2.0, 5.0, 1.0])
LAW = np.array([0.3, -1.0, 1.2])
"""Log weights of a run, far from flat."""


def levels(seed, draws=400):
    p = STATES * np.exp(LAW)
    return np.random.default_rng(seed).choice(3, size=(4, draws), p=p / p.sum())


def exact(beta):
    w = STATES * np.exp(-beta * ENERGY)
    return (w @ ENERGY) / w.sum(), np.log(w.sum() / STATES.sum())


def test_coverage_of_means_and_log_z():
    z = []
    for seed in range(200):
        k = levels(seed)
        weights = FlatWeights(ENERGY[k], -LAW[k] + 700.0).at(1.3)
        mean, influence = weights.mean(ENERGY[k][..., None])
        u, log_z = exact(1.3)
        z.append(
            [
                (mean - u) / tau_int(influence).error,
                (weights.log_partition - log_z) / tau_int(weights.log_partition_influence).error,
            ]
        )
    assert np.abs(np.mean(z, axis=0)).max() < 0.3
    assert ((np.mean(np.square(z), axis=0) > 0.7) & (np.mean(np.square(z), axis=0) < 1.4)).all()


def test_a_constant_in_the_weights_and_far_energies_change_nothing():
    k = levels(1)
    a = FlatWeights(ENERGY[k], -LAW[k]).at(2.0)
    b = FlatWeights(ENERGY[k] - 4000.0, -LAW[k] + 1e4).at(2.0)
    np.testing.assert_allclose(a.w, b.w, rtol=1e-9)
    assert b.log_partition == pytest.approx(a.log_partition + 2.0 * 4000.0)


def test_at_infinite_temperature_log_z_is_exact():
    k = levels(2)
    weights = FlatWeights(ENERGY[k], -LAW[k]).at(0.0)
    assert weights.log_partition == 0
    assert np.abs(weights.log_partition_influence).max() < 1e-12


def test_every_draw_has_a_weight():
    with pytest.raises(DiagnosticsError, match="4 energies, 6 weights"):
        FlatWeights(np.zeros((2, 2)), np.zeros((2, 3)))


def test_coverage_of_the_density_of_states():
    z = []
    for seed in range(200):
        counts = (levels(seed).reshape(4, 20, 20)[..., None] == np.arange(3)).sum(axis=2)
        found = density_of_states(counts, LAW, np.log(8.0))
        assert np.exp(found.value).sum() == pytest.approx(8.0)
        z.append((found.value - np.log(STATES)) / found.error)
    assert ((np.mean(np.square(z), axis=0) > 0.7) & (np.mean(np.square(z), axis=0) < 1.4)).all()


def test_a_level_seen_in_one_block_has_an_infinite_error():
    counts = np.full((2, 10, 2), 5)
    counts[..., 1] = 0
    counts[0, 3, 1] = 1
    found = density_of_states(counts, np.zeros(2))
    assert np.isfinite(found.value).all()
    assert np.isinf(found.error[1])

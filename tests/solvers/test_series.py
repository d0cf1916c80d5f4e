"""Truncated power series."""

import numpy as np
import pytest

from statmech_dsl.errors import ImproperDistributionError
from statmech_dsl.solvers.series import boltzmann, scaled, toeplitz


def at(series, d):
    return series @ np.array([1.0, d, d**2])


def test_products_are_cut_convolutions():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3))
    np.testing.assert_allclose(a @ toeplitz(b), np.convolve(a, b)[:3])


def test_boltzmann_factors_near_beta():
    rng = np.random.default_rng(1)
    E, fixed, d = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 1e-4
    series, log_scale = boltzmann(E, fixed, 0.7)
    value = at(series, d) * np.exp(at(log_scale, d))
    np.testing.assert_allclose(value, np.exp(-(0.7 + d) * E - fixed), rtol=1e-10)
    assert series[..., 0].max() == 1.0


def test_scaling_leaves_the_value():
    rng = np.random.default_rng(1)
    a, d = rng.random(size=(5, 3)), 1e-4
    series, log_scale = scaled(a)
    np.testing.assert_allclose(at(series, d) * np.exp(at(log_scale, d)), at(a, d), rtol=1e-10)
    np.testing.assert_allclose(series[a[:, 0].argmax()], [1, 0, 0], atol=1e-15)


def test_no_weight_at_all():
    with pytest.raises(ImproperDistributionError):
        boltzmann(np.zeros(2), np.full(2, np.inf), 1.0)
    with pytest.raises(ImproperDistributionError):
        scaled(np.zeros((2, 3)))

import warnings

import numpy as np
import pytest

from statmech_dsl.errors import CoarseGridWarning, DiagnosticsError
from statmech_dsl.estimators import gauss_legendre, tau_int, thermodynamic_integration

UNEVEN = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.3, 1.4, 1.8, 2.0])


def constant(f, x):
    """A series without noise."""
    return np.tile(f(x), (2, 10, 1))


def cubic(x):
    return x**3 - 4 * x**2 - 5 * x + 1


INTEGRAL = 2**4 / 4 - 4 * 2**3 / 3 - 5 * 2**2 / 2 + 2


def test_a_spline_is_exact_for_cubics():
    found = thermodynamic_integration(UNEVEN, constant(cubic, UNEVEN))
    assert found.value == pytest.approx(INTEGRAL, abs=1e-12)
    assert found.error < 1e-12


def test_slopes_are_minus_the_variance():
    slope = 3 * UNEVEN**2 - 8 * UNEVEN - 5
    assert (slope < 0).all()
    pm = np.where(np.arange(10) % 2, 1.0, -1.0)[:, None] * np.sqrt(-slope)
    series = np.tile(cubic(UNEVEN) + pm, (2, 1, 1))
    found = thermodynamic_integration(UNEVEN, series, linear=True)
    assert found.value == pytest.approx(INTEGRAL, abs=1e-12)
    without = thermodynamic_integration(UNEVEN[[0, 4, 8]], series[..., [0, 4, 8]], linear=True)
    assert without.value == pytest.approx(INTEGRAL, abs=1e-12), "two intervals are enough"


def test_gauss_is_exact_for_a_quintic_at_three_nodes():
    x = gauss_legendre(3, 0.0, 2.0)
    with pytest.warns(CoarseGridWarning):
        found = thermodynamic_integration(x, constant(lambda x: x**5, x), interval=(0.0, 2.0))
    assert found.value == pytest.approx(2**6 / 6, abs=1e-12)


def test_the_quadrature_error_bounds_that_of_the_rule():
    def bend(x):
        return np.tanh(8 * (x - 0.7))

    exact = np.log(np.cosh(8 * 1.3) / np.cosh(8 * 0.7)) / 8
    for n in (7, 9, 13):
        x = np.linspace(0, 2, n)
        with pytest.warns(CoarseGridWarning, match="nodes is coarse"):
            found = thermodynamic_integration(x, constant(bend, x))
        assert abs(found.value - exact) < 2 * found.quadrature_error
        assert found.error == found.quadrature_error


def test_noise_is_no_quadrature_error():
    x = np.linspace(1, 2, 9)
    noise = np.random.default_rng(1).normal(size=(4, 200, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = thermodynamic_integration(x, 1 / x + noise)
    assert found.quadrature_error < 0.3 * found.statistical_error


def test_draws_of_one_moment_may_hang_together():
    x = np.linspace(0, 1, 5)
    noise = np.random.default_rng(1).normal(size=(4, 500, 1))
    found = thermodynamic_integration(x, np.repeat(noise, 5, axis=2))
    # A longer window than others have: what is slow at some node is part of the error.
    assert found.error == pytest.approx(tau_int(noise[..., 0], S=4.0).error, rel=1e-6)


def test_replicas_are_further_axes():
    x = np.linspace(0, 1, 5)
    noise = np.random.default_rng(1).normal(size=(4, 500, 5, 3))
    one = thermodynamic_integration(x, noise[..., 0], linear=True)
    many = thermodynamic_integration(x, noise, linear=True)
    assert many.influence.shape == (4, 500)
    assert many.error == pytest.approx(one.error / 3**0.5, rel=0.2)


def test_mistakes_are_named():
    x = np.linspace(0, 1, 5)
    with pytest.raises(DiagnosticsError, match="three or more nodes"):
        thermodynamic_integration(x[:2], np.zeros((1, 10, 2)))
    with pytest.raises(DiagnosticsError, match="three or more nodes"):
        thermodynamic_integration(x, np.zeros((1, 10, 4)))
    with pytest.raises(DiagnosticsError, match="ascend"):
        thermodynamic_integration(x[::-1], np.zeros((1, 10, 5)))
    with pytest.raises(DiagnosticsError, match="nodes of Gauss"):
        thermodynamic_integration(x, np.zeros((1, 10, 5)), interval=(0.0, 1.0))

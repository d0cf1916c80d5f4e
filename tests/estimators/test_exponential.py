import warnings

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError, OverlapWarning
from statmech_dsl.estimators import exponential
from tests.estimators.processes import ar1


def test_the_average_written_out():
    w = np.array([0.3, 1.2, 0.7, 0.1] * 20)
    found = exponential(w)
    v = np.exp(-w)
    assert found.value == pytest.approx(-np.log(v.mean()))
    np.testing.assert_allclose(found.influence[0], 1 - v / v.mean(), atol=1e-12)
    assert found.bias == pytest.approx(found.error**2 / 2)


def test_an_offset_is_exact():
    w = ar1(1, 0.0, (2, 500))
    plain, moved = exponential(w), exponential(w + 1e4)
    assert moved.value - plain.value == pytest.approx(1e4, rel=1e-12)
    assert moved.error == pytest.approx(plain.error, rel=1e-6)


def test_sigma_and_size_are_those_of_normal_works():
    found = exponential(1.2 * ar1(1, 0.0, (4, 5000)))
    assert found.sigma == pytest.approx(1.2, rel=0.02)
    assert found.effective_size == pytest.approx(20000 * np.exp(-(1.2**2)), rel=0.15)


def test_bias_is_that_of_many_repeats():
    works = 0.5 * np.random.default_rng(1).normal(size=(10000, 100))
    values = -np.log(np.exp(-works).mean(axis=1)) - works.mean(axis=1)  # of mean 0: less noise
    bias = values.mean() + 0.5**2 / 2
    found = exponential(0.5 * ar1(1, 0.0, (1, 100_000)))
    assert found.bias * 1000 == pytest.approx(bias, rel=0.25)


def test_autocorrelation_counts():
    fast, slow = (exponential(0.5 * ar1(1, phi, (4, 2000))) for phi in (0.0, 0.8))
    assert slow.error > 2 * fast.error
    assert slow.effective_size < fast.effective_size / 4


def test_replicas_of_a_moment_are_a_further_axis():
    w = 0.5 * ar1(1, 0.0, (2, 3, 400)).swapaxes(1, 2)
    one, many = exponential(w[..., 0]), exponential(w)
    assert many.influence.shape == (2, 400)
    assert many.error == pytest.approx(one.error / 3**0.5, rel=0.2)


def test_a_missing_tail_is_seen():
    """The weights alone would say that 200 draws are worth 8; there are none in the tail that counts."""
    with pytest.warns(OverlapWarning, match="kT"):
        found = exponential(4 * ar1(1, 0.0, (1, 200)))
    assert found.effective_size < 1


def test_works_that_are_large_do_no_harm():
    w = np.where(np.arange(1000) % 3 == 0, 1e10, 0.1 * ar1(1, 0.0, (1000,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = exponential(w)
    assert found.value == pytest.approx(np.log(1000 / 666), abs=0.02)


def test_bad_works_are_refused():
    with pytest.raises(DiagnosticsError, match="works, chain 0, draw 1"):
        exponential([1.0, np.nan])

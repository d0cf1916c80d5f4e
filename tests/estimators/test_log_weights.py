import warnings

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError, OverlapWarning, SmallPopulationWarning
from statmech_dsl.estimators import LogWeights, exponential
from statmech_dsl.estimators.families import log_mean_exp


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def test_one_addition_is_an_exponential_average():
    w = 0.7 * normal(1, 500)
    weights, average = LogWeights(500, log_partition=3.0), exponential(w)
    weights.add(-w)
    found = weights.estimate()
    assert found.value == pytest.approx(3 - average.value)
    assert found.error == pytest.approx(average.error)
    assert found.effective_size == pytest.approx(average.effective_size, rel=0.3)


def test_additions_multiply():
    a, b = 0.3 * normal(1, 2, 100), 0.3 * normal(2, 2, 100)
    one, two = LogWeights(100, runs=2), LogWeights(100, runs=2)
    one.add(a + b)
    two.add(a)
    two.add(b)
    np.testing.assert_allclose(one.log_partition, log_mean_exp(a + b))
    np.testing.assert_allclose(two.log_partition, one.log_partition)
    assert two.error == pytest.approx(one.error)


def test_resampling_by_whole_numbers_changes_nothing():
    """Weights of 2 and next to 0 become copies; what is added later means the same."""
    first = np.tile(np.log([2.0, 1e-300]), 50)
    rows = np.repeat(np.arange(0, 100, 2), 2)
    later = np.repeat(0.1 * normal(1, 50), 2)
    kept, copied = LogWeights(100), LogWeights(100)
    kept.add(first)
    kept.add(later)
    copied.add(first)
    before = copied.error
    copied.resample(rows)
    assert copied.error == before, "copies do not know more than weights"
    np.testing.assert_array_equal(copied.families[0], rows)
    copied.add(later)
    assert copied.log_partition[0] == pytest.approx(kept.log_partition[0])
    np.testing.assert_allclose(copied.share[0][::2] * 2, kept.share[0][::2], rtol=1e-9)


def test_members_of_a_family_are_not_independent():
    """Four copies of each fourth member: later weights that families share have the scatter of a quarter."""
    rows = np.repeat(np.arange(0, 4000, 4), 4)
    shared, own = np.repeat(0.1 * normal(1, 1000), 4), 0.1 * normal(2, 4000)
    errors = []
    for later in (shared, own):
        weights = LogWeights(4000)
        weights.resample(rows)
        weights.add(later)
        errors.append(weights.error)
    assert errors[0] == pytest.approx(0.1 / 1000**0.5, rel=0.2)
    assert errors[1] == pytest.approx(0.1 / 4000**0.5, rel=0.2)


def test_large_families_are_named():
    weights = LogWeights(2000)
    weights.resample(np.repeat(np.arange(0, 2000, 100), 100))
    with pytest.warns(SmallPopulationWarning, match="rho_t is 100"):
        weights.estimate()


def test_new_draws_add_errors_in_quadrature():
    a, b = 0.5 * normal(1, 1, 800), 0.3 * normal(2, 1, 800)
    alone = []
    for x in (a, b):
        weights = LogWeights(800)
        weights.add(x)
        alone.append(weights)
    both = LogWeights(800)
    both.add(a)
    both.renew()
    both.add(b)
    assert both.log_partition == pytest.approx(sum(w.log_partition for w in alone))
    assert both.error == pytest.approx(np.hypot(alone[0].error, alone[1].error))
    assert both.errors[0] == pytest.approx(both.error)
    both.renew()
    assert both.error == pytest.approx(np.hypot(alone[0].error, alone[1].error))


def test_runs_are_weighted_by_what_they_found():
    weights = LogWeights(200, runs=2)
    weights.add(0.1 * normal(1, 2, 200) + [[0.0], [1.0]])
    found = weights.estimate()
    assert found.value == pytest.approx(np.log(np.exp(weights.log_partition).mean()))
    np.testing.assert_array_equal(found.runs, weights.log_partition)
    assert found.error > 0.2, "runs that disagree have more than the error of each"


def test_few_weights_are_named():
    weights = LogWeights(1000)
    weights.add(5 * normal(1, 1000))
    with pytest.warns(OverlapWarning, match="members of 1000"):
        weights.estimate()


def test_even_weights_are_not():
    weights = LogWeights(1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights.add(np.full(1000, -7.0))
        found = weights.estimate()
    assert (found.value, found.error, found.effective_size) == (-7.0, 0.0, 1000)
    assert found.rho_t == pytest.approx(1)


@pytest.mark.parametrize("bad", [np.zeros(9), np.full(10, np.nan), np.zeros((2, 10))])
def test_weights_that_do_not_fit(bad):
    with pytest.raises(DiagnosticsError, match="every member"):
        LogWeights(10).add(bad)

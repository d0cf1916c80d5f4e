import warnings

import numpy as np
import pytest
from scipy.special import log_expit

from statmech_dsl.errors import DiagnosticsError, DisagreementWarning, OverlapError, OverlapWarning
from statmech_dsl.estimators import bar, crossing, exponential
from tests.estimators.processes import ar1

SIGMA, DIFFERENCE = 1.3, 2.0


def works(seed, shape=(4, 500), sigma=SIGMA):
    """Normal works that obey Crooks' theorem."""
    x, y = (sigma * ar1(2 * seed + k, 0.0, shape) + sigma**2 / 2 for k in (0, 1))
    return x + DIFFERENCE, y - DIFFERENCE


def test_the_line_is_that_of_maximum_likelihood():
    w0, w1 = works(1)
    found = crossing(w0, w1)

    def likelihood(at, slope):
        return (log_expit(slope * (w0 - at)) + log_expit(slope * (w1 + at))).sum()

    best = likelihood(found.value, found.slope)
    for da, db in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert likelihood(found.value + da, found.slope + db) < best


def test_both_errors_are_the_scatter():
    found = [crossing(*works(seed, (1, 400))) for seed in range(100)]
    for values, errors, exact in (
        ([f.value for f in found], [f.error for f in found], DIFFERENCE),
        ([f.slope for f in found], [f.slope_error for f in found], 1.0),
    ):
        z = (np.array(values) - exact) / errors
        assert 0.75 < np.mean(z**2) < 1.3
        assert abs(z.mean()) < 0.3


def test_its_parts_are_the_other_estimates():
    w0, w1 = works(1)
    found = crossing(w0, w1)
    assert found.difference.value == bar(w0, w1).value
    assert found.forward.value == exponential(w0).value
    assert found.reverse.value == -exponential(w1).value
    assert found.disagreement < 4
    assert found.bridging == pytest.approx(found.difference.overlap * 1000)


def test_works_that_break_the_theorem_are_named():
    w0, w1 = works(1)
    with pytest.warns(DisagreementWarning, match="slope 0.49"):
        crossing(2 * w0, 2 * w1)


def test_works_that_obey_it_are_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(8):
            crossing(*works(seed))


def test_far_histograms_are_named():
    with pytest.warns(OverlapWarning, match="little in common"):
        crossing(*works(1, sigma=5.5))
    with pytest.raises(OverlapError, match="do not meet"):
        crossing(*works(1, sigma=20.0))


def test_replicas_are_further_axes():
    w0, w1 = works(1, (2, 300, 3))
    found = crossing(w0, w1)
    flat = crossing(w0.swapaxes(1, 2).reshape(6, 300), w1.swapaxes(1, 2).reshape(6, 300))
    assert found.value == pytest.approx(flat.value)
    assert found.error == pytest.approx(flat.error, rel=0.2)


def test_bad_works_are_refused():
    with pytest.raises(DiagnosticsError, match="reverse"):
        crossing([1.0, 2.0], [1.0, np.inf])

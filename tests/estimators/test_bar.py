import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import bar
from tests.estimators.processes import ar1

A, SHIFT = 0.5, 1.3
"""Normal distributions: u_0 = x^2 / 2, u_1 = x^2 / (2 A^2) + SHIFT."""
EXACT = SHIFT - np.log(A)


def works(x0, x1):
    def difference(x):
        return x**2 * (1 / A**2 - 1) / 2 + SHIFT

    return difference(x0), -difference(x1 * A)


def test_the_difference_solves_the_equation():
    w0, w1 = works(ar1(1, 0.0, (2, 50)), ar1(2, 0.0, (2, 50)))
    found = bar(w0, w1)
    left = np.sum(1 / (1 + np.exp(w0 - found.value)))
    assert left == pytest.approx(np.sum(1 / (1 + np.exp(w1 + found.value))))
    assert found.influence.shape == (2, 50)
    assert found.influence.mean() == pytest.approx(0, abs=1e-12)


def test_influence_is_what_leaving_a_draw_out_changes():
    w0, w1 = works(ar1(1, 0.0, (1, 400)), ar1(2, 0.0, (1, 400)))
    found = bar(w0, w1)
    for t in (0, 17, 203):
        keep = np.arange(400) != t
        change = bar(w0[:, keep], w1[:, keep]).value - found.value
        assert change == pytest.approx(-found.influence[0, t] / 399, rel=0.05, abs=1e-6)


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_coverage_for_correlated_draws(phi):
    z = []
    for seed in range(200):
        w0, w1 = works(ar1(seed, phi, (4, 500)), ar1(1000 + seed, phi, (4, 500)))
        found = bar(w0, w1)
        z.append((found.value - EXACT) / found.error)
    assert 0.75 < np.mean(np.square(z)) < 1.3
    assert abs(np.mean(z)) < 0.3


def test_draws_of_one_moment_may_hang_together():
    """Where both states see the same noise, an error that took them for independent would be wrong."""
    z = []
    for seed in range(200):
        x = ar1(seed, 0.0, (2, 500))
        found = bar(*works(x, x))
        z.append((found.value - EXACT) / found.error)
    assert 0.75 < np.mean(np.square(z)) < 1.3


def test_replicas_of_a_moment_are_a_further_axis():
    x0, x1 = ar1(1, 0.0, (2, 3, 400)).swapaxes(1, 2), ar1(2, 0.0, (2, 3, 400)).swapaxes(1, 2)
    one, many = bar(*works(x0[..., 0], x1[..., 0])), bar(*works(x0, x1))
    assert many.error == pytest.approx(one.error / 3**0.5, rel=0.2)
    assert abs(many.value - EXACT) < 4 * many.error


def test_overlap_tells_near_from_far():
    x = ar1(1, 0.0, (2, 500))
    assert bar(0 * x, 0 * x).overlap == pytest.approx(1)
    assert bar(0 * x, 0 * x).value == 0
    far = bar(20 + x, 20 + x)
    assert far.overlap < 1e-6


def test_bad_draws_are_refused():
    with pytest.raises(DiagnosticsError, match="forward"):
        bar([1.0, np.nan], [1.0, 2.0])

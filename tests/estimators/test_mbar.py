import warnings

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from statmech_dsl.errors import DiagnosticsError, OverlapError, OverlapWarning
from statmech_dsl.estimators import MBAR, Multihistogram, bar, exponential
from tests.estimators.processes import ar1

K, C, S = (
    np.array([1.0, 2.0, 4.0, 1.5]),
    np.array([0.0, 0.5, 1.0, 2.0]),
    np.array([0.0, 3.0, -2, 7]),
)
"""Oscillators: u = K (x - C)^2 / 2 + S."""
EXACT = S + np.log(K) / 2
COUNTS = np.array([150, 100, 200, 0])
PYMBAR_F = [0.0, 3.34476856205, -1.30899598631, 7.31766454316]
PYMBAR_ERROR = [0.0, 0.04218383783, 0.0732331265, 0.19671944088]
PYMBAR_OVERLAP = [0.50659227856, 0.22588772173, 0.26751999971, 0.0]


def potentials(x):
    return K[:, None] * (x - C[:, None]) ** 2 / 2 + S[:, None]


def quantiles(counts=COUNTS):
    """Draws that are the same everywhere: quantiles of each state."""
    parts = [
        c + ndtri((np.arange(n) + 0.5) / n) / k**0.5 for n, k, c in zip(counts, K, C, strict=True)
    ]
    return potentials(np.concatenate(parts))


def drawn(seed, counts=COUNTS):
    rng = np.random.default_rng(seed)
    return potentials(
        np.concatenate([rng.normal(*z) for z in zip(C, K**-0.5, counts, strict=True)])
    )


def test_figures_of_pymbar():
    """From pymbar 4.0.3, on the same numbers."""
    pool = MBAR(quantiles(), COUNTS)
    np.testing.assert_allclose(pool.free_energy, PYMBAR_F, atol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(pool.covariance)), PYMBAR_ERROR, atol=1e-9)
    np.testing.assert_allclose(pool.overlap_matrix[0], PYMBAR_OVERLAP, atol=1e-9)


def test_beside_pymbar_where_it_is_installed():
    pymbar = pytest.importorskip("pymbar")
    u = drawn(3)
    ours, theirs = MBAR(u, COUNTS), pymbar.MBAR(u, COUNTS)
    found = theirs.compute_free_energy_differences()
    np.testing.assert_allclose(ours.free_energy, found["Delta_f"][0], atol=1e-8)
    error = np.sqrt(np.diag(ours.covariance))
    np.testing.assert_allclose(error, found["dDelta_f"][0], atol=1e-8)
    np.testing.assert_allclose(ours.overlap_matrix, theirs.compute_overlap()["matrix"], atol=1e-8)


def test_two_states_are_bennetts_acceptance_ratio():
    u = drawn(1, [300, 300, 0, 0])[:2]
    w = u[1] - u[0]
    difference = bar(w[:300], -w[300:])
    pool = MBAR(u, [300, 300])
    found = pool.difference(0, 1)
    assert found.value == pytest.approx(difference.value, abs=1e-9)
    assert pool.free_energy[1] == pytest.approx(difference.value, abs=1e-9)
    moments = found.influence.reshape(2, 300).mean(axis=0)
    np.testing.assert_allclose(moments, difference.influence[0], atol=1e-8)


def test_temperatures_are_multiple_histograms():
    beta = np.array([2.0, 1.0, 1.5])
    energy = np.random.default_rng(1).gamma(3.0, 1 / beta, size=(1, 400, 3))
    draws = energy[0].T.ravel()
    pool = MBAR(beta[:, None] * draws, [400] * 3)
    logs = Multihistogram(energy, beta).log_partition
    np.testing.assert_allclose(pool.free_energy, logs[0] - logs, atol=1e-9)


def test_shifts_of_potentials_are_exact():
    u, shift = drawn(1), np.array([1e4, -3e3, 0.0, 50.0])
    plain, moved = MBAR(u, COUNTS), MBAR(u + shift[:, None], COUNTS)
    np.testing.assert_allclose(moved.free_energy, plain.free_energy + shift - shift[0], atol=1e-7)
    np.testing.assert_allclose(moved.covariance, plain.covariance, atol=1e-9)


def test_the_order_of_states_does_not_matter():
    u, order = drawn(1), [2, 3, 0, 1]
    ends = np.cumsum(COUNTS)
    columns = np.concatenate([np.arange(ends[k] - COUNTS[k], ends[k]) for k in order])
    one, other = MBAR(u, COUNTS), MBAR(u[order][:, columns], COUNTS[order])
    f = one.free_energy[order]
    np.testing.assert_allclose(other.free_energy, f - f[0], atol=1e-9)
    assert other.difference(0, 3).error == pytest.approx(one.difference(2, 1).error, rel=1e-6)


def test_both_errors_agree_for_independent_draws():
    counts = 20 * COUNTS
    pool = MBAR(drawn(1, counts), counts)
    for i, j in ((0, 1), (0, 3), (2, 3)):
        a = np.zeros(4)
        a[j], a[i] = 1, -1
        asymptotic = np.sqrt(a @ pool.covariance @ a)
        found = pool.difference(i, j)
        assert found.error == pytest.approx(asymptotic, rel=0.1)
        assert abs(found.value - EXACT[j] + EXACT[i]) < 4 * found.error


def test_errors_allow_for_autocorrelation():
    fast, slow = (
        np.concatenate([(C[k] + ar1(k, phi, (4, 500)) / K[k] ** 0.5).ravel() for k in range(4)])
        for phi in (0.0, 0.8)
    )
    errors = [
        MBAR(potentials(x), [2000] * 4, chains=4).difference(0, 3).error for x in (fast, slow)
    ]
    assert errors[1] > 2 * errors[0]


def test_means():
    pool = MBAR(drawn(1), COUNTS)
    one = pool.mean(np.ones(450), 3)
    assert one.value == pytest.approx(1, abs=1e-9)
    assert one.error < 1e-9
    u = drawn(1)
    # The mean of u is the derivative of f by a scale of u, also in error.
    h = 1e-4
    up, down = (np.vstack([u, s * u[:1]]) for s in (1 + h, 1 - h))
    f = [MBAR(x, [*COUNTS, 0]).difference(0, 4).value for x in (up, down)]
    assert pool.mean(u[0], 0).value == pytest.approx((f[0] - f[1]) / (2 * h), abs=1e-6)
    influence = [MBAR(x, [*COUNTS, 0]).difference(0, 4).influence for x in (up, down)]
    expected = (influence[0] - influence[1]) / (2 * h)
    np.testing.assert_allclose(pool.mean(u[0], 0).influence, expected, atol=1e-4)


def test_the_overlap_matrix_is_stochastic():
    pool = MBAR(drawn(1), COUNTS)
    np.testing.assert_allclose(pool.overlap_matrix.sum(axis=1), 1)
    assert (pool.overlap_matrix[:, 3] == 0).all(), "nothing was drawn from it"
    assert 0.3 < pool.overlap < 1
    assert (pool.effective_size[:3] >= COUNTS[:3]).all()


def test_walls():
    """Half of the draws of one state are impossible in the other, whose potential is huge there."""
    x = np.random.default_rng(1).normal(size=4000)
    x[2000:] = np.abs(x[2000:])
    u = np.stack([x**2 / 2, x**2 / 2 + np.where(x < 0, 1e12, 0.0) + 300])
    found = MBAR(u, [2000, 2000]).difference(0, 1)
    assert abs(found.value - 300 + np.log(ndtr(0))) < 4 * found.error < 0.2


def test_states_that_nothing_relates_are_named():
    c = np.array([0.0, 1.0, 60.0, 61.0])
    x = np.random.default_rng(1).normal(size=400) + np.repeat(c, 100)
    with pytest.raises(OverlapError, match="states 2, 3"):
        MBAR((x - c[:, None]) ** 2 / 2, [100] * 4)


def test_draws_of_one_state_are_an_exponential_average():
    u = drawn(1)[:2, :150]
    pool, found = MBAR(u, [150, 0]), exponential(u[1] - u[0])
    assert pool.difference(0, 1).value == pytest.approx(found.value)
    assert pool.difference(0, 1).error == pytest.approx(found.error)


def test_a_state_far_from_the_draws_is_named():
    c = np.array([0.0, 1.0, 6.0])
    x = np.random.default_rng(1).normal(size=400) + np.repeat(c[:2], 200)
    with pytest.warns(OverlapWarning, match="little about states 2"):
        MBAR((x - c[:, None]) ** 2 / 2, [200, 200, 0])


def test_many_like_states_are_no_poor_overlap():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = np.random.default_rng(1).normal(size=400)
        pool = MBAR(np.tile(x**2 / 2, (40, 1)), [10] * 40)
    assert pool.overlap == pytest.approx(1)
    np.testing.assert_allclose(pool.free_energy, 0, atol=1e-12)
    np.testing.assert_allclose(pool.covariance, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "chains", "match"),
    [
        ([200, 250, 0, 1], 1, "shape"),
        ([449, 0, 0, 1], 1, "two at least"),
        ([150, 100, 200, 0], 3, "equal length"),
        ([150, 300, 0], 1, "shape"),
        ([500, -50, 0, 0], 1, "two at least"),
    ],
)
def test_counts_that_do_not_fit(counts, chains, match):
    with pytest.raises(DiagnosticsError, match=match):
        MBAR(drawn(1), counts, chains=chains)


def test_potentials_must_be_finite():
    u = drawn(1)
    u[2, 7] = np.nan
    with pytest.raises(DiagnosticsError, match="state 2, draw 7"):
        MBAR(u, COUNTS)

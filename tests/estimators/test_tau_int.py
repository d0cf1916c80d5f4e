import warnings

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import tau_int
from tests.estimators.processes import ar1


def wolff_by_hand(chains, S=1.5):
    """Return mean, error, tau, tau_error and window, in loops as in the paper."""
    chains = np.asarray(chains)
    n_chains, n_draws = chains.shape
    n = chains.size
    x = chains - chains.mean()
    gamma = [
        sum(x[r, i] * x[r, i + t] for r in range(n_chains) for i in range(n_draws - t))
        / (n - n_chains * t)
        for t in range(n_draws // 2 + 1)
    ]
    tau = 0.5
    for W in range(1, len(gamma)):
        tau += gamma[W] / gamma[0]
        tau_w = S / np.log((2 * tau + 1) / (2 * tau - 1))
        if np.exp(-W / tau_w) - tau_w / np.sqrt(W * n) < 0:
            break
    C = gamma[0] + 2 * sum(gamma[1 : W + 1])
    gamma = [g + C / n for g in gamma]
    C = gamma[0] + 2 * sum(gamma[1 : W + 1])
    tau = C / (2 * gamma[0])
    return chains.mean(), np.sqrt(C / n), tau, 2 * tau * np.sqrt((W + 0.5 - tau) / n), W


@pytest.mark.parametrize("shape", [(1, 150), (3, 101)])
def test_agrees_with_the_formulas_of_the_paper_written_out(shape):
    chains = 7 + 3 * ar1(5, 0.7, shape)
    result = tau_int(chains)
    got = (result.value, result.error, result.tau, result.tau_error, result.window)
    np.testing.assert_allclose(got, wolff_by_hand(chains), rtol=1e-10)
    assert result.effective_sample_size == pytest.approx(chains.size / (2 * result.tau))


@pytest.mark.parametrize(
    ("phi", "shape"),
    [(0.0, (4, 500)), (0.5, (1, 2000)), (0.9, (4, 1000)), (0.5, (64, 40)), (-0.4, (1, 2000))],
)
def test_coverage_of_both_errors(phi, shape):
    results = [tau_int(ar1(seed, phi, shape)) for seed in range(300)]
    z = np.array([result.value / result.error for result in results])
    assert abs(z.mean()) < 0.2
    assert 0.8 < np.mean(z**2) < 1.25
    true = (1 + phi) / (1 - phi) / 2
    taus = np.array([result.tau for result in results])
    assert taus.mean() == pytest.approx(true, rel=0.04)
    if phi >= 0:  # the error of tau is meant for windows of several tau; it is rough below that
        errors = np.array([result.tau_error for result in results])
        assert np.std(taus) == pytest.approx(errors.mean(), rel=0.3)


@pytest.mark.parametrize(("phi", "shape"), [(0.9, (300, 3)), (0.9, (64, 20)), (0.95, (100, 1))])
def test_many_chains_shorter_than_tau_have_the_right_error(phi, shape):
    z = []
    for seed in range(300):
        result = tau_int(ar1(seed, phi, shape))
        z.append(result.value / result.error)
    assert 0.8 < np.mean(np.square(z)) < 1.25


def test_chains_that_disagree_have_the_error_of_their_means():
    wells = np.array([1, 1, -1, 1, -1, -1, 1, 1])[:, np.newaxis]
    chains = wells + 0.5 * ar1(3, 0.5, (8, 1000))
    result = tau_int(chains)
    assert result.error == pytest.approx(chains.mean(axis=1).std(ddof=1) / np.sqrt(8))
    assert result.tau > 100


def test_slight_disagreement_is_seen_too():
    # The offsets are a fifth of the spread within a chain: no window would ever see them.
    chains = 0.2 * np.arange(4)[:, np.newaxis] + ar1(3, 0.5, (4, 2000))
    result = tau_int(chains)
    assert result.error == pytest.approx(chains.mean(axis=1).std(ddof=1) / 2)
    assert tau_int(ar1(3, 0.5, (4, 2000))).error < result.error / 3


@pytest.mark.parametrize("phi", [-0.95, -0.9, -0.7])
def test_anticorrelated_draws_are_never_given_too_small_an_error(phi):
    results = [tau_int(ar1(seed, phi, (4, 1000))) for seed in range(100)]
    assert np.mean([(result.value / result.error) ** 2 for result in results]) < 1.25
    assert all(0 < result.tau <= 0.5 for result in results)
    assert np.isfinite(tau_int(np.tile([1.0, -1.0], 100)).error)


def test_units_and_origin_do_not_matter():
    chains = ar1(1, 0.8, (2, 500))
    plain, moved = tau_int(chains), tau_int(1e6 - 3 * chains)
    assert moved.tau == pytest.approx(plain.tau, rel=1e-9)
    assert moved.error == pytest.approx(3 * plain.error, rel=1e-9)
    assert tau_int(chains[0]) == tau_int(chains[:1])


@pytest.mark.parametrize("constant", [0.0, 0.1, -1024.3])
def test_a_constant_series_has_no_error(constant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = tau_int(np.full((3, 100), constant))
    assert (result.value, result.error, result.tau, result.tau_error) == (constant, 0.0, 0.5, 0.0)
    assert result.effective_sample_size == 300


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_draw_that_is_not_finite_is_named(bad):
    chains = np.zeros((2, 10))
    chains[1, 7] = bad
    with pytest.raises(DiagnosticsError, match="chain 1, draw 7"):
        tau_int(chains)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (0,), (), (2, 10, 3)])
def test_shapes_that_have_no_error_are_refused(shape):
    with pytest.raises(DiagnosticsError, match="shape"):
        tau_int(np.zeros(shape))


def test_two_draws_are_enough_to_return_something_finite():
    for chains in ([1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0], [3.0, 5.0]]):
        result = tau_int(chains)
        assert result.error > 0
        assert np.isfinite([result.tau, result.tau_error]).all()

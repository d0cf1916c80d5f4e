import warnings

import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import jackknife
from tests.estimators.processes import ar1


def mean(x):
    return x


def variance(x, x2):
    return x2 - x**2


def binder(m2, m4):
    return 1 - m4 / (3 * m2**2)


def test_blocks_of_one_draw_give_the_textbook_error_of_the_mean():
    x = ar1(1, 0.0, (1, 50))
    result = jackknife(mean, {"x": x}, block_length=1)
    assert result.n_blocks == 50
    assert result.value == pytest.approx(x.mean())
    assert result.error == pytest.approx(x.std(ddof=1) / np.sqrt(50))
    assert result.bias == pytest.approx(0, abs=1e-12)


def test_the_bias_of_the_plug_in_variance_is_exact():
    x = ar1(2, 0.0, (2, 20))
    result = jackknife(variance, {"x": x, "x2": x**2}, block_length=1)
    assert result.value == pytest.approx(x.var())
    assert result.value - result.bias == pytest.approx(x.var(ddof=1))


def test_blocks_against_leaving_them_out_by_hand():
    x = ar1(3, 0.5, (2, 10))
    result = jackknife(variance, {"x": x, "x2": x**2}, block_length=4)
    edges = [0, 5, 10]  # two blocks fit into ten draws, and no draw is thrown away
    left = []
    for chain in range(2):
        for first, last in zip(edges, edges[1:], strict=False):
            keep = np.ones(x.shape, bool)
            keep[chain, first:last] = False
            left.append(x[keep].var())
    assert result.n_blocks == 4
    assert result.error == pytest.approx(np.sqrt(3 / 4 * np.sum((left - np.mean(left)) ** 2)))


@pytest.mark.parametrize(
    ("phi", "shape"), [(0.0, (1, 3000)), (0.5, (4, 1500)), (0.8, (4, 4000)), (0.5, (64, 80))]
)
@pytest.mark.parametrize("function", [variance, binder])
def test_coverage_for_nonlinear_functions_of_a_correlated_process(phi, shape, function):
    z = []
    for seed in range(300):
        x = ar1(seed, phi, shape)
        if function is variance:
            result, true = jackknife(variance, {"x": x, "x2": x**2}), 1.0
        else:
            result, true = jackknife(binder, {"m2": x**2, "m4": x**4}), 0.0
        z.append((result.value - true) / result.error)
    assert 0.8 < np.mean(np.square(z)) < 1.25


def test_a_correlated_ratio_has_a_smaller_error_than_its_parts():
    x = 10 + ar1(1, 0.5, (4, 1000))
    y = x + 0.01 * ar1(2, 0.0, (4, 1000))
    result = jackknife(lambda x, y: y / x, {"x": x, "y": y})
    assert result.error < 1e-4
    assert result.value == pytest.approx(1, abs=5 * result.error)


def test_blocks_are_several_autocorrelation_times_long():
    slow, fast = ar1(1, 0.9, (4, 2000)), ar1(2, 0.0, (4, 2000))
    result = jackknife(lambda slow, fast: slow * fast, {"slow": slow, "fast": fast})
    assert result.tau == pytest.approx(9.5, rel=0.5)
    assert result.block_length >= 8 * result.tau
    assert jackknife(mean, {"x": fast}).block_length < result.block_length


def test_chains_that_disagree_are_a_block_each():
    x = np.arange(8.0)[:, np.newaxis] + ar1(1, 0.5, (8, 500))
    result = jackknife(mean, {"x": x})
    assert result.n_blocks == 8
    assert result.error == pytest.approx(x.mean(axis=1).std(ddof=1) / np.sqrt(8))


def test_arrays_in_and_out():
    x = np.stack([ar1(seed, 0.3, (4, 500)) for seed in range(3)], axis=-1)
    together = jackknife(variance, {"x": x, "x2": x**2}, block_length=25)
    assert together.value.shape == together.error.shape == together.bias.shape == (3,)
    for k in range(3):
        alone = jackknife(variance, {"x": x[..., k], "x2": x[..., k] ** 2}, block_length=25)
        assert together.error[k] == pytest.approx(alone.error)
    assert together.tau >= jackknife(mean, {"x": x[..., 0]}).tau
    table = jackknife(lambda x: np.outer(x, x), {"x": x})
    assert table.error.shape == (3, 3)


def test_constants_have_no_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = jackknife(binder, {"m2": np.full((4, 100), 0.1), "m4": np.full((4, 100), 0.01)})
    assert (result.error, result.tau) == (0.0, 0.5)
    assert result.value == pytest.approx(2 / 3)


def test_a_large_offset_costs_no_digits():
    x = ar1(4, 0.5, (4, 500))
    plain, moved = (jackknife(mean, {"x": x + shift}, block_length=20) for shift in (0, 2**30))
    assert moved.error == pytest.approx(plain.error, rel=1e-4)


@pytest.mark.parametrize("length", [2, 3, 7])
def test_the_shortest_chains_still_have_two_blocks(length):
    result = jackknife(mean, {"x": np.arange(length)})
    assert result.n_blocks == 2
    assert result.error > 0


def test_mistakes_are_named():
    x = np.zeros((2, 10))
    with pytest.raises(DiagnosticsError, match="energy, chain 0, draw 3"):
        jackknife(mean, {"energy": np.where(np.arange(10) == 3, np.nan, x)})
    with pytest.raises(DiagnosticsError, match="same chains and draws"):
        jackknife(variance, {"x": x, "x2": x[:, :5]})
    with pytest.raises(DiagnosticsError, match="block_length"):
        jackknife(mean, {"x": x}, block_length=0)
    with pytest.raises(DiagnosticsError, match="no quantities"):
        jackknife(lambda: 1.0, {})

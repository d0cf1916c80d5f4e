import numpy as np
import pytest

from statmech_dsl.estimators.pooled import Exponentials, first_guess
from statmech_dsl.estimators.self_consistent import solve

C = np.array([0.0, 2.0, 4.0])
COUNTS = np.array([300, 100, 200])


def pool():
    x = np.random.default_rng(1).normal(size=600) + np.repeat(C, COUNTS)
    return Exponentials((x - C[:, None]) ** 2 / 2 + 10 * C[:, None], COUNTS)


@pytest.mark.parametrize("start", [[0, 0, 0], [0, 500, -500], [0, 19, 41]])
def test_any_start_ends_at_the_same_solution(start):
    found, target = pool(), COUNTS / 600
    f = solve(found.shares, target, np.array(start, float))
    mean, _ = found.shares(f)
    np.testing.assert_allclose(mean, target, atol=1e-13)
    np.testing.assert_allclose(f - f[0], [0, 20, 40], atol=0.5)


def test_sums_are_those_of_the_weights_written_out():
    found, f = pool(), np.array([0.0, 19.0, 41.0])
    density = (COUNTS[:, None] * np.exp(f[:, None] - found.u)).sum(axis=0)
    w = np.exp(f[:, None] - found.u) / density
    for start in (
        f,
        f + [0, 5, 5],
        f + [0, 200, 0],
    ):  # near and far from where exponentials are taken
        found.shares(start)
        np.testing.assert_allclose(found.products(f), w @ w.T, rtol=1e-10)
        np.testing.assert_allclose(found.log_density(f), np.log(density), rtol=1e-12)
    mean, slope = found.shares(f)
    np.testing.assert_allclose(mean, COUNTS * w.sum(axis=1) / 600, rtol=1e-10)
    h = 1e-6
    for k in range(3):
        step = h * np.eye(3)[k]
        numeric = (found.shares(f + step)[0] - found.shares(f - step)[0]) / (2 * h)
        np.testing.assert_allclose(slope[k], numeric, atol=1e-9)


def test_the_first_guess_is_near():
    found = pool()
    np.testing.assert_allclose(first_guess(found.u, COUNTS), [0, 20, 40], atol=0.6)

"""Elimination against enumeration, transfer matrices and Kaufman's formula."""

from time import perf_counter

import numpy as np
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.solvers.elimination import elimination
from statmech_dsl.solvers.enumeration import enumeration
from tests.solvers.systems import curie_weiss, ising, mixed, potts, system_of

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def numbers(x):
    return [x.log_partition, x.energy, x.variance]


@pytest.mark.parametrize("seed", range(12))
def test_the_same_as_enumeration(seed):
    system = system_of(mixed(seed))
    a, b = elimination(system), enumeration(system)
    for beta in (0.0, 0.2, 1.0, 5.0):
        np.testing.assert_allclose(numbers(a.thermal(beta)), numbers(b.thermal(beta)), **TIGHT)


def test_a_long_chain_of_random_bonds_and_fields():
    """1000 Potts sites against products of 3 x 3 transfer matrices."""
    rng = np.random.default_rng(1)
    J, h = rng.normal(size=999), rng.normal(size=(1000, 3))

    with sm.Model() as model:
        s = sm.Potts("s", 1000, q=3)
        sm.Energy("exchange", -J * pt.eq(s[:-1], s[1:]))
        sm.Energy("fields", -pt.constant(h)[np.arange(1000), s])

    def log_Z(beta):
        log, v = 0.0, np.exp(beta * h[0])
        for n in range(999):
            v = (v @ np.exp(beta * J[n] * np.eye(3))) * np.exp(beta * h[n + 1])
            log, v = log + np.log(v.sum()), v / v.sum()
        return log

    result = sm.exact(model, beta=1.3, method="elimination")
    np.testing.assert_allclose(result.log_partition, log_Z(1.3), **TIGHT)
    d = 1e-3
    low, middle, high = log_Z(1.3 - d), log_Z(1.3), log_Z(1.3 + d)
    np.testing.assert_allclose(result.energy, -(high - low) / (2 * d), rtol=1e-6)
    variance = result.heat_capacity / 1.3**2
    np.testing.assert_allclose(variance, (high - 2 * middle + low) / d**2, rtol=1e-4)


def kaufman(L, K):
    """Log Z of the L x L Ising torus [B. Kaufman, Phys. Rev. 76, 1232 (1949)]."""
    cosines = np.cos(np.pi * np.arange(1, 2 * L) / L)
    gamma = np.arccosh(np.cosh(2 * K) / np.tanh(2 * K) - cosines)
    gamma = np.append(2 * K + np.log(np.tanh(K)), gamma)
    odd, even = gamma[1::2], gamma[0::2]
    products = [
        np.prod(2 * np.cosh(L * odd / 2)),
        np.prod(2 * np.sinh(L * odd / 2)),
        np.prod(2 * np.cosh(L * even / 2)),
        np.prod(2 * np.sinh(L * even / 2)),
    ]
    return L * L / 2 * np.log(2 * np.sinh(2 * K)) + np.log(sum(products) / 2)


@pytest.mark.parametrize("K", [0.3, 0.4406867935097715, 0.6])
def test_the_10x10_torus(K):
    began = perf_counter()
    result = sm.exact(ising(sm.lattices.square(10)), beta=K)
    assert perf_counter() - began < 20
    np.testing.assert_allclose(result.log_partition, kaufman(10, K), **TIGHT)
    d = 1e-4
    slope = (kaufman(10, K + d) - kaufman(10, K - d)) / (2 * d)
    np.testing.assert_allclose(result.energy, -slope, rtol=1e-7)


def test_the_heat_capacity_keeps_its_digits_at_low_temperature():
    """var(E) = 1e-31, <E^2> = 1e4: a difference of moments would be all rounding error."""
    beta = 10.0
    x = elimination(system_of(ising(sm.lattices.square(8)))).thermal(beta)
    assert x.energy == pytest.approx(-128)
    flipped = 64 * 8.0**2 * np.exp(-8 * beta)  # one spin against the others
    assert x.variance == pytest.approx(flipped, rel=1e-10)


def test_far_below_the_range_of_exp():
    x = elimination(system_of(ising(sm.lattices.square(4), J=1e4))).thermal(1.0)
    assert x.log_partition == pytest.approx(32e4 + np.log(2), rel=1e-12)


def test_sites_without_bonds_and_parts_without_connection():
    with sm.Model() as model:
        s = sm.Spin("s", 40)
        p = sm.Potts("p", 7, q=3)
        sm.Energy("pairs", -1.0 * s[:20:2] * s[1:20:2])
        sm.Energy("nothing", 0.0 * p)
    x = sm.exact(model, T=1.0)
    true = 10 * np.log(4 * np.cosh(1.0)) + 20 * np.log(2) + 7 * np.log(3)
    np.testing.assert_allclose(x.log_partition, true, **TIGHT)
    np.testing.assert_allclose(x.energy, -10 * np.tanh(1.0), **TIGHT)


def test_long_strips():
    """A 5 x 60 cylinder; its transfer matrix has 32 states."""
    lattice = sm.lattices.rectangular(60, 5, periodic=(False, True))
    row = np.array(np.meshgrid(*[[-1, 1]] * 5, indexing="ij")).reshape(5, -1)
    K = 0.4
    within = np.exp(K * (row * np.roll(row, 1, axis=0)).sum(axis=0))
    between = np.exp(K * row.T @ row)
    log, v = 0.0, within
    for _ in range(59):
        v = (v @ between) * within
        log, v = log + np.log(v.sum()), v / v.sum()
    x = sm.exact(ising(lattice), beta=K)
    np.testing.assert_allclose(x.log_partition, log, **TIGHT)


def test_many_colors():
    """A ring of 50 sites with 40 colors: eigenvalues e^K + q - 1 and e^K - 1."""
    x = sm.exact(potts(sm.lattices.chain(50), 40), beta=1.5)
    large, small = np.exp(1.5) + 39, np.exp(1.5) - 1
    true = 50 * np.log(large) + np.log1p(39 * (small / large) ** 50)
    np.testing.assert_allclose(x.log_partition, true, **TIGHT)


def test_running_sums_are_refused():
    with pytest.raises(sm.errors.InfeasibleError, match="'exchange'"):
        elimination(system_of(curie_weiss(10, 0.0)))

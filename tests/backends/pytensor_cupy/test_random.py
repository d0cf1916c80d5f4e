"""Random variables: distributions, independence, and generators as values."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from statmech_dsl.backends.pytensor_cupy.random import SCALAR, VECTOR
from statmech_dsl.errors import BackendError

N = 4000


def draws(make, size, seed=0):
    """What a function in mode CUPY draws."""
    rng = pytensor.shared(np.random.default_rng(seed))
    return pytensor.function([], make(rng, size), mode="CUPY")()


CONTINUOUS = {
    "uniform": ((-1.0, 3.0), stats.uniform(-1, 4)),
    "normal": ((1.0, 2.0), stats.norm(1, 2)),
    "halfnormal": ((0.5, 2.0), stats.halfnorm(0.5, 2)),
    "lognormal": ((0.1, 0.5), stats.lognorm(0.5, scale=np.exp(0.1))),
    "exponential": ((2.0,), stats.expon(scale=2)),
    "gamma": ((1.5, 0.5), stats.gamma(1.5, scale=2.0)),
    "invgamma": ((2.5, 1.5), stats.invgamma(2.5, scale=1.5)),
    "beta": ((1.5, 0.7), stats.beta(1.5, 0.7)),
    "t": ((3.0, 1.0, 2.0), stats.t(3, 1, 2)),
    "cauchy": ((1.0, 2.0), stats.cauchy(1, 2)),
    "halfcauchy": ((1.0, 2.0), stats.halfcauchy(1, 2)),
    "laplace": ((1.0, 2.0), stats.laplace(1, 2)),
    "gumbel": ((1.0, 2.0), stats.gumbel_r(1, 2)),
    "logistic": ((1.0, 2.0), stats.logistic(1, 2)),
    "weibull": ((1.5,), stats.weibull_min(1.5)),
    "pareto": ((2.5, 2.0), stats.pareto(2.5, scale=2)),
}
DISCRETE = {
    "bernoulli": ((0.3,), stats.bernoulli(0.3)),
    "poisson": ((2.5,), stats.poisson(2.5)),
    "binomial": ((7, 0.4), stats.binom(7, 0.4)),
    "geometric": ((0.3,), stats.geom(0.3)),
    "nbinom": ((3, 0.4), stats.nbinom(3, 0.4)),
    "integers": ((-2, 5), stats.randint(-2, 5)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name, device):
    parameters, law = CONTINUOUS[name]
    x = draws(lambda rng, n: getattr(pt.random, name)(*parameters, size=n, rng=rng), (N,))
    assert x.dtype == "float64"
    assert stats.kstest(x, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_distributions(name, device):
    parameters, law = DISCRETE[name]
    x = draws(lambda rng, n: getattr(pt.random, name)(*parameters, size=n, rng=rng), (N,))
    assert x.dtype == "int64"
    values = np.arange(-2, 12)
    share = np.array([(x == v).mean() for v in values])
    error = np.sqrt(law.pmf(values) / N)
    assert np.all(abs(share - law.pmf(values)) <= 4.5 * error + 1e-12)


def test_every_distribution_of_numbers_is_tested():
    def rv(name):
        return type(getattr(pt.random, name)(*(CONTINUOUS | DISCRETE)[name][0], rng=RNG).owner.op)

    RNG = pytensor.shared(np.random.default_rng(0))  # noqa: N806
    assert {rv(name) for name in CONTINUOUS | DISCRETE} == set(SCALAR)
    assert len(VECTOR) == 4


def test_parameters_are_broadcast(device):
    x = draws(lambda rng, n: pt.random.normal([0.0, 100.0], 1.0, size=n, rng=rng), (N, 2))
    assert abs(x.mean(0) - [0, 100]).max() < 0.1
    rng = pytensor.shared(np.random.default_rng(0))
    v = pt.vector("v")
    f = pytensor.function([v], pt.random.normal(v[:, None], [1.0, 2.0, 3.0], rng=rng), mode="CUPY")
    assert f(np.zeros(4)).shape == (4, 3)


def test_vectors(device):
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    x = draws(lambda rng, n: pt.random.multivariate_normal([1.0, 2.0], cov, size=n, rng=rng), (N,))
    assert abs(x.mean(0) - [1, 2]).max() < 0.1
    assert abs(np.cov(x.T) - cov).max() < 0.2
    p = draws(lambda rng, n: pt.random.dirichlet([1.0, 2.0, 3.0], size=n, rng=rng), (N,))
    assert abs(p.sum(1) - 1).max() < 1e-12
    assert abs(p.mean(0) - np.arange(1, 4) / 6).max() < 0.02
    k = draws(lambda rng, n: pt.random.categorical([0.2, 0.5, 0.3], size=n, rng=rng), (N,))
    assert abs(np.bincount(k) / N - [0.2, 0.5, 0.3]).max() < 0.04
    order = draws(lambda rng, n: pt.random.permutation(np.arange(9), rng=rng), None)
    assert sorted(order.tolist()) == list(range(9))
    assert order.tolist() != list(range(9))


def test_a_generator_is_a_value(device):
    rng = pytensor.shared(np.random.default_rng(3))
    following, x = pt.random.normal(size=4, rng=rng, return_next_rng=True)
    y = pt.random.normal(size=4, rng=following)
    again = pytensor.function([], [x, y], mode="CUPY")
    np.testing.assert_array_equal(again(), again())
    assert np.all(again()[0] != again()[1])
    moving = pytensor.function([], x, updates={rng: following}, mode="CUPY")
    first, second = moving(), moving()
    np.testing.assert_array_equal(first, again.fn and first)
    assert np.all(first != second)
    assert isinstance(rng.get_value(), np.random.Generator)


def test_the_seed_decides(device):
    def normal(rng, n):
        return pt.random.normal(size=n, rng=rng)

    np.testing.assert_array_equal(draws(normal, (5,), 1), draws(normal, (5,), 1))
    assert np.all(draws(normal, (5,), 1) != draws(normal, (5,), 2))


def test_draws_cost_no_copies(device):
    state = pytensor.shared(np.zeros(100))
    rng = pytensor.shared(np.random.default_rng(0))
    following, noise = pt.random.normal(size=state.shape, rng=rng, return_next_rng=True)
    f = pytensor.function([], [], updates={state: state + noise, rng: following}, mode="CUPY")
    f()
    before = dict(device.COPIES)
    f()
    assert device.COPIES == before


def test_unknown_distributions_are_named(device):
    rng = pytensor.shared(np.random.default_rng(0))
    with pytest.raises(BackendError, match="cannot draw from vonmises.*Normal"):
        pytensor.function([], pt.random.vonmises(0.0, 1.0, rng=rng), mode="CUPY")

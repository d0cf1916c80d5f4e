"""Random variables: distributions, independence, and generators as values."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from statmech_dsl.backends.pytensor_cupy.random import SCALAR, VECTOR
from statmech_dsl.errors import BackendError

N = 4000


def variable(name, *parameters, rng=None, size=None):
    """A random variable, and the generator to go on with."""
    rng = pytensor.shared(np.random.default_rng(0)) if rng is None else rng
    return getattr(pt.random, name)(*parameters, size=size, rng=rng, return_next_rng=True)[::-1]


def draws(name, *parameters, size=None, seed=0):
    """What a function in mode CUPY draws."""
    rng = pytensor.shared(np.random.default_rng(seed))
    x, _ = variable(name, *parameters, rng=rng, size=size)
    return pytensor.function([], x, mode="CUPY")()


CONTINUOUS = {
    "uniform": ((-1.0, 3.0), stats.uniform(-1, 4)),
    "normal": ((1.0, 2.0), stats.norm(1, 2)),
    "halfnormal": ((0.5, 2.0), stats.halfnorm(0.5, 2)),
    "lognormal": ((0.1, 0.5), stats.lognorm(0.5, scale=np.exp(0.1))),
    "exponential": ((2.0,), stats.expon(scale=2)),
    "gamma": ((1.5, None, 2.0), stats.gamma(1.5, scale=2.0)),
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
    x = draws(name, *parameters, size=(N,))
    assert x.dtype == "float64"
    assert stats.kstest(x, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_distributions(name, device):
    parameters, law = DISCRETE[name]
    x = draws(name, *parameters, size=(N,))
    assert x.dtype == "int64"
    values = np.arange(-2, 12)
    share = np.array([(x == v).mean() for v in values])
    error = np.sqrt(law.pmf(values) / N)
    assert np.all(abs(share - law.pmf(values)) <= 4.5 * error + 1e-12)


def test_every_distribution_of_numbers_is_tested():
    tested = {
        type(variable(name, *parameters)[0].owner.op)
        for name, (parameters, _) in (CONTINUOUS | DISCRETE).items()
    }
    assert tested == set(SCALAR)
    assert len(VECTOR) == 4


def test_parameters_are_broadcast(device):
    x = draws("normal", [0.0, 100.0], 1.0, size=(N, 2))
    assert abs(x.mean(0) - [0, 100]).max() < 0.1
    v = pt.vector("v")
    x, _ = variable("normal", v[:, None], [1.0, 2.0, 3.0])
    f = pytensor.function([v], x, mode="CUPY")
    assert f(np.zeros(4)).shape == (4, 3)


def test_vectors(device):
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    x = draws("multivariate_normal", [1.0, 2.0], cov, size=(N,))
    assert abs(x.mean(0) - [1, 2]).max() < 0.1
    assert abs(np.cov(x.T) - cov).max() < 0.2
    p = draws("dirichlet", [1.0, 2.0, 3.0], size=(N,))
    assert abs(p.sum(1) - 1).max() < 1e-12
    assert abs(p.mean(0) - np.arange(1, 4) / 6).max() < 0.02
    k = draws("categorical", [0.2, 0.5, 0.3], size=(N,))
    assert abs(np.bincount(k) / N - [0.2, 0.5, 0.3]).max() < 0.04
    order = draws("permutation", np.arange(9))
    assert sorted(order.tolist()) == list(range(9))
    assert order.tolist() != list(range(9))


def test_a_generator_is_a_value(device):
    rng = pytensor.shared(np.random.default_rng(3))
    x, following = variable("normal", size=4, rng=rng)
    y, _ = variable("normal", size=4, rng=following)
    again = pytensor.function([], [x, y], mode="CUPY")
    np.testing.assert_array_equal(again(), again())
    assert np.all(again()[0] != again()[1])
    moving = pytensor.function([], x, updates={rng: following}, mode="CUPY")
    before = again()
    first, second = moving(), moving()
    np.testing.assert_array_equal(first, before[0])
    assert np.all(first != second)
    assert isinstance(rng.get_value(), np.random.Generator)


def test_the_seed_decides(device):
    first, same, other = (draws("normal", size=(5,), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert np.all(first != other)


def test_draws_cost_no_copies(device):
    state = pytensor.shared(np.zeros(100))
    rng = pytensor.shared(np.random.default_rng(0))
    noise, following = variable("normal", size=state.shape, rng=rng)
    f = pytensor.function([], [], updates={state: state + noise, rng: following}, mode="CUPY")
    f()
    before = dict(device.COPIES)
    f()
    assert device.COPIES == before


def test_unknown_distributions_are_named(device):
    with pytest.raises(BackendError, match="cannot draw from vonmises.*Normal"):
        draws("vonmises", 0.0, 1.0)


def test_draws_in_a_loop_differ(device):
    rng = pytensor.shared(np.random.default_rng(0))

    def step(x, rng):
        following, noise = pt.random.normal(size=3, rng=rng, return_next_rng=True)
        return x + noise, following

    walk, following = pytensor.scan(
        step, outputs_info=[pt.zeros(3), rng], n_steps=4, return_updates=False
    )
    f = pytensor.function([], walk, updates={rng: following}, mode="CUPY")
    first, second = f(), f()
    assert len(set(np.diff(first, axis=0).ravel())) == 9
    assert np.all(first != second)

"""The exchange algorithm against quadrature, and its check that auxiliary states had equilibrated."""

import warnings

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import EquilibrationWarning
from statmech_dsl.estimators import tau_int
from statmech_dsl.inference.methods import METHODS, Run
from statmech_dsl.inference.problem.posed import pose


def infer(model, states, draws=400, chains=2, seed=1):
    run = Run(draws, draws, chains, seed, 1, False)
    return METHODS["exchange"].infer(pose(model, {"s": states}), run)


def assert_mean_and_sd(tree, name, x, log_density):
    """Within four standard errors of quadrature."""
    w = np.exp(log_density - log_density.max())
    mean = np.average(x, weights=w)
    variance = np.average((x - mean) ** 2, weights=w)
    series = tree.posterior[name].values
    for values, exact in ((series, mean), ((series - mean) ** 2, variance)):
        found = tau_int(values)
        assert abs(found.value - exact) < 4 * found.error
    assert tau_int(series).effective_sample_size > 100


def test_ring_of_spins():
    lattice = sm.lattices.chain(8)
    i, j = lattice.bonds
    with sm.Model() as model:
        J = pm.HalfNormal("J", 1)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    states = np.random.default_rng(2).choice([-1, 1], size=(20, 8))
    states[:, 1::2] = np.where(np.arange(20)[:, None] < 8, states[:, ::2], states[:, 1::2])
    tree = infer(model, states)
    J = np.linspace(0, 1.5, 2001)
    bonds = (states * np.roll(states, 1, axis=1)).sum()
    log_z = 8 * np.log(2 * np.cosh(J)) + np.log1p(np.tanh(J) ** 8)
    assert_mean_and_sd(tree, "J", J, J * bonds - 20 * log_z - J**2 / 2)
    assert tree.attrs["auxiliary_equilibrated"]


def test_open_chain_of_angles():
    from scipy.special import ive

    i, j = np.arange(5), np.arange(1, 6)
    with sm.Model() as model:
        J = pm.Normal("J", 0, 2)
        theta = sm.Angle("s", 6)
        sm.Energy("exchange", -J * pm.math.cos(theta[i] - theta[j]))
    states = np.cumsum(np.random.default_rng(3).vonmises(0, 1.0, size=(15, 6)), axis=1)
    states = (states + np.pi) % (2 * np.pi) - np.pi
    tree = infer(model, states)
    J = np.linspace(0, 3, 2001)
    cosines = np.cos(np.diff(states, axis=1)).sum()
    assert_mean_and_sd(tree, "J", J, J * cosines - 75 * (np.log(ive(0, J)) + J) - J**2 / 8)


def test_stiffness_of_fields():
    with sm.Model() as model:
        k = pm.Gamma("k", 2, 1)
        center = pm.Normal("center", 0, 1)  # NUTS moves what no energy depends on
        pm.Normal("noise", center, 1, observed=0.5)
        phi = sm.Field("s", 10)
        sm.Energy("spring", 0.5 * k * phi**2)
    states = np.random.default_rng(4).normal(0, 0.7, size=(3, 10))
    tree = infer(model, states)
    k = np.linspace(1e-3, 8, 2001)
    log_density = 15 * np.log(k) - k * (states**2).sum() / 2 + np.log(k) - k
    assert_mean_and_sd(tree, "k", k, log_density)
    assert abs(tree.posterior.center.mean() - 0.25) < 0.15


def test_states_that_do_not_equilibrate_are_reported():
    lattice = sm.lattices.square(8)
    i, j = lattice.bonds
    with sm.Model() as model:
        h = pm.Normal("h", 0, 0.01)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -0.8 * s[i] * s[j])
        sm.Energy("zeeman", -h * s)
    with pytest.warns(EquilibrationWarning, match="started at random"):
        tree = infer(model, np.ones(64), draws=200)
    assert not tree.attrs["auxiliary_equilibrated"]
    assert tree.attrs["auxiliary_bias"] > 0.1


def test_results_are_a_function_of_the_seed():
    with sm.Model() as model:
        h = pm.Normal("h", 0, 1)
        s = sm.Spin("s", 4)
        sm.Energy("zeeman", -h * s)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, same, other = (infer(model, np.ones(4), 20, 1, seed).posterior.h for seed in (1, 1, 2))
    assert (one.values == same.values).all()
    assert (one.values != other.values).any()

"""Pseudolikelihood and mean-field inversion."""

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import minimize

import statmech_dsl as sm
from statmech_dsl.errors import ModelError, UnboundedLikelihoodError

N = 5
A, B = np.triu_indices(N, 1)


def pairs(variable=sm.Spin, fields=True):
    with sm.Model() as model:
        w = pm.Normal("w", 0, 1, shape=len(A))
        s = variable("s", N)
        sm.Energy("pairs", -w * s[A] * s[B])
        if fields:
            h = pm.Normal("h", 0, 1, shape=N)
            sm.Energy("fields", -h * s)
    return model


def drawn(W, h, n, seed=1, values=(-1, 1)):
    """Independent states of a pair model, by its 32 probabilities."""
    x = np.array(values)[(np.arange(32)[:, None] >> np.arange(N)) & 1]
    p = np.exp((x[:, A] * x[:, B]) @ W + x @ h)
    return x[np.random.default_rng(seed).choice(32, n, p=p / p.sum())]


COUPLINGS = np.random.default_rng(2).normal(scale=0.4, size=len(A))
FIELDS = np.random.default_rng(3).normal(scale=0.3, size=N)
STATES = drawn(COUPLINGS, FIELDS, 500)


def minus_log_pseudolikelihood(c, x, l2=0.0):
    W = np.zeros((N, N))
    W[A, B] = W[B, A] = c[: len(A)]
    H = x @ W + c[len(A) :]
    return np.logaddexp(0, -2 * x * H).sum() / len(x) + 0.5 * l2 * (c**2).sum()


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_maximum_is_that_of_the_product_of_conditionals(l2):
    fit = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood", l2=l2)
    c = np.concatenate([fit.point.w, fit.point.h])
    best = minimize(minus_log_pseudolikelihood, np.zeros(15), (STATES, l2), tol=1e-10)
    assert minus_log_pseudolikelihood(c, STATES, l2) <= best.fun + 1e-9
    np.testing.assert_allclose(c, best.x, atol=1e-4)
    value = -500 * minus_log_pseudolikelihood(c, STATES)
    assert float(fit.history.log_pseudolikelihood[-1]) == pytest.approx(value, rel=1e-9)


def test_standard_errors_are_the_scatter_of_fits():
    sets = [drawn(COUPLINGS, FIELDS, 500, seed) for seed in range(10)]
    fits = [sm.learn(pairs(), {"s": x}, method="pseudolikelihood") for x in sets]
    z = np.concatenate([(f.point.w - COUPLINGS) / f.standard_error.w for f in fits])
    assert 0.8 < z.std() < 1.2
    assert "sandwich" in fits[0].attrs["standard_errors"]
    few = sm.learn(pairs(), {"s": STATES[:50]}, method="pseudolikelihood", l2=0.1)
    assert "inverse Hessian" in few.attrs["standard_errors"]


def test_l1_makes_weak_couplings_vanish():
    fit = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood", l1={"w": 0.4})
    w = fit.point.w.values
    assert (w == 0).any()
    assert (w != 0).any()
    plain = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood").point.w.values
    assert abs(plain[w == 0]).max() < abs(plain[w != 0]).max()


def test_one_coupling_of_real_fields():
    lattice = sm.lattices.chain(100)
    i, j = lattice.bonds

    def chain(J):
        with sm.Model() as model:
            K = pm.Normal("K") if J is None else J
            phi = sm.Field("phi", lattice)
            sm.Energy("mass", phi**2)
            sm.Energy("gradient", -K * phi[i] * phi[j])
        return model

    run = sm.sample(chain(0.6), chains=4, draws=1, tune=200, store="phi", seed=1, progressbar=False)
    states = run.posterior.phi.values[:, 0]
    fit = sm.learn(chain(None), {"phi": states})
    assert fit.attrs["method"] == "pseudolikelihood"
    assert abs(float(fit.point.K) - 0.6) < 4 * float(fit.standard_error.K)


def test_test_data():
    fit = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood", test_data={"s": STATES[:100]})
    c = np.concatenate([fit.point.w, fit.point.h])
    expected = -100 * minus_log_pseudolikelihood(c, STATES[:100])
    assert fit.attrs["test_log_pseudolikelihood"] == pytest.approx(expected, rel=1e-9)


def test_constant_data():
    with pytest.raises(UnboundedLikelihoodError, match=r"no maximum.*parameter"):
        sm.learn(pairs(), {"s": np.ones((20, N))}, method="pseudolikelihood")
    one = STATES.copy()
    one[:, 2] = 1
    with pytest.raises(UnboundedLikelihoodError, match="no maximum"):
        sm.learn(pairs(), {"s": one}, method="pseudolikelihood")
    fit = sm.learn(pairs(), {"s": one}, method="pseudolikelihood", l2=0.01)
    assert np.isfinite(fit.point.h).all()


@pytest.mark.parametrize(("variable", "values"), [(sm.Spin, (-1, 1)), (sm.Occupation, (0, 1))])
def test_mean_field_is_right_for_weak_couplings(variable, values):
    W, h = 0.1 * COUPLINGS, FIELDS
    states = drawn(W, h, 100_000, values=values)
    fit = sm.learn(pairs(variable), {"s": states}, method="mean_field")
    np.testing.assert_allclose(fit.point.w, W, atol=0.03)
    np.testing.assert_allclose(fit.point.h, h, atol=0.03)


def test_mean_field_against_its_formula():
    fit = sm.learn(pairs(), {"s": STATES}, method="mean_field")
    C = np.cov(STATES.T, bias=True)
    J = -np.linalg.inv(C)
    np.testing.assert_allclose(fit.point.w, J[A, B], atol=1e-6)
    np.fill_diagonal(J, 0)
    m = STATES.mean(axis=0)
    np.testing.assert_allclose(fit.point.h, np.arctanh(m) - J @ m, atol=1e-6)


def test_mean_field_as_a_start():
    plain = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood")
    fit = sm.learn(pairs(), {"s": STATES}, method="pseudolikelihood", init="mean_field")
    assert fit.history.log_pseudolikelihood[0] > plain.history.log_pseudolikelihood[0]
    np.testing.assert_allclose(fit.point.w, plain.point.w, atol=1e-4)


def hidden():
    model = pairs()
    with model:
        t = sm.Spin("t", 1)
        sm.Energy("more", -0.1 * t)
    return model


def three():
    with sm.Model() as model:
        w = pm.Normal("w")
        s = sm.Spin("s", N)
        sm.Energy("triple", -w * s[0] * s[1] * s[2])
    return model


REFUSED = {
    "hidden": (hidden, "pseudolikelihood", "t was not seen"),
    "hidden, mean field": (hidden, "mean_field", "t was not seen"),
    "three sites": (three, "mean_field", "no coupling of two sites"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_models_that_a_method_cannot_serve(case):
    build, method, words = REFUSED[case]
    with pytest.raises(ModelError, match=words):
        sm.learn(build(), {"s": STATES}, method=method)


def test_mean_field_needs_more_states_than_sites():
    with pytest.raises(ModelError, match="no inverse"):
        sm.learn(pairs(), {"s": STATES[:4] * [1, -1, 1, 1, 1]}, method="mean_field")

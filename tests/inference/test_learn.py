"""Exact maximum likelihood, and what `learn` refuses."""

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, ModelError, UnboundedLikelihoodError

N = 10
A, B = sm.lattices.chain(N).bonds


def ring(prior=pm.Normal):
    """A ring without a field, whose likelihood is known."""
    with sm.Model() as model:
        J = prior("J")
        s = sm.Spin("s", N)
        sm.Energy("exchange", -J * s[A] * s[B])
    return model


STATES = np.random.default_rng(1).choice([-1, 1], p=[0.3, 0.7], size=(40, N))


def log_z(J):
    return np.logaddexp(N * np.log(2 * np.cosh(J)), N * np.log(2 * np.sinh(abs(J))))


def of_ring():
    """Maximum of the likelihood of a ring, and its curvature, from log Z in closed form."""
    bonds = (STATES[:, A] * STATES[:, B]).sum(axis=1).mean()
    d = 1e-4
    J = brentq(lambda x: bonds - (log_z(x + d) - log_z(x - d)) / (2 * d), 0.01, 2)
    curvature = (log_z(J + d) - 2 * log_z(J) + log_z(J - d)) / d**2
    return J, 1 / np.sqrt(len(STATES) * curvature), len(STATES) * (bonds * J - log_z(J))


def test_ring_against_its_closed_form():
    J, error, best = of_ring()
    fit = sm.learn(ring(), {"s": STATES}, test_data={"s": STATES})
    assert fit.attrs["method"] == "exact"
    assert float(fit.point.J) == pytest.approx(J, abs=1e-6)
    assert float(fit.standard_error.J) == pytest.approx(error, rel=1e-4)
    assert float(fit.history.log_likelihood[-1]) == pytest.approx(best, rel=1e-9)
    assert fit.attrs["test_log_likelihood"] == pytest.approx(best, rel=1e-9)
    assert fit.history.gradient_norm[-1] < 1e-6


def test_bounded_parameter():
    J, error, _ = of_ring()
    fit = sm.learn(ring(pm.HalfNormal), {"s": STATES}, method="exact")
    assert float(fit.point.J) == pytest.approx(J, abs=1e-6)
    assert float(fit.standard_error.J) == pytest.approx(error, rel=1e-4)


def hidden_machine():
    with sm.Model(coords={"unit": ["a", "b", "c"]}) as model:
        W = pm.Normal("W", 0, 1, shape=(3, 2))
        b = pm.Normal("b", 0, 1, dims="unit")
        v, h = sm.Occupation("v", 3), sm.Occupation("h", 2)
        sm.Energy("weights", -v[:, None] * W * h)
        sm.Energy("biases", -b * v)
    return model


def by_hand(W, b, data):
    """Mean log-likelihood of states some of whose units are NaN, and all hidden ones."""
    bits = (np.arange(32)[:, None] >> np.arange(5)) & 1
    v, h = bits[:, :3], bits[:, 3:]
    logs = np.einsum("si,ij,sj->s", v, W, h) + v @ b
    fits = [(np.isnan(x) | (v == x)).all(axis=1) for x in data]
    return np.mean([logsumexp(logs[f]) for f in fits]) - logsumexp(logs)


def test_hidden_and_missing_units():
    data = np.random.default_rng(2).integers(0, 2, (30, 3)).astype(float)
    data[4, 1] = data[7, 0] = np.nan
    rng = np.random.default_rng(3)
    start = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
    fit = sm.learn(hidden_machine(), {"v": data}, init=start)
    W, b = fit.point.W.values, fit.point.b.values
    best = by_hand(W, b, data)
    assert float(fit.history.log_likelihood[-1]) == pytest.approx(30 * best, rel=1e-9)
    for step in np.random.default_rng(4).normal(scale=0.05, size=(20, 9)):
        assert by_hand(W + step[:6].reshape(3, 2), b + step[6:], data) < best + 1e-9
    assert fit.point.b.dims == ("unit",)
    assert "observed" in fit.attrs["standard_errors"]


def test_penalties():
    plain = sm.learn(ring(), {"s": STATES})
    ridge = sm.learn(ring(), {"s": STATES}, l2=1.0)
    lasso = sm.learn(ring(), {"s": STATES}, l1={"J": 50.0})
    assert 0 < float(ridge.point.J) < float(plain.point.J)
    assert float(lasso.point.J) == 0.0
    assert "standard_error" not in lasso.children


def test_goes_on_from_a_result():
    first = sm.learn(ring(), {"s": STATES}, init={"J": 0.1})
    again = sm.learn(ring(), {"s": STATES}, init=first)
    assert len(again.history.step) < len(first.history.step)
    assert float(again.point.J) == pytest.approx(float(first.point.J), abs=1e-6)


def test_few_steps_are_not_enough():
    with pytest.warns(sm.errors.NotConvergedWarning, match="not converged after 1 steps"):
        sm.learn(ring(), {"s": STATES}, max_steps=1)


def test_constant_data():
    for data in (np.ones((5, N)), np.tile([1, -1], (5, N // 2))):
        with pytest.raises(UnboundedLikelihoodError, match="no maximum.*J"):
            sm.learn(ring(), {"s": data}, method="exact")
    fit = sm.learn(ring(), {"s": np.ones((5, N))}, method="exact", l2=0.1)
    assert 0 < float(fit.point.J) < 10


def test_parameters_that_data_do_not_identify():
    with sm.Model() as model:
        a, b = pm.Normal("a"), pm.Normal("b")
        s = sm.Spin("s", N)
        sm.Energy("field", -(a + b) * s)
    fit = sm.learn(model, {"s": STATES})
    assert np.isinf(fit.standard_error.a)
    assert float(fit.point.a + fit.point.b) == pytest.approx(np.arctanh(STATES.mean()), abs=1e-6)


def nonlinear():
    with sm.Model() as model:
        a = pm.Normal("a")
        s = sm.Spin("s", 4)
        sm.Energy("field", -((a * s.sum() + 1) ** 2))
    return model


def noisy():
    with sm.Model() as model:
        J, mu = pm.Normal("J"), pm.Normal("mu")
        s = sm.Spin("s", 4)
        sm.Energy("field", -J * s)
        pm.Normal("y", mu * s, 1, observed=np.zeros(4))
    return model


ONES = {"s": np.ones((2, 4))}
BAD = {
    "method": (lambda: sm.learn(ring(), {"s": STATES}, method="magic"), ArgumentError, "no method"),
    "option": (
        lambda: sm.learn(ring(), {"s": STATES}, method="exact", epochs=3),
        ArgumentError,
        "no option 'epochs'.*max_steps, tol",
    ),
    "no parameter": (
        lambda: sm.learn(sm.models.ising(L=2), {"s": np.ones(4)}),
        ModelError,
        "nothing to infer",
    ),
    "no data": (lambda: sm.learn(ring()), ArgumentError, "no data"),
    "not linear": (lambda: sm.learn(nonlinear(), ONES), ModelError, "inside a function|not linear"),
    "other densities": (lambda: sm.learn(noisy(), ONES), ModelError, "y is no Energy"),
    "penalty": (lambda: sm.learn(ring(), {"s": STATES}, l1=-1.0), ArgumentError, "l1 must be"),
    "penalty of nothing": (
        lambda: sm.learn(ring(), {"s": STATES}, l2={"K": 1.0}),
        ArgumentError,
        "no parameter",
    ),
    "start": (lambda: sm.learn(ring(), {"s": STATES}, init={"J": [1, 2]}), ArgumentError, "shape"),
    "start of nothing": (
        lambda: sm.learn(ring(), {"s": STATES}, init={"K": 1}),
        ArgumentError,
        "no parameter",
    ),
    "start out of bounds": (
        lambda: sm.learn(ring(pm.HalfNormal), {"s": STATES}, init={"J": -1.0}),
        ArgumentError,
        "bounds",
    ),
    "start unknown": (lambda: sm.learn(ring(), {"s": STATES}, init=3), ArgumentError, "unknown"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, words = BAD[case]
    with pytest.raises(error, match=words):
        call()

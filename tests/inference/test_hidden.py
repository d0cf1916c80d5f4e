"""States that were not seen: posteriors against sums over all of them."""

import itertools

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ModelError
from statmech_dsl.estimators import tau_int


def spins(n):
    return np.array(list(itertools.product([-1, 1], repeat=n)))


def log_sum(x):
    top = x.max(axis=-1)
    return top + np.log(np.exp(x - top[..., None]).sum(axis=-1))


METHODS = ["exchange", "exact"]


def infer(model, data, method, draws=400, store=()):
    return sm.infer(
        model, data, method=method, draws=draws, tune=200, chains=2, seed=1, threads=1, store=store,
        progressbar=False,
    )  # fmt: skip


def assert_mean(values, exact):
    found = tau_int(values)
    assert abs(found.value - exact) < 4 * found.error
    assert found.effective_sample_size > 25


@pytest.mark.parametrize("method", METHODS)
def test_machine_with_hidden_units(method):
    with sm.Model() as model:
        w = pm.Normal("w", 0.3, 0.3)
        b = pm.Normal("b", 0, 0.5)
        v, h = sm.Spin("v", 4), sm.Spin("h", 2)
        sm.Energy(
            "weights", -w * pm.math.dot(v, np.array([[1, 0.5], [1, -1], [0.5, 1], [1, 1]])) * h
        )
        sm.Energy("bias", -b * v)
    seen = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [-1, -1, -1, -1], [1, -1, 1, 1], [1, 1, 1, -1]])
    tree = infer(model, {"v": seen}, method)
    W = np.array([[1, 0.5], [1, -1], [0.5, 1], [1, 1]])
    all_v, all_h = spins(4), spins(2)
    w, b = (x.ravel() for x in np.meshgrid(np.linspace(-2, 3, 101), np.linspace(-2, 2, 81)))
    tie = lambda v: w[:, None, None] * (v @ W @ all_h.T) + b[:, None, None] * v.sum(1)[:, None]  # noqa: E731
    log_z = log_sum(log_sum(tie(all_v)))
    log_p = log_sum(tie(seen)).sum(axis=1) - 5 * log_z - (w - 0.3) ** 2 / 0.18 - 2 * b**2
    weights = np.exp(log_p - log_p.max())
    assert_mean(tree.posterior.w.values, np.average(w, weights=weights))
    assert_mean(tree.posterior.b.values, np.average(b, weights=weights))
    up = np.exp(tie(seen) - log_sum(tie(seen))[..., None]) @ (all_h == 1)
    exact = np.average(up, axis=0, weights=weights)
    found = tree["hidden"].h.sel(h_value=1)
    assert found.dims == ("chain", "state", "h_dim_0")
    assert abs(found.mean("chain").values - exact).max() < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_sites_that_were_not_seen(method):
    lattice = sm.lattices.square((3, 2), periodic=False)
    i, j = lattice.bonds
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    data = np.where(np.arange(6) % 4 < 3, 1.0, -1.0) * np.ones((6, 1))
    data[np.arange(6), np.arange(6)] = np.nan
    data[0, 3] = np.nan
    tree = infer(model, {"s": data}, method, store="s")
    J, states = np.linspace(-3, 3, 301), spins(6)
    bonds = J[:, None] * (states[:, i] * states[:, j]).sum(axis=1)
    log_z = log_sum(bonds)
    log_p = -(J**2) / 2 - 6 * log_z
    for row in data:
        fits = (np.isnan(row) | (states == row)).all(axis=1)
        log_p = log_p + log_sum(bonds[:, fits])
    weights = np.exp(log_p - log_p.max())
    assert_mean(tree.posterior.J.values, np.average(J, weights=weights))
    kept = tree.posterior.s.values
    assert kept.shape == (2, 400, 6, 6)
    seen = ~np.isnan(data)
    assert (kept[..., seen] == data[seen]).all()
    up = tree["hidden"].s.sel(s_value=1).values
    assert np.allclose(up, (kept == 1).mean(axis=1))


@pytest.mark.parametrize("method", METHODS)
def test_pixels_of_hidden_labels(method):
    y = np.array([-1.2, -0.8, -1.1, 1.3, 0.7, 1.0])
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        mu = pm.HalfNormal("mu", 2)
        z = sm.Spin("z", 6)
        sm.Energy("smooth", -J * z[:-1] * z[1:])
        pm.Normal("y", mu * z, 0.5, observed=y)
    tree = infer(model, None, method)
    states = spins(6)
    J, mu = (x.ravel() for x in np.meshgrid(np.linspace(-3, 4, 141), np.linspace(0.01, 3, 151)))
    ties = J[:, None] * (states[:, :-1] * states[:, 1:]).sum(axis=1)
    fit = -2 * ((y - mu[:, None, None] * states) ** 2).sum(axis=-1)
    log_p = log_sum(ties + fit) - log_sum(ties) - J**2 / 2 - mu**2 / 8
    weights = np.exp(log_p - log_p.max())
    assert_mean(tree.posterior.J.values, np.average(J, weights=weights))
    assert_mean(tree.posterior.mu.values, np.average(mu, weights=weights))
    assert "s" not in tree["hidden"]


def test_parameters_that_depend_on_states_are_refused():
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        z = sm.Spin("z", 4)
        sm.Energy("smooth", -J * z[:-1] * z[1:])
        pm.Normal("u", z, 1)
    with pytest.raises(ModelError, match="u depends on states"):
        infer(model, {"z": np.ones((1, 4))}, "exact")

"""Contrastive divergence, with persistent chains and without, against the exact maximum."""

import numpy as np
import pymc as pm
import pytest
from scipy.special import logsumexp

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.inference.learning import Task, contrastive_divergence
from statmech_dsl.inference.learning.held_out import HeldOut
from statmech_dsl.inference.learning.layer import layer
from statmech_dsl.inference.learning.phases import Phases
from statmech_dsl.inference.learning.products import Statistics, product_of
from statmech_dsl.inference.problem.posed import pose
from statmech_dsl.inference.problem.space import Space
from statmech_dsl.solvers.slopes import slopes

N = 8
A, B = sm.lattices.chain(N).bonds
QUIET = {"progressbar": False, "seed": 1, "threads": 1}


def ring():
    with sm.Model() as model:
        J, h = pm.Normal("J"), pm.Normal("h")
        s = sm.Spin("s", N)
        sm.Energy("exchange", -J * s[A] * s[B])
        sm.Energy("field", -h * s)
    return model


def machine(n_visible=4, n_hidden=2, between_hidden=False):
    """A Boltzmann machine; restricted unless its hidden units are coupled."""
    with sm.Model() as model:
        W = pm.Normal("W", 0, 1, shape=(n_visible, n_hidden))
        a = pm.Normal("a", 0, 1, shape=n_visible)
        v, h = sm.Occupation("v", n_visible), sm.Spin("h", n_hidden)
        sm.Energy("weights", -v[:, None] * W * h)
        sm.Energy("biases", -a * v)
        if between_hidden:
            sm.Energy("between", -0.5 * h[0] * h[1])
    return model


SPINS = np.random.default_rng(1).choice([-1, 1], p=[0.3, 0.7], size=(200, N))
BITS = np.random.default_rng(2).integers(0, 2, size=(200, 4))
BITS[:, 1] = np.where(np.random.default_rng(3).random(200) < 0.8, BITS[:, 0], BITS[:, 1])


def task_of(model, data, test=None):
    posed = pose(model, data)
    space = Space(posed)
    none = np.zeros(space.size)
    return Task(posed, space, space.start, none, none, 1, test and pose(model, test))


def test_products_are_the_terms():
    task = task_of(machine(between_hidden=True), {"v": BITS})
    r = task.posed.recovered
    assert all(product_of(f, r.ir, r.tables) for f in r.ir.families)
    rng = np.random.default_rng(4)
    x = {"v": rng.integers(0, 2, (4, 30)), "h": rng.choice([-1, 1], (2, 30))}
    found = Statistics(r.ir, r.tables, task.posed.couplings).mean(x)
    for name, each in slopes(r.ir, r.tables, x, task.posed.couplings).items():
        np.testing.assert_allclose(found[name], each.mean(axis=0), rtol=1e-12)


def test_statistics_of_sparse_terms():
    task = task_of(ring(), {"s": SPINS})
    r = task.posed.recovered
    found = Statistics(r.ir, r.tables, task.posed.couplings).mean(task.posed.states())
    for name, each in slopes(r.ir, r.tables, task.posed.states(), task.posed.couplings).items():
        np.testing.assert_allclose(found[name], each.mean(axis=0), rtol=1e-12)


def test_sum_over_a_layer():
    task = task_of(machine(), {"v": BITS})
    r = task.posed.recovered
    tables = dict(r.tables) | task.space.tables(np.linspace(-1, 1, task.space.size))
    hidden = layer(r.ir, tables, ("h",))
    couplings = hidden.couplings(tables)
    W = task.space.natural(np.linspace(-1, 1, task.space.size))["W"]
    fields = BITS[:5] @ W
    x = {"v": BITS[:5].T.astype(float)}
    np.testing.assert_allclose(hidden.means(couplings, x)["h"], np.tanh(fields).T, rtol=1e-12)
    expected = np.log(2 * np.cosh(fields)).sum(axis=1)
    np.testing.assert_allclose(hidden.log_sums(couplings, x), expected, rtol=1e-12)


@pytest.mark.parametrize("coupled", [False, True])
def test_layers(coupled):
    task = task_of(machine(between_hidden=coupled), {"v": BITS})
    assert (Phases(task, 4, 4).hidden is None) == coupled


def test_persistent_chains_find_the_maximum():
    exact = sm.learn(ring(), {"s": SPINS}, method="exact")
    options = {"chains": 400, "batch_size": 200, "epochs": 150, "learning_rate": (0.5, 0.02)}
    fit = sm.learn(ring(), {"s": SPINS}, method="pcd", k=2, **options, **QUIET)
    assert fit.attrs["positive_phase"] == "complete data"
    for name in ("J", "h"):
        off = abs(fit.point[name] - exact.point[name])
        assert float(off) < 0.5 * float(exact.standard_error[name])


def mean_log_likelihood(W, a, data, coupled=False):
    """Of a state of the machine, by brute force."""
    v = (np.arange(16)[:, None] >> np.arange(4)) & 1
    h = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    logs = (v @ W) @ h.T + (v @ a)[:, None] + (0.5 * h[:, 0] * h[:, 1] if coupled else 0.0)
    each = logsumexp(logs, axis=1)
    return float((each[data @ (1 << np.arange(4))] - logsumexp(logs)).mean())


@pytest.mark.parametrize(("method", "coupled"), [("pcd", False), ("cd", False), ("pcd", True)])
def test_hidden_units(method, coupled):
    model = machine(between_hidden=coupled)
    W = np.random.default_rng(5).normal(size=(4, 2))
    exact = sm.learn(model, {"v": BITS}, method="exact", init={"W": W})
    options = {"batch_size": 50, "epochs": 150, "learning_rate": (0.5, 0.05)}
    fit = sm.learn(model, {"v": BITS}, method=method, init={"W": W}, **options, **QUIET)
    first, found, best = (
        mean_log_likelihood(p["W"], p["a"], BITS, coupled)
        for p in (
            {"W": W, "a": np.zeros(4)},
            {name: fit.point[name].values for name in "Wa"},
            {name: exact.point[name].values for name in "Wa"},
        )
    )
    assert best * 200 == pytest.approx(float(exact.history.log_likelihood[-1]), rel=1e-9)
    assert found > best - (0.2 if method == "cd" else 0.1) * (best - first)


def test_test_likelihood_is_the_exact_one():
    task = task_of(machine(), {"v": BITS}, {"v": BITS[:20]})
    x = np.linspace(-1, 1, task.space.size)
    p = task.space.natural(x)
    assert HeldOut(task)(x) == pytest.approx(
        mean_log_likelihood(p["W"], p["a"], BITS[:20]), abs=0.1
    )


SHORT = {"batch_size": 50, "chains": 20, "learning_rate": 0.1, "momentum": 0.5}


@pytest.mark.parametrize("build", [machine, ring])
def test_going_on_is_as_if_it_had_never_stopped(build):
    data = {"v": BITS} if build is machine else {"s": SPINS}
    whole = sm.learn(build(), data, method="pcd", epochs=4, **SHORT, **QUIET)
    again = sm.learn(build(), data, method="pcd", epochs=4, **SHORT, **QUIET)
    assert whole.point.equals(again.point)
    first = sm.learn(build(), data, method="pcd", epochs=2, **SHORT, **QUIET)
    rest = sm.learn(build(), data, method="pcd", epochs=2, init=first, **SHORT, **QUIET)
    assert rest.attrs["epochs"] == 4
    if build is machine:  # its random streams are numbered by epochs; those of kernels begin anew
        for name in whole.point.data_vars:
            np.testing.assert_allclose(rest.point[name], whole.point[name], atol=1e-6)


@pytest.mark.parametrize("build", [machine, ring])
def test_other_backends(build):
    """They have no way to exchange couplings, and are built anew."""
    data = {"v": BITS[:20]} if build is machine else {"s": SPINS[:20]}
    options = {"method": "pcd", "epochs": 3, "batch_size": 10, "chains": 5, "learning_rate": 0.3}
    fit = sm.learn(build(), data, backend="reference", **options, **QUIET)
    assert np.isfinite(fit.history.gradient_norm).all()
    if build is ring:
        same = sm.learn(build(), data, backend="numba", **options, **QUIET)
        assert fit.point.equals(same.point)


def test_weight_decay():
    strong = sm.learn(machine(), {"v": BITS}, method="cd", l2=1.0, epochs=30, **SHORT, **QUIET)
    plain = sm.learn(machine(), {"v": BITS}, method="cd", epochs=30, **SHORT, **QUIET)
    assert abs(strong.point.a).max() < abs(plain.point.a).max()


def test_early_stop_keeps_the_best():
    options = {"test_data": {"v": BITS[:20]}, "test_every": 1, "patience": 2, "epochs": 40}
    fit = sm.learn(machine(), {"v": BITS[:20]}, method="pcd", **options, **SHORT, **QUIET)
    found = fit.history.test_log_likelihood
    if fit.attrs["epochs"] < 40:
        assert int(np.argmax(found.values)) == len(found) - 3
    at = {name: fit.point[name].values for name in "Wa"}
    best = mean_log_likelihood(at["W"], at["a"], BITS[:20])
    assert best == pytest.approx(float(found.max()), abs=0.1)


def test_interrupted(monkeypatch):
    calls = []

    def once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return one_epoch(*args, **kwargs)

    one_epoch = contrastive_divergence.Climb.one_epoch
    monkeypatch.setattr(contrastive_divergence.Climb, "one_epoch", once)
    with pytest.warns(sm.errors.InterruptedWarning, match="after 2 of 9 epochs"):
        fit = sm.learn(machine(), {"v": BITS}, method="pcd", epochs=9, **SHORT, **QUIET)
    assert fit.history.sizes["step"] == 2


BAD = {
    "epochs": ({"epochs": 0}, ArgumentError, "epochs must be"),
    "rate": ({"learning_rate": -1.0}, ArgumentError, "learning_rate must be"),
    "momentum": ({"momentum": 1.0}, ArgumentError, "momentum must be"),
    "patience": ({"patience": 3}, ArgumentError, "patience waits for tests"),
    "test": ({"test_every": 3}, ArgumentError, "needs test_data"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case):
    options, error, words = BAD[case]
    with pytest.raises(error, match=words):
        sm.learn(machine(), {"v": BITS}, method="pcd", **options, **QUIET)


def test_what_it_cannot_serve():
    holes = BITS.astype(float)
    holes[0, 1] = holes[1, 2] = np.nan
    with pytest.raises(ModelError, match="different sites are missing"):
        sm.learn(machine(), {"v": holes}, method="pcd", **QUIET)
    options = {"test_data": {"v": BITS}, "test_every": 1, "epochs": 1}
    with pytest.raises(ModelError, match="depend on each other"):
        sm.learn(machine(between_hidden=True), {"v": BITS}, method="pcd", **options, **QUIET)

"""Houdayer's move leaves the law of a pair alone, and sweeps beside it reach all states."""

from itertools import product

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.errors import ArgumentError
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.houdayer import Houdayer, exchange_clusters, factor_graph


def frustrated():
    """Two kinds of variables, fields, a term of three sites, and a site that is clamped."""
    with sm.Model() as model:
        s = sm.Spin("s", 3, observed=np.ma.masked_array([0, 0, -1], [1, 1, 0]))
        n = sm.Potts("n", 2, q=3)
        sm.Energy("pair", np.array([0.7, -1.1]) * s[[0, 1]] * s[[1, 2]])
        sm.Energy("mixed", -0.4 * s[:2] * n**2)
        sm.Energy("three", 0.3 * s[0] * n[0] * n[1])
        sm.Energy("field", -0.2 * s)
    return model


def graph(model):
    sampler = compile_model(model, 2)
    ir = sampler.program.model
    return sampler, factor_graph(ir, sampler.tables)


def states():
    """All states of `frustrated`, and their energies."""
    x = np.array(
        [(*s, -1, *n) for s in product((-1, 1), repeat=2) for n in product(range(3), repeat=2)]
    )
    s, n = x[:, :3], x[:, 3:]
    e = 0.7 * s[:, 0] * s[:, 1] - 1.1 * s[:, 1] * s[:, 2] - 0.4 * (s[:, :2] * n**2).sum(1)
    return x, e + 0.3 * s[:, 0] * n[:, 0] * n[:, 1] - 0.2 * s.sum(1)


@pytest.mark.parametrize("largest", [2, 5])
def test_the_joint_distribution_is_invariant(largest):
    """By enumeration of all pairs of states, and of all sites that may be picked."""
    x, energy = states()
    n = len(x)
    _, (neighbors, start) = graph(frustrated())
    index = {tuple(row): k for k, row in enumerate(x.tolist())}
    P = np.zeros((n * n, n * n))
    moved = False
    for p, q in product(range(n), repeat=2):
        differing = int((x[p] != x[q]).sum())
        for pick in range(max(differing, 1)):
            a, b = x[[p]].astype(np.int8), x[[q]].astype(np.int8)
            u = np.array([(pick + 0.5) / max(differing, 1)])
            size = exchange_clusters(a, b, u, neighbors, start, largest)[0]
            assert abs(size) <= differing
            to = index[tuple(a[0].tolist())], index[tuple(b[0].tolist())]
            assert energy[to[0]] + energy[to[1]] == pytest.approx(energy[p] + energy[q])
            moved |= size > 0 and to != (p, q)
            P[p * n + q, to[0] * n + to[1]] += 1 / max(differing, 1)
    assert moved
    weight = np.exp(-0.8 * (energy[:, None] + energy)).reshape(-1)
    np.testing.assert_allclose(weight @ P, weight, rtol=1e-12)


def test_a_cluster_is_what_factors_join():
    lattice = sm.lattices.chain(8, periodic=False)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    _, (neighbors, start) = graph(model)
    a = np.array([[1, 1, 1, 1, 1, 1, 1, 1]] * 3, np.int8)
    b = np.array([[1, -1, -1, 1, 1, 1, -1, 1]] * 3, np.int8)
    size = exchange_clusters(a, b, np.array([0.1, 0.5, 0.99]), neighbors, start, 4)
    assert list(size) == [2, 2, 1]
    np.testing.assert_array_equal(a[0], [1, -1, -1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(a[2], [1, 1, 1, 1, 1, 1, -1, 1])
    before = a.copy()
    assert list(exchange_clusters(a, b, np.full(3, 0.5), neighbors, start, 0)) == [-2, -2, -2]
    np.testing.assert_array_equal(a, before)


def test_moves_are_made_between_replicas_of_one_temperature():
    model = sm.models.edwards_anderson(L=6, d=2)
    sampler = compile_model(model, 24)
    exchange = Exchange(np.array([1.0, 0.5, 0.1]), np.arange(4), 2, seed=1)
    level, ladder = np.divmod(np.arange(24), 8)
    state = sampler.start(1, ladder, level, exchange.beta[level], "hot")
    exchange.rows[:] = np.random.default_rng(1).permuted(exchange.rows, axis=0)
    kernels = sampler.kernels
    before = kernels.energy(kernels.pack(state))[0][exchange.rows]
    move = Houdayer(sampler, exchange, 2)
    for number in range(20):
        move(state, number)
    after = kernels.energy(kernels.pack(state))[0][exchange.rows]
    np.testing.assert_allclose(after.reshape(3, 4, 2).sum(2), before.reshape(3, 4, 2).sum(2))
    assert (after != before).any()
    assert (move.moved + move.skipped == 20 * 4).all()


def test_where_it_cannot_work_it_says_so():
    with sm.Model() as real:
        x = sm.Field("x", 4)
        sm.Energy("well", x**2)
    for model, message in ((real, "discrete"), (sm.models.curie_weiss(N=200), "local terms")):
        with pytest.raises(ArgumentError, match=message):
            sm.temper(
                model, T=[1.0, 2.0], replicas_per_T=2, houdayer=True, draws=1, progressbar=False
            )


def test_it_helps_a_glass_and_does_not_change_it():
    model = sm.models.edwards_anderson(L=4, d=2, couplings="gaussian", seed=3)
    options = {"T": [0.5, 0.8, 1.3], "replicas_per_T": 2, "draws": 1500, "chains": 8, "seed": 5}
    data = sm.temper(model, houdayer=True, progressbar=False, **options)
    exact = sm.exact(model, T=options["T"])
    for k in range(3):
        found = sm.tau_int(data.posterior.energy.isel(T=k).mean("copy").values)
        assert abs(found.value - float(exact.energy[k])) < 4 * found.error
    assert (data.sample_stats.houdayer_skipped < 0.9).all()
    assert (
        (data.sample_stats.houdayer_cluster > 0) & (data.sample_stats.houdayer_cluster <= 0.5)
    ).all()

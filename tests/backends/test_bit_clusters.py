"""Single clusters of many replicas in bits: against their definition, their energies, and what each must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import statmech_dsl as sm
from statmech_dsl import rng
from statmech_dsl.backends.collective.base import WORD
from statmech_dsl.backends.collective.clusters import bits
from statmech_dsl.backends.collective.clusters.bits.graph import Graph
from statmech_dsl.testing.setup import begin, build, take

N = 70
"""Replicas: two words, one of them with room left."""


def pairs(n, first, second, couplings, declare=sm.Spin, **arguments):
    with sm.Model() as model:
        s = declare("s", n, **arguments)
        sm.Energy("exchange", couplings * s[first] * s[second])
        sm.Observable("m2", s.mean() ** 2)
    return model


def on(lattice, couplings: Any = -1.0):
    first, second = (np.asarray(x) for x in lattice.bonds)
    if couplings == "glass":
        couplings = np.random.default_rng(1).choice([-1.0, 1.0], len(first))
    return pairs(lattice.n_sites, first, second, couplings)


def line(couplings, declare=sm.Spin, **arguments):
    return pairs(9, np.arange(8), np.arange(1, 9), couplings, declare, **arguments)


def tangle():
    """Double bonds, a hub, a site alone, and no line: a walk gives sites their places."""
    random = np.random.default_rng(2)
    first, second = random.integers(0, 20, (2, 24))
    keep = first != second
    first = np.r_[first[keep], np.zeros(8, int), 3]
    second = np.r_[second[keep], np.arange(2, 18, 2), 0]
    return pairs(21, first, second, random.choice([-1.0, 0.5, 1.0], len(first)))


def compiled(model, updates="wolff", backend="numba", threads=1, n=N):
    found = build(model, n, updates=updates, backend=backend, lowered_for=n, threads=threads)
    kernels: Any = found.kernels
    wanted = bits.BitClusterDefinition if backend == "reference" else bits.BitClusterMover
    assert isinstance(kernels.movers[-1], wanted)
    return found, kernels


def betas(n=N):
    return np.linspace(0.0, 1.5, n)


# ---- against the definition --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "updates"),
    [
        (lambda: on(sm.lattices.square((3, 8)), "glass"), "wolff"),
        (lambda: on(sm.lattices.square((3, 8), periodic=False)), [("wolff", 2)]),
        (lambda: on(sm.lattices.square(4)), ["heat_bath", "swendsen_wang", "wolff"]),
        (tangle, "wolff"),
        (lambda: line(0.7, sm.Levels, values=[-1, 1]), "wolff"),
    ],
)
def test_moves_follow_their_definition(model, updates):
    """Replicas in any order, at temperatures of their own, which they exchange, as they do their states."""
    model, rows = model(), np.random.default_rng(3).permutation(N)
    reference, definition = compiled(model, updates, "reference")
    first = take(begin(reference, betas(), seed=4), rows)
    ends = []
    for kernels in (definition, *(compiled(model, updates, threads=k)[1] for k in (1, 2))):
        packed = kernels.pack(first)
        kernels.sweep(packed, 1)
        kernels.take(packed, rows)
        kernels.set_beta(packed, first.beta[::-1])
        kernels.sweep(packed, 1)
        ends.append(kernels.unpack(packed))
    assert (ends[0].values["s"] != first.values["s"][rows]).any()
    for end in ends[1:]:
        assert np.array_equal(end.values["s"], ends[0].values["s"])
        assert end.sweep == ends[0].sweep


def test_plain_states_move_alike():
    """As where passes run on a card: states come as plain arrays."""
    sampler, kernels = compiled(on(sm.lattices.square(4)))
    first = begin(sampler, betas(), seed=1)
    packed, plain = kernels.pack(first), first.copy()
    kernels.sweep(packed, 2)
    kernels.movers[0].move(plain, 2)
    assert np.array_equal(plain.values["s"], kernels.unpack(packed).values["s"])


def test_fewer_replicas_move_one_after_the_other():
    model = on(sm.lattices.square(4))
    for n in (WORD - 1, WORD):
        kernels: Any = build(model, n, updates="wolff", backend="numba", lowered_for=n).kernels
        in_bits = isinstance(kernels.movers[0], bits.BitClusterMover)
        assert in_bits == (n == WORD)


# ---- what a cluster must be --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lattice",
    [
        lambda: sm.lattices.square((13, 40), periodic=False),
        lambda: sm.lattices.cubic((5, 6, 7)),
        lambda: sm.lattices.random_regular(300, 3, seed=1),
        lambda: sm.lattices.erdos_renyi(200, 0.01, seed=2),
    ],
)
def test_where_all_agreeing_sites_are_tied(lattice):
    """At low temperature a cluster is all sites that are connected to its seed by bonds between equal spins."""
    lattice = lattice()
    sampler, kernels = compiled(on(lattice), n=64)
    first = begin(sampler, np.full(64, 40.0), seed=5)
    packed = kernels.pack(first)
    kernels.sweep(packed, 1)
    moved = kernels.unpack(packed).values["s"] != first.values["s"]
    i, j = (np.asarray(x) for x in lattice.bonds)
    stream = sampler.program.collective[0].stream
    for number, (s, flipped) in enumerate(zip(first.values["s"], moved, strict=True)):
        same = s[i] == s[j]
        ties = coo_array((np.ones(same.sum()), (i[same], j[same])), shape=[lattice.n_sites] * 2)
        label = connected_components(ties, directed=False)[1]
        seed = rng.move_words(0, number, 0, stream, 0, first.seed)[3] * (lattice.n_sites + 1) >> 32
        if seed < lattice.n_sites:
            assert np.array_equal(flipped, label == label[seed])


def test_only_ties_that_go_around_need_lists():
    lattice = sm.lattices.square(16)
    i, j = (np.asarray(x) for x in lattice.bonds)
    g = Graph.of(lattice.n_sites, i, j, np.zeros(len(i), int))
    assert g.others.shape[1] == 1
    assert g.runs.all()
    assert sum(len(rows) for _, rows in g.more) == 2 * 16
    assert len(set(g.ties.row)) == len(i)


# ---- against exact energies --------------------------------------------------------------------------------


def test_means_are_exact():
    T = [1.2, 2.3, 5.0]
    model = on(sm.lattices.square(4))
    exact = sm.exact(model, T=T)
    data = sm.sample(
        model, T=T, draws=50, tune=20, thin=2, chains=64, updates="wolff", seed=6, progressbar=False
    )
    for name in ("energy", "m2"):
        means = data.posterior[name].mean("draw")
        error = means.std("chain", ddof=1) / 8
        assert (abs(means.mean("chain") - exact[name]) < 4.5 * error).all()


# ---- what is told ----------------------------------------------------------------------------------------


def clamped():
    known = np.ma.masked_array(np.ones(16, int), np.arange(16) > 0)
    with sm.Model() as model:
        s = sm.Spin("s", 16, observed=known)
        sm.Energy("exchange", -1.0 * s[:15] * s[1:])
    return model


@pytest.mark.parametrize(
    ("model", "updates", "why_not"),
    [
        (lambda: on(sm.lattices.square(4)), "wolff", ""),
        (lambda: on(sm.lattices.square(4)), "wolff(improved=True)", "it has an improved estimator"),
        (clamped, "wolff", "there are fields or clamped sites"),
        (
            lambda: line(0.7, sm.Levels, values=[-1, 0, 1]),
            ["wolff", "auto"],
            "s has more than two values",
        ),
        (
            lambda: line(np.random.default_rng(1).normal(size=8)),
            "wolff",
            "energy differences are no multiples of one unit",
        ),
    ],
)
def test_it_is_explained(model, updates, why_not):
    text = str(sm.explain(model(), updates=updates))
    assert f"64 replicas: wolff of s: {'one by one' if why_not else 'in bits'}\n" in text
    assert (f"    not in bits: {why_not}\n" in text) == bool(why_not)

"""Colors: their number, the proof that they are right, and what happens when they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import statmech_dsl as sm
from statmech_dsl.backends.enumeration import Enumeration
from statmech_dsl.backends.reference import Reference
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.lower.coloring import adjacency, color, dependencies, prove
from statmech_dsl.lower.recovery import recover
from statmech_dsl.testing import check_transition_matrix
from statmech_dsl.testing.setup import begin, build
from statmech_dsl.testing.strategies import graphs, spin_models


def spins(n, i, j, **options):
    with sm.Model() as model:
        s = sm.Spin("s", n, **options)
        sm.Energy("exchange", -0.4 * s[i] * s[j])
    return model


def on(lattice, **options):
    return spins(lattice.n_sites, *lattice.bonds, **options)


def order_of(model):
    r = recover(model)
    return color(r.ir, r.tables, "s")


@pytest.mark.parametrize(
    ("lattice", "n_colors"),
    [
        (sm.lattices.chain(6), 2),
        (sm.lattices.chain(7), 3),
        (sm.lattices.chain(7, periodic=False), 2),
        (sm.lattices.square(4), 2),
        (sm.lattices.square((4, 6)), 2),
        (sm.lattices.square(2), 2),
        (sm.lattices.cubic(4), 2),
        (sm.lattices.complete(5), 5),
    ],
    ids=repr,
)
def test_number_of_colors(lattice, n_colors):
    assert order_of(on(lattice)).n_colors == n_colors


@pytest.mark.parametrize("lattice", [sm.lattices.square(5), sm.lattices.triangular(6)], ids=repr)
def test_three_colors_would_do_and_greedy_takes_few_more(lattice):
    assert 3 <= order_of(on(lattice)).n_colors <= 4


def test_two_sites_across_have_double_bonds_and_two_colors():
    lattice = sm.lattices.square(2)
    assert len(lattice.bonds[0]) == 8
    check_transition_matrix(on(lattice), "heat_bath")


def test_a_large_bipartite_lattice_has_two_colors():
    lattice = sm.lattices.square(300)
    order = order_of(on(lattice))
    assert list(order.segments) == [0, 45_000, 90_000]
    first = order.sites[:45_000].astype(int)
    assert len(np.unique((first // 300 + first % 300) % 2)) == 1


def test_clamped_sites_need_no_color():
    known = np.ma.masked_array(np.ones(8, int), np.arange(8) % 2 == 1)
    order = order_of(on(sm.lattices.chain(8), observed=known))
    assert order.n_colors == 1
    assert sorted(order.sites) == [1, 3, 5, 7]


def test_a_factor_of_three_sites_separates_all_of_them():
    k = np.arange(6)
    with sm.Model() as model:
        s = sm.Spin("s", 6)
        sm.Energy("three", s[k] * s[(k + 1) % 6] * s[(k + 2) % 6])
    r = recover(model)
    a, b = dependencies(r.ir, r.tables, "s")
    assert {(x, y) for x, y in zip(*np.sort([a, b], axis=0), strict=True)} == {
        tuple(sorted((x, (x + d) % 6))) for x in range(6) for d in (1, 2)
    }
    assert color(r.ir, r.tables, "s").n_colors == 3


def test_two_variables_are_colored_apart():
    """Sites of different variables share factors, but a pass moves one variable only."""
    with sm.Model() as model:
        s, t = sm.Spin("s", 5), sm.Spin("t", 5)
        sm.Energy("rungs", -s * t)
    assert [a.order.n_colors for a in lower_model(model).lowered.analyses] == [1, 1]


@given(graphs())
def test_random_graphs(graph):
    n, i, j = graph
    order = order_of(spins(n, i, j))
    assert sorted(order.sites) == list(range(n))
    colors = np.empty(n, int)
    colors[order.sites] = np.repeat(np.arange(order.n_colors), np.diff(order.segments))
    assert (colors[i] != colors[j]).all()
    degree = np.bincount(np.concatenate([i, j]), minlength=n)
    assert order.n_colors <= degree.max() + 1


@given(graphs())
def test_adjacency_lists_every_end_of_every_bond(graph):
    n, i, j = graph
    neighbors, start = adjacency(i.astype(np.uint32), j.astype(np.uint32), n)
    for site in range(n):
        expected = [*j[i == site], *i[j == site]]
        assert sorted(neighbors[start[site] : start[site + 1]]) == sorted(expected)


@settings(max_examples=30)
@given(spin_models(max_sites=4))
def test_random_models_have_the_right_transition_matrix(model):
    check_transition_matrix(model, "heat_bath", beta=0.5)


# ---- wrong colorings --------------------------------------------------------------------------------


def test_the_proof_finds_a_planted_conflict():
    r = recover(on(sm.lattices.square(6)))
    a, b = dependencies(r.ir, r.tables, "s")
    colors = np.empty(36, int)
    order = color(r.ir, r.tables, "s")
    colors[order.sites] = np.repeat([0, 1], 18)
    prove(colors, a, b)
    colors[17] = 1 - colors[17]
    with pytest.raises(AssertionError, match="17.*share a factor"):
        prove(colors, a, b)


def test_only_the_simultaneous_kernel_sees_a_wrong_coloring():
    """Sites of one color that share bonds: site by site the sweep is right, all at once it is not."""
    sampler = build(on(sm.lattices.chain(5)), updates="heat_bath")
    one_color = {**sampler.tables, "s.segments": np.array([0, 5])}
    wrong = Enumeration(Reference(sampler.program, one_color), begin(sampler, 1.0, seed=1))
    pi = wrong.stationary()
    assert np.abs(pi @ wrong.matrix() - pi).max() < 1e-12
    assert np.abs(pi @ wrong.matrix(simultaneous=True) - pi).max() > 1e-3
    assert np.abs(wrong.matrix(simultaneous=True) - wrong.matrix()).max() > 1e-3

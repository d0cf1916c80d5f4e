"""Lattices against exact counts, all-pairs searches and networkx."""

import copy
import pickle
from collections import Counter
from itertools import product
from math import sqrt
from time import perf_counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang import lattices

# name: (constructor, axes, sites per cell, coordination, distances of the first shells,
#        pairs of the second shell per site, plaquettes per cell and their corners)
KINDS = {
    "chain": (lattices.chain, 1, 1, 2, (1, 2, 3), 1, None),
    "square": (lattices.square, 2, 1, 4, (1, sqrt(2), 2, sqrt(5)), 2, (1, 4)),
    "triangular": (lattices.triangular, 2, 1, 6, (1, sqrt(3), 2), 3, (2, 3)),
    "honeycomb": (lattices.honeycomb, 2, 2, 3, (1, sqrt(3), 2, sqrt(7)), 3, (1, 6)),
    "kagome": (lattices.kagome, 2, 3, 4, (1, sqrt(3), 2), 2, (2, 3)),
    "cubic": (lattices.cubic, 3, 1, 6, (1, sqrt(2), sqrt(3)), 6, (3, 4)),
    "hypercubic": (lambda L, **kw: lattices.hypercubic(L, 4, **kw), 4, 1, 8, (1,), 12, (6, 4)),
    "bcc": (lattices.bcc, 3, 2, 8, (1, sqrt(4 / 3), sqrt(8 / 3)), 3, None),
    "fcc": (lattices.fcc, 3, 4, 12, (1, sqrt(2), sqrt(3)), 3, None),
}
WITH_FACES = [kind for kind, row in KINDS.items() if row[-1]]
SMALL = [kind for kind in KINDS if kind != "hypercubic"]


def degrees(lattice):
    return np.bincount(np.concatenate(lattice.bonds), minlength=lattice.n_sites)


def multiset(i, j):
    return Counter(map(tuple, np.sort(np.stack([i, j], axis=1), axis=1).tolist()))


@st.composite
def crystals(draw, kinds=tuple(SMALL), boundaries=(True, False), longest=4):
    kind = draw(st.sampled_from(kinds))
    axes = KINDS[kind][1]
    lengths = draw(st.tuples(*[st.integers(2, longest)] * axes))
    periodic = draw(st.tuples(*[st.sampled_from(boundaries)] * axes))
    return kind, KINDS[kind][0](lengths, periodic=periodic)


# --- counts on periodic lattices -----------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("L", [2, 3, 4])
def test_counts(kind, L):
    make, axes, basis, z, _, second, faces = KINDS[kind]
    lattice = make(L)
    assert lattice.n_sites == basis * L**axes
    assert lattice.shape == (lattice.n_sites,)
    assert lattice.lengths == (L,) * axes
    assert lattice.n_links == len(lattice.links) == z * lattice.n_sites // 2
    assert lattice.coordination == z
    assert (degrees(lattice) == z).all()
    np.testing.assert_array_equal(lattice.sites, np.arange(lattice.n_sites))
    if L > 3:
        assert len(lattice.neighbors(2)[0]) == second * lattice.n_sites
    if faces:
        assert lattice.plaquettes.shape == (faces[0] * L**axes, faces[1])


@pytest.mark.parametrize("kind", SMALL)
def test_neighbors_of_the_first_shell_are_the_bonds(kind):
    lattice = KINDS[kind][0](3)
    assert lattice.neighbors(1) is lattice.bonds
    assert lattice.neighbors() is lattice.bonds


def test_each_bond_once():
    assert max(multiset(*lattices.square(3).bonds).values()) == 1
    assert max(multiset(*lattices.fcc(2).bonds).values()) == 1


def test_two_cells_around_a_torus_are_joined_twice():
    assert multiset(*lattices.chain(2).bonds) == {(0, 1): 2}
    assert set(multiset(*lattices.square(2).bonds).values()) == {2}
    assert set(multiset(*lattices.square(2).neighbors(2)).values()) == {4}
    assert set(multiset(*lattices.chain(4).neighbors(2)).values()) == {2}


@settings(max_examples=40)
@given(crystals(boundaries=(True,)))
def test_translations_map_bonds_onto_bonds(example):
    _, lattice = example
    grid = lattice.sites.reshape(*lattice.lengths, -1)
    i, j = lattice.bonds
    for axis in range(len(lattice.lengths)):
        shifted = np.roll(grid, 1, axis).ravel()
        assert multiset(shifted[i], shifted[j]) == multiset(i, j)


# --- order of sites and bonds --------------------------------------------------------------------


def test_sites_are_in_row_major_order():
    lattice = lattices.rectangular(2, 3)
    np.testing.assert_array_equal(
        lattice.positions, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    )
    np.testing.assert_array_equal(lattice.box, [[2, 0], [0, 3]])


def test_bonds_are_ordered_by_axis():
    grid = np.arange(60).reshape(3, 4, 5)
    i, j = lattices.cubic((3, 4, 5)).bonds
    np.testing.assert_array_equal(i.reshape(3, -1), np.tile(grid.ravel(), (3, 1)))
    for axis, ends in enumerate(j.reshape(3, 3, 4, 5)):
        np.testing.assert_array_equal(ends, np.roll(grid, -1, axis))


def test_honeycomb_bonds_lead_from_one_sublattice_to_the_other_by_direction():
    lattice = lattices.honeycomb(4)
    i, j = (ends.reshape(3, -1) for ends in lattice.bonds)
    assert not (i % 2).any()
    assert (j % 2).all()
    for row in lattice.displacement(i, j):
        np.testing.assert_allclose(row, row[:1].repeat(len(row), 0), atol=1e-12)


def test_hypercubic_contains_the_named_lattices():
    for named, d in ((lattices.chain(5), 1), (lattices.square(5), 2), (lattices.cubic(5), 3)):
        np.testing.assert_array_equal(named.bonds, lattices.hypercubic(5, d).bonds)


# --- distances and shells ------------------------------------------------------------------------


def images(lattice, reach):
    """All sums of at most `reach` periods of each periodic axis."""
    spans = [range(-reach, reach + 1) if wraps else (0,) for wraps in lattice.periodic]
    return np.array(list(product(*spans))) @ lattice.box


@settings(max_examples=50)
@given(crystals(longest=5))
def test_distances_are_the_shortest_over_all_images(example):
    _, lattice = example
    direct = lattice.positions - lattice.positions[0]
    every = direct + images(lattice, reach=3)[:, None, :]
    shortest = np.sqrt((every**2).sum(-1)).min(0)
    np.testing.assert_allclose(lattice.pair_distance(0, lattice.sites), shortest, atol=1e-9)


@pytest.mark.parametrize("lengths", [(2, 40), (40, 2), (3, 17)])
def test_distances_in_a_skew_and_narrow_box(lengths):
    lattice = lattices.triangular(lengths)
    direct = lattice.positions - lattice.positions[0]
    every = direct + images(lattice, reach=25)[:, None, :]
    shortest = np.sqrt((every**2).sum(-1)).min(0)
    np.testing.assert_allclose(lattice.pair_distance(0, lattice.sites), shortest, atol=1e-9)


def test_displacement_broadcasts_and_is_antisymmetric():
    lattice = lattices.kagome(3)
    i, j = lattice.sites[:, None], lattice.sites[None, :]
    assert lattice.displacement(i, j).shape == (27, 27, 2)
    np.testing.assert_allclose(lattice.pair_distance(i, j), lattice.pair_distance(j, i))


@settings(max_examples=60)
@given(crystals(), st.integers(0, 2))
def test_shells_hold_all_pairs_at_their_distance(example, index):
    kind, lattice = example
    shells = KINDS[kind][4]
    shell = 1 + index % len(shells)
    vectors = lattice.positions[None, :] - lattice.positions[:, None]
    every = vectors + images(lattice, reach=2)[:, None, None, :]
    distances = np.sqrt((every**2).sum(-1))
    here = abs(distances - shells[shell - 1]) < 1e-9
    _, i, j = here.nonzero()
    nearer = (distances.min(0)[i, j] < shells[shell - 1] - 1e-9).any()
    if nearer or not len(i):
        with pytest.raises(LatticeError, match=f"neighbor shell {shell}"):
            lattice.neighbors(shell)
    else:
        twice = multiset(i, j)  # from either end
        assert {pair: 2 * n for pair, n in multiset(*lattice.neighbors(shell)).items()} == twice


def test_far_shells_of_a_large_lattice():
    lattice = lattices.square(9)
    shells = sorted({a * a + b * b for a in range(5) for b in range(5)} - {0})
    for shell, squared in enumerate(shells[:9], start=1):
        i, j = lattice.neighbors(shell)
        np.testing.assert_allclose(lattice.pair_distance(i, j) ** 2, squared)


def test_shells_that_do_not_exist():
    with pytest.raises(LatticeError, match="wraps around the lattice"):
        lattices.square(3).neighbors(3)
    with pytest.raises(LatticeError, match="has no pairs"):
        lattices.chain(4, periodic=False).neighbors(4)
    with pytest.raises(LatticeError, match="beyond the lattice"):
        lattices.chain(4, periodic=False).neighbors(1000)
    for shell in (0, -1, 1.0, True):
        with pytest.raises(LatticeError, match="shell is not an integer"):
            lattices.square(4).neighbors(shell)


# --- plaquettes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WITH_FACES)
@pytest.mark.parametrize("L", [2, 3])
@pytest.mark.parametrize("periodic", [True, False])
def test_plaquettes_are_closed_walks_along_links(kind, L, periodic):
    lattice = KINDS[kind][0](L, periodic=periodic)
    i, j = lattice.bonds
    corners, links, signs = lattice.plaquettes, lattice.plaquette_links, lattice.plaquette_signs
    assert corners.shape == links.shape == signs.shape
    assert len(corners) > 0
    assert set(np.unique(signs)) == {-1, 1}
    start, end = np.where(signs > 0, i[links], j[links]), np.where(signs > 0, j[links], i[links])
    np.testing.assert_array_equal(start, corners)
    np.testing.assert_array_equal(end, np.roll(corners, -1, axis=1))
    assert all(len(set(row)) == len(row) for row in corners.tolist())
    assert all(len(set(row)) == len(row) for row in links.tolist())


@pytest.mark.parametrize(("kind", "times"), [("square", 2), ("cubic", 4), ("hypercubic", 6)])
def test_each_link_of_a_torus_lies_in_its_share_of_plaquettes(kind, times):
    for L in (2, 3):
        assert (np.bincount(KINDS[kind][0](L).plaquette_links.ravel()) == times).all()


@pytest.mark.parametrize("kind", WITH_FACES)
def test_a_pure_gauge_has_no_flux(kind):
    lattice = KINDS[kind][0](3)
    phase = np.random.default_rng(1).normal(size=lattice.n_sites)
    i, j = lattice.bonds
    flux = (lattice.plaquette_signs * (phase[j] - phase[i])[lattice.plaquette_links]).sum(axis=1)
    np.testing.assert_allclose(flux, 0, atol=1e-12)


@pytest.mark.parametrize("kind", ["square", "triangular", "honeycomb"])
def test_total_flux_through_a_torus_vanishes(kind):
    lattice = KINDS[kind][0](4)
    theta = np.random.default_rng(2).normal(size=lattice.n_links)
    flux = (lattice.plaquette_signs * theta[lattice.plaquette_links]).sum()
    np.testing.assert_allclose(flux, 0, atol=1e-12)


@pytest.mark.parametrize("kind", ["square", "triangular", "honeycomb", "kagome"])
def test_plaquettes_in_the_plane_run_counterclockwise(kind):
    lattice = KINDS[kind][0](3, periodic=False)
    x, y = np.moveaxis(lattice.positions[lattice.plaquettes], -1, 0)
    area = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1) / 2
    expected = {"square": 1, "honeycomb": 3 * sqrt(3) / 2}.get(kind, sqrt(3) / 4)
    np.testing.assert_allclose(area, expected)


@pytest.mark.parametrize("attribute", ["plaquettes", "plaquette_links", "plaquette_signs"])
@pytest.mark.parametrize("lattice", [lattices.chain(4), lattices.bcc(2), lattices.complete(3)])
def test_lattices_without_faces_say_so(lattice, attribute):
    with pytest.raises(LatticeError, match="no plaquettes.*your own array"):
        getattr(lattice, attribute)


# --- boundaries and bipartiteness ----------------------------------------------------------------


def test_open_boundaries():
    lattice = lattices.rectangular(3, 4, periodic=False)
    assert lattice.n_links == 2 * 4 + 3 * 3
    assert len(lattice.plaquettes) == 2 * 3
    assert lattices.rectangular(3, 4, periodic=(True, False)).n_links == 3 * 4 + 3 * 3
    assert lattices.chain(1, periodic=False).n_links == 0
    assert lattices.rectangular(1, 4, periodic=(False, True)).n_links == 4


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("L", [2, 3])
@pytest.mark.parametrize("periodic", [True, False])
def test_bipartite_as_networkx_says(kind, L, periodic):
    lattice = KINDS[kind][0](L, periodic=periodic)
    graph = nx.Graph(list(zip(*lattice.bonds, strict=True)))
    assert lattice.is_bipartite == nx.is_bipartite(graph)


def test_an_odd_torus_is_not_bipartite():
    assert lattices.square(4).is_bipartite
    assert not lattices.square(5).is_bipartite
    assert lattices.square(5, periodic=False).is_bipartite
    assert not lattices.rectangular(4, 5).is_bipartite
    assert lattices.honeycomb(5).is_bipartite


# --- graphs --------------------------------------------------------------------------------------


def test_complete_and_bipartite():
    assert multiset(*lattices.complete(4).bonds) == Counter(
        [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    )
    assert lattices.complete(1).n_links == 0
    lattice = lattices.bipartite(2, 3)
    np.testing.assert_array_equal(lattice.bonds, [[0, 0, 0, 1, 1, 1], [2, 3, 4, 2, 3, 4]])
    assert lattice.is_bipartite
    assert not lattices.complete(3).is_bipartite


def test_random_graphs_are_a_function_of_their_seed():
    lattice = lattices.random_regular(20, 3, seed=7)
    assert (degrees(lattice) == 3).all()
    assert max(multiset(*lattice.bonds).values()) == 1
    np.testing.assert_array_equal(lattice.bonds, lattices.random_regular(20, 3, seed=7).bonds)
    assert multiset(*lattice.bonds) != multiset(*lattices.random_regular(20, 3, seed=8).bonds)
    assert 300 < lattices.erdos_renyi(100, 0.08, seed=1).n_links < 500
    assert lattices.erdos_renyi(5, 0, seed=1).n_links == 0
    assert lattices.erdos_renyi(5, 1, seed=1).n_links == 10


@settings(max_examples=40)
@given(st.integers(0, 50), st.integers(1, 5))
def test_shells_and_distances_on_a_graph_count_bonds(seed, shell):
    lattice = lattices.erdos_renyi(12, 0.2, seed=seed)
    graph = nx.Graph(list(zip(*lattice.bonds, strict=True)))
    graph.add_nodes_from(range(12))
    hops = dict(nx.all_pairs_shortest_path_length(graph))
    distances = np.array([[hops[a].get(b, np.inf) for b in range(12)] for a in range(12)])
    every = lattice.sites
    np.testing.assert_array_equal(lattice.pair_distance(every[:, None], every), distances)
    pairs = Counter(zip(*np.triu(distances == shell, 1).nonzero(), strict=True))
    if pairs:
        assert multiset(*lattice.neighbors(shell)) == pairs
    elif shell > 1:
        with pytest.raises(LatticeError, match="bonds apart"):
            lattice.neighbors(shell)


def test_from_networkx_keeps_the_order_of_nodes_and_edges():
    graph = nx.Graph()
    graph.add_edge("b", "a", J=2.0)
    graph.add_edge("c", "a", J=3.0)
    lattice = lattices.from_networkx(graph)
    np.testing.assert_array_equal(lattice.bonds, [[0, 1], [1, 2]])
    assert [J for _, _, J in graph.edges(data="J")] == [2.0, 3.0]
    with pytest.raises(LatticeError, match="no positions"):
        _ = lattice.positions
    nx.set_node_attributes(graph, {"a": (0, 1), "b": (0, 0), "c": (2, 2)}, "pos")
    np.testing.assert_array_equal(lattices.from_networkx(graph).positions, [[0, 0], [0, 1], [2, 2]])
    doubled = nx.MultiGraph([(0, 1), (0, 1)])
    assert lattices.from_networkx(doubled).n_links == 2


def test_from_edges():
    lattice = lattices.from_edges([(2, 0), (0, 1), (0, 1)], n_sites=5)
    np.testing.assert_array_equal(lattice.bonds, [[2, 0, 0], [0, 1, 1]])
    assert lattice.n_sites == 5
    assert lattice.coordination == pytest.approx(6 / 5)
    assert lattice.lengths is None
    assert lattice.box is None
    placed = lattices.from_edges([], positions=np.eye(3))
    assert (placed.n_sites, placed.n_links) == (3, 0)
    np.testing.assert_array_equal(placed.positions, np.eye(3))
    with pytest.raises(LatticeError, match="no displacements.*pair_distance"):
        placed.displacement(0, 1)


# --- frozen, cheap and comparable ----------------------------------------------------------------


@pytest.mark.parametrize(
    "lattice", [lattices.triangular(3), lattices.from_edges([(0, 1)], positions=[[0.0], [1.0]])]
)
def test_arrays_are_computed_once_and_read_only(lattice):
    for name in ("sites", "bonds", "links", "positions"):
        value = getattr(lattice, name)
        assert getattr(lattice, name) is value
        for array in value if isinstance(value, tuple) else (value,):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
    with pytest.raises(AttributeError):
        lattice.n_sites = 3


def test_indices_are_int64():
    for lattice in (lattices.honeycomb(2), lattices.complete(3)):
        arrays = [lattice.sites, lattice.links, *lattice.bonds, *lattice.neighbors(1)]
        assert {array.dtype for array in arrays} == {np.dtype(np.int64)}
    assert lattices.square(4).plaquettes.dtype == np.int64


def test_equality():
    assert lattices.square(4) == lattices.square((4, 4))
    assert hash(lattices.square(4)) == hash(lattices.square(4))
    assert lattices.square(4) != lattices.square(4, periodic=False)
    assert lattices.complete(4) != lattices.complete(4)


def test_copies_and_pickles():
    for lattice in (lattices.kagome(2), lattices.complete(4)):
        for twin in (copy.deepcopy(lattice), pickle.loads(pickle.dumps(lattice))):
            np.testing.assert_array_equal(twin.bonds, lattice.bonds)


def test_repr():
    assert repr(lattices.bcc(2)) == "<bcc 2x2x2, periodic, 16 sites>"
    assert repr(lattices.chain(3, periodic=False)) == "<chain 3, open, 3 sites>"
    assert repr(lattices.complete(3)) == "<complete graph, 3 sites, 3 bonds>"


def test_a_million_sites_take_no_time():
    def seconds():
        start = perf_counter()
        lattice = lattices.square(1000)
        assert len(lattice.sites) == 10**6
        assert len(lattice.bonds[0]) == 2 * 10**6
        return perf_counter() - start

    assert any(seconds() < 0.2 for _ in range(5))  # other tests may run beside


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "L", [0, -3, 2.0, "4", None, True, (3,), (3, 3, 3), (3, 2.5), float("nan")]
)
def test_bad_lengths(L):
    with pytest.raises(LatticeError, match="length.*square.*To mend it"):
        lattices.square(L)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind][2] == 1])
def test_one_cell_around_a_torus_is_refused(kind):
    with pytest.raises(LatticeError, match=f"wraps around.*{kind}.*periodic=False"):
        KINDS[kind][0](1)


@pytest.mark.parametrize("periodic", [(True,), (True, False, True), "yes", 1, None, (1, 0)])
def test_bad_boundaries(periodic):
    with pytest.raises(LatticeError, match="periodic.*square"):
        lattices.square(4, periodic=periodic)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"edges": [(0, 0)]}, r"itself.*edges\[0\] = \(0, 0\)"),
        ({"edges": [(0, 1), (1, 5)], "n_sites": 3}, r"sites 0 .. 2 .*edges\[1\]"),
        ({"edges": [(0, -1)]}, r"leaves the sites.*edges\[0\]"),
        ({"edges": [(0.0, 1.0)]}, "not pairs of integers"),
        ({"edges": [(0, float("nan"))]}, "not pairs of integers"),
        ({"edges": [(0, 1, 2)]}, r"shape \(1, 3\)"),
        ({"edges": [(0, 1), (2,)]}, "not pairs of integers"),
        ({"edges": 3}, r"shape \(\)"),
        ({"edges": [0, 1]}, r"shape \(2,\)"),
        ({"edges": []}, "n_sites"),
        ({"edges": [(0, 1)], "n_sites": 2.0}, "n_sites"),
        ({"edges": [(0, 1)], "positions": [[0.0], [np.nan]]}, "finite"),
        ({"edges": [(0, 1)], "positions": [0.0, 1.0]}, r"shape \(2,\)"),
        ({"edges": [(0, 1)], "positions": [[0.0], "x"]}, "positions"),
        ({"edges": [(0, 1)], "n_sites": 2, "positions": [[0.0]]}, "one position for each site"),
    ],
)
def test_bad_edges(arguments, match):
    with pytest.raises(LatticeError, match=match):
        lattices.from_edges(**arguments)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: lattices.complete(0), "N is not"),
        (lambda: lattices.bipartite(2, 0), "m is not"),
        (lambda: lattices.random_regular(5, 3, seed=1), "even"),
        (lambda: lattices.random_regular(4, 4, seed=1), "d < N"),
        (lambda: lattices.random_regular(4, 2, seed=None), "seed"),
        (lambda: lattices.erdos_renyi(4, 1.5, seed=1), "not a probability"),
        (lambda: lattices.erdos_renyi(4, float("nan"), seed=1), "not a probability"),
        (lambda: lattices.erdos_renyi(4, 0.5, seed=-1), "seed"),
        (lambda: lattices.from_networkx(nx.DiGraph([(0, 1)])), "undirected"),
        (lambda: lattices.from_networkx([(0, 1)]), "undirected.*list"),
        (lambda: lattices.from_networkx(nx.Graph([(0, 0)])), "itself"),
        (lambda: lattices.from_networkx(nx.Graph()), "n_sites"),
        (lambda: lattices.hypercubic(4, 0), "d is not"),
    ],
)
def test_bad_graphs(make, match):
    with pytest.raises(LatticeError, match=match):
        make()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"vectors": ((1.0, 0.0), (2.0, 0.0)), "basis": ((0.0, 0.0),)}, "span"),
        ({"vectors": ((1.0,),), "basis": ()}, "site"),
        ({"vectors": ((float("nan"),),), "basis": ((0.0,),)}, "finite"),
        ({"vectors": ((1.0,),), "basis": ((float("inf"),),)}, "finite"),
        ({"vectors": ((1.0, 0.0), (0.0,)), "basis": ((0.0, 0.0),)}, "differ in length"),
        ({"vectors": ((1.0,),), "basis": ((0.0,),), "faces": (((1, (0,)),),)}, "faces"),
        ({"vectors": ((1.0,),), "basis": ((0.0,),), "faces": (((0, (0, 0)),),)}, "faces"),
    ],
)
def test_bad_cells(arguments, match):
    with pytest.raises(LatticeError, match=match):
        lattices.Cell(**arguments)


def test_cells_that_cannot_be_repeated():
    skew = lattices.Cell(vectors=((1.0, 0, 0), (0, 1.0, 0), (0.5, 0.5, 1.0)), basis=((0.0, 0, 0),))
    with pytest.raises(LatticeError, match="skew"):
        lattices.from_cell(skew, 3)
    diagonal = ((0, (0, 0)), (0, (1, 1)), (0, (0, 1)))
    cell = lattices.Cell(vectors=((1.0, 0.0), (0.0, 1.0)), basis=((0.0, 0.0),), faces=(diagonal,))
    with pytest.raises(LatticeError, match="leaves the bonds"):
        _ = lattices.from_cell(cell, 3).plaquette_links


def test_lattices_by_name():
    assert lattices.named("kagome", 3, periodic=False) == lattices.kagome(3, periodic=False)
    mine = lattices.rectangular(3, 5)
    assert lattices.named(mine, 7) is mine
    with pytest.raises(LatticeError, match="did you mean 'square'"):
        lattices.named("sqare", 4)

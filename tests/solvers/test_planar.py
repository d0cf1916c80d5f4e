"""Planar Ising models against enumeration, elimination and the formulas of chains."""

from collections import Counter
from time import thread_time

import networkx as nx
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.spatial import Delaunay

import statmech_dsl as sm
from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.elimination import elimination
from statmech_dsl.solvers.enumeration import enumeration
from statmech_dsl.solvers.planar import planar
from statmech_dsl.solvers.sweep import sweep
from tests.solvers.systems import ising, system_of

TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def numbers(x):
    return [x.log_partition, x.energy, x.variance]


def glass(graph, draw, field_sites=()):
    """Random couplings on a graph, fields on some sites."""
    graph = nx.convert_node_labels_to_integers(graph)
    edges = np.array(graph.edges).reshape(-1, 2)
    J = draw(len(edges))
    with sm.Model() as model:
        s = sm.Spin("s", len(graph))
        sm.Energy("exchange", -J * s[edges[:, 0]] * s[edges[:, 1]])
        if len(field_sites):
            sites = np.array(field_sites)
            sm.Energy("zeeman", -draw(len(sites)) * s[sites])
    return model


def signs(rng):
    return lambda n: rng.choice([-1.0, 1.0], n)


def normal(rng):
    return lambda n: rng.normal(size=n)


def random_planar(n, n_edges, rng):
    """Part of the Delaunay triangulation of random points: connected or not."""
    corners = Delaunay(rng.random((n, 2))).simplices
    edges = sorted(
        {tuple(sorted(map(int, e))) for c in corners for e in zip(c, np.roll(c, 1), strict=True)}
    )
    graph = nx.empty_graph(n)
    chosen = rng.permutation(len(edges))[:n_edges]
    graph.add_edges_from(edges[k] for k in chosen)
    return graph


@pytest.mark.parametrize("seed", range(12))
def test_random_planar_graphs_against_enumeration(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 12))
    graph = random_planar(n, int(rng.integers(n // 2, 3 * n)), rng)
    system = system_of(glass(graph, (normal if seed % 2 else signs)(rng)))
    a, b = planar(system), enumeration(system)
    for beta in (0.0, 0.3, 1.0, 4.0):
        np.testing.assert_allclose(numbers(a.thermal(beta)), numbers(b.thermal(beta)), **TIGHT)


GRAPHS = {
    "tree": nx.random_labeled_tree(12, seed=1),
    "two rings": nx.disjoint_union(nx.cycle_graph(5), nx.cycle_graph(4)),
    "rings with a common site": nx.compose(
        nx.cycle_graph(5), nx.relabel_nodes(nx.cycle_graph(5), {k: k + 4 for k in range(5)})
    ),
    "wheel": nx.wheel_graph(10),
    "octahedron": nx.octahedral_graph(),
    "ladder": nx.circular_ladder_graph(6),
    "complete": nx.complete_graph(4),
    "two sites between two": nx.complete_bipartite_graph(2, 8),
    "triangular": nx.triangular_lattice_graph(3, 4),
    "honeycomb": nx.hexagonal_lattice_graph(2, 2),
    "without bonds": nx.empty_graph(3),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_against_enumeration(name):
    system = system_of(
        glass(
            GRAPHS[name],
            signs(np.random.default_rng(1)),
            [0] if name != "without bonds" else [0, 1],
        )
    )
    for beta in (0.2, 2.0):
        a, b = planar(system).thermal(beta), enumeration(system).thermal(beta)
        np.testing.assert_allclose(numbers(a), numbers(b), **TIGHT)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("kind", [signs, normal])
def test_glasses_against_elimination(kind, periodic):
    rng = np.random.default_rng(1)
    graph = nx.grid_2d_graph(12, 12, periodic=(periodic, False))
    system = system_of(glass(graph, kind(rng)))
    a, b = planar(system), elimination(system)
    for T in (0.3, 1.0):
        np.testing.assert_allclose(numbers(a.thermal(1 / T)), numbers(b.thermal(1 / T)), **TIGHT)


@pytest.mark.parametrize(
    "lattice",
    [
        sm.lattices.triangular(6, periodic=False),
        sm.lattices.honeycomb(5, periodic=False),
        sm.lattices.kagome(4, periodic=False),
    ],
    ids=str,
)
def test_frustrated_antiferromagnets(lattice):
    system = system_of(ising(lattice, J=-1.0))
    a, b = planar(system).thermal(2.0), elimination(system).thermal(2.0)
    np.testing.assert_allclose(numbers(a), numbers(b), **TIGHT)


def test_a_glass_of_64x64_within_seconds():
    draw = normal(np.random.default_rng(1))
    planar(system_of(glass(nx.grid_2d_graph(2, 2), draw))).thermal(1.0)  # compiles
    system = system_of(glass(nx.grid_2d_graph(64, 64), draw))
    began = thread_time()
    solution = planar(system)
    x = solution.thermal(1 / 0.3)
    assert thread_time() - began < 10
    assert solution.width == 65
    assert x.rounding < 1e-12
    # Gaussian couplings: the energy a bond of the ground state is near -0.66.
    assert -1.4 < x.energy / 4096 < -1.2


def test_energy_and_variance_are_derivatives():
    system = system_of(glass(nx.grid_2d_graph(24, 24), signs(np.random.default_rng(1))))
    solution, d = planar(system), 1e-3
    low, at, high = (solution.thermal(1.0 + k * d) for k in (-1, 0, 1))
    np.testing.assert_allclose(
        at.energy, (low.log_partition - high.log_partition) / (2 * d), rtol=1e-6
    )
    np.testing.assert_allclose(at.variance, (low.energy - high.energy) / (2 * d), rtol=1e-5)


def test_large_ferromagnets_approach_onsager():
    """Free energy a site of the infinite lattice, by differences that cancel the boundary."""
    K = 0.3
    log_Z = {
        L: planar(system_of(ising(sm.lattices.square(L, periodic=False)))).thermal(K).log_partition
        for L in (14, 15, 16)
    }
    bulk = (log_Z[16] - 2 * log_Z[15] + log_Z[14]) / 2
    k = 2 * np.sinh(2 * K) / np.cosh(2 * K) ** 2
    angle = (np.arange(1000) + 0.5) * np.pi / 1000
    onsager = (
        np.log(np.sqrt(2) * np.cosh(2 * K))
        + np.log(1 + np.sqrt(1 - (k * np.sin(angle)) ** 2)).mean() / 2
    )
    np.testing.assert_allclose(bulk, onsager, rtol=1e-6)


def test_a_long_chain_and_a_field_at_its_end():
    rng = np.random.default_rng(1)
    J = rng.normal(size=999)
    with sm.Model() as model:
        s = sm.Spin("s", 1000)
        sm.Energy("exchange", -J * s[:-1] * s[1:])
        sm.Energy("end", -0.7 * s[0])
    x = planar(system_of(model)).thermal(1.3)
    true = np.log(2 * np.cosh(1.3 * J)).sum() + np.log(2 * np.cosh(1.3 * 0.7))
    np.testing.assert_allclose(x.log_partition, true, rtol=1e-13)


def test_fields_along_the_boundary():
    rng = np.random.default_rng(1)
    system = system_of(glass(nx.grid_2d_graph(4, 4), normal(rng), [0, 1, 2, 3, 4, 8, 12, 15]))
    a, b = planar(system).thermal(1.0), enumeration(system).thermal(1.0)
    np.testing.assert_allclose(numbers(a), numbers(b), **TIGHT)


def test_occupations_colors_clamped_sites_and_terms_without_T():
    lattice = sm.lattices.square(3, periodic=False)
    i, j = lattice.bonds
    mask = np.arange(9) != 4
    with sm.Model() as model:
        n = sm.Occupation("n", lattice, observed=np.ma.array(np.ones(9, int), mask=mask))
        p = sm.Potts("p", 4, q=2)
        sm.Energy("colors", -1.0 * pt.eq(p[:-1], p[1:]))
        sm.Energy("bonds", 1.5 * (n[i] - n[j]) ** 2)
        sm.Energy("mixed", 0.4 * n[0] * p[0])
        pm.Potential("fixed", 0.3 * n[0] * n[1])
    system = system_of(model)
    a, b = planar(system).thermal(0.8), enumeration(system).thermal(0.8)
    np.testing.assert_allclose(numbers(a), numbers(b), **TIGHT)


def test_a_sweep_does_everything_once():
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(20, 20, periodic=(True, False)))
    found = sweep(nx.check_planarity(graph)[1])
    assert found.width <= 21
    done = Counter((o.kind, frozenset(o.sites)) for o in found.operations)
    assert set(done.values()) == {1}
    assert {s for kind, s in done if kind == "bond"} == set(map(frozenset, graph.edges))
    assert (
        sum(kind == "sum" for kind, _ in done) == sum(kind == "insert" for kind, _ in done) == 400
    )


def test_what_is_not_planar_is_refused():
    with pytest.raises(InfeasibleError, match="drawn in a plane.*36 sites"):
        planar(system_of(ising(sm.lattices.square(6))))
    with pytest.raises(
        InfeasibleError, match="fields of 36 sites count as couplings to one more site"
    ):
        planar(system_of(ising(sm.lattices.square(6, periodic=False), h=0.1)))
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("plaquette", -1.0 * s[0] * s[1] * s[2] * s[3])
    with pytest.raises(InfeasibleError, match="one of 4"):
        planar(system_of(model))
    with sm.Model() as model:
        p = sm.Potts("p", 4, q=3)
        sm.Energy("colors", -1.0 * pt.eq(p[:-1], p[1:]))
    with pytest.raises(InfeasibleError, match="two values"):
        planar(system_of(model))
    with sm.Model() as model:
        n = sm.Occupation("n", 3)
        sm.Energy("exclusion", -pt.log(1 - n[:-1] * n[1:]))
    with pytest.raises(InfeasibleError, match="forbidden"):
        planar(system_of(model))


def test_lost_digits_are_refused():
    system = system_of(glass(nx.grid_2d_graph(12, 12), signs(np.random.default_rng(1))))
    with pytest.raises(InfeasibleError, match="loses its digits at beta = 10"):
        planar(system).thermal(10.0)

import numpy as np
import pytest

from statmech_dsl.diagnostics import correlation
from statmech_dsl.diagnostics.pairs import pair_average, periodic_grid
from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.lang import lattices
from tests.diagnostics.runs import exact_means, ising_run, ring_of_spins, tree

PERIODIC = [
    lattices.chain(7),
    lattices.square((4, 3)),
    lattices.triangular(4),
    lattices.honeycomb(3),
    lattices.kagome(2),
    lattices.cubic((2, 3, 4)),
    lattices.square(2),
]
OTHERS = [
    lattices.chain(5, periodic=False),
    lattices.square((4, 3), periodic=(True, False)),
    lattices.from_edges([(0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (5, 6)]),
]


def by_pairs(lattice, spins):
    """Average s_i . s_j over all ordered pairs at each distance, pair by pair."""
    products = {}
    for i in range(lattice.n_sites):
        for j in range(lattice.n_sites):
            r = round(float(lattice.pair_distance(i, j)), 8)
            products.setdefault(r, []).append((spins[:, i] * spins[:, j]).sum(axis=-1))
    r = sorted(products)
    multiplicity = [len(products[x]) / lattice.n_sites for x in r]
    return r, multiplicity, np.stack([np.mean(products[x], axis=0) for x in r], axis=1)


@pytest.mark.parametrize("lattice", [*PERIODIC, *OTHERS], ids=repr)
def test_averages_against_every_pair(lattice):
    spins = np.random.default_rng(1).normal(size=(3, lattice.n_sites, 2))
    pairs = pair_average(lattice)
    assert (periodic_grid(lattice) is not None) == (lattice in PERIODIC)
    r, multiplicity, G = by_pairs(lattice, spins)
    np.testing.assert_allclose(pairs.r, r)
    np.testing.assert_allclose(pairs.multiplicity, multiplicity)
    np.testing.assert_allclose(pairs.average(spins), G, atol=1e-12)
    total = (spins.sum(axis=1) ** 2).sum(axis=-1) / lattice.n_sites
    np.testing.assert_allclose(pairs.average(spins) @ pairs.multiplicity, total)


def test_a_lattice_with_sites_missing_has_no_translations():
    class Holed:
        n_sites, lengths = 8, (4, 4)

        def pair_distance(self, i, j):
            kept = 2 * np.arange(8)
            return lattices.square(4).pair_distance(kept[i], kept[j])

    assert periodic_grid(Holed()) is None


def test_exact_correlations_of_the_ising_ring():
    t, L = 0.6, 12
    spins = ring_of_spins(t, L, (4, 4000))
    table = correlation(tree({"s": spins}, dims={"s": ("s_site",)}), "s", lattices.chain(L))
    r = np.arange(7)
    np.testing.assert_array_equal(table.r, r)
    np.testing.assert_array_equal(table.multiplicity, [1, 2, 2, 2, 2, 2, 1])
    exact = (t**r + t ** (L - r)) / (1 + t**L)
    assert table.G[0] == pytest.approx(1)
    assert table.G_error[0] == pytest.approx(0, abs=1e-12)
    assert (abs(table.G - exact)[1:] < 4 * table.G_error[1:]).all()
    assert (table.G_error[1:] < 0.02).all()


def test_temperatures_keep_their_labels():
    lattice = lattices.square(3)
    _, s = ising_run(lattice, [2.0, 4.0], (4, 1500))
    data = tree({"s": s}, T=[2.0, 4.0], dims={"s": ("s_site",)}, s=9)
    table = correlation(data, "s", lattice)
    assert table.G.dims == table.G_error.dims == ("T", "r")
    assert table.multiplicity.dims == ("r",)
    for T in (2.0, 4.0):
        [true] = exact_means(lattice, T, lambda states, E: states[:, 0] * states[:, 1])
        here = table.sel(T=T, r=1.0)
        assert abs(here.G - true) < 4 * here.G_error


def test_angles_and_vectors_are_correlated_by_the_scalar_product():
    rng = np.random.default_rng(2)
    theta = rng.uniform(-np.pi, np.pi, size=(2, 300, 9))
    lattice = lattices.square(3)
    site = ("s_site",)
    values = {"theta": theta, "v": np.stack([np.cos(theta), np.sin(theta)], axis=-1)}
    data = tree(values, dims={"theta": site, "v": (*site, "v_component")})
    angles = correlation(data, "theta", lattice, component=(np.cos, np.sin))
    vectors = correlation(data, "v", lattice)
    np.testing.assert_allclose(angles.G, vectors.G)
    np.testing.assert_allclose(angles.G_error, vectors.G_error)
    i, j = lattice.bonds
    assert angles.G.sel(r=1) == pytest.approx(np.cos(theta[..., i] - theta[..., j]).mean())
    one = correlation(data, "v", lattice, component=lambda v: v[..., 0])
    np.testing.assert_allclose(one.G, correlation(data, "theta", lattice, component=np.cos).G)


@pytest.mark.parametrize("components", [(), (2,)])
def test_the_connected_function_takes_off_the_square_of_the_mean(components):
    spins = 1.5 + np.random.default_rng(1).normal(size=(4, 300, 16, *components))
    data = tree({"x": spins}, dims={"x": ("x_site", "n")[: 1 + len(components)]})
    lattice = lattices.square(4)
    plain = correlation(data, "x", lattice)
    connected = correlation(data, "x", lattice, connected=True)
    mean = (spins.mean(axis=(0, 1, 2)) ** 2).sum()
    np.testing.assert_allclose(connected.G, plain.G - mean)
    assert (connected.G_error < plain.G_error / 2)[1:].all()
    assert "connected" in connected.G.attrs["long_name"]


def test_mistakes_are_named():
    data = tree({"s": np.ones((2, 20, 16)), "m": np.ones((2, 20))}, dims={"s": ("s_site",)})
    with pytest.raises(DiagnosticsError, match="store="):
        correlation(data, "t", lattices.square(4))
    with pytest.raises(DiagnosticsError, match="each of the 25 sites"):
        correlation(data, "s", lattices.square(5))
    with pytest.raises(DiagnosticsError, match="each of the 16 sites"):
        correlation(data, "m", lattices.square(4))
    with pytest.raises(DiagnosticsError, match="at most 2048"):
        pair_average(lattices.square(64, periodic=False))

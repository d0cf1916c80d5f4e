import numpy as np
import pytest

from statmech_dsl.diagnostics import correlation_length
from statmech_dsl.diagnostics.correlation_length import smallest_wave_vectors
from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.lang import lattices
from tests.diagnostics.runs import ising_run, ring_of_spins, tree


@pytest.mark.parametrize(("t", "L"), [(0.3, 6), (0.6, 16), (0.8, 48)])
def test_the_ising_ring_is_exact_at_every_size(t, L):
    # S(k) is proportional to 1 / (1 - 2 t cos k + t^2): xi = sqrt(t) / (1 - t), whatever k_min.
    data = tree({"s": ring_of_spins(t, L, (4, 1500))}, dims={"s": ("s_site",)})
    table = correlation_length(data, "s", lattices.chain(L))
    xi, error = float(table.correlation_length), float(table.correlation_length_error)
    assert abs(xi - np.sqrt(t) / (1 - t)) < 4 * error
    assert error < 0.1 * xi


def test_states_and_observables_agree():
    lattice = lattices.square(4)
    _, s = ising_run(lattice, [2.5, 4.0], (4, 400))
    phases = np.exp(2j * np.pi * lattice.positions / 4)
    values = {
        "s": s,
        "S0": s.sum(axis=-1) ** 2 / 16.0,
        "Sk": (abs(s @ phases) ** 2).mean(axis=-1) / 16,
    }
    data = tree(values, T=[2.5, 4.0], dims={"s": ("s_site",)})
    from_states = correlation_length(data, "s", lattice)
    from_observables = correlation_length(data, ("S0", "Sk"), lattice)
    assert from_states.correlation_length.dims == ("T",)
    for name in from_states.data_vars:
        np.testing.assert_allclose(from_states[name], from_observables[name])
    S0, Sk = (values[name].mean(axis=(0, 1)) for name in ("S0", "Sk"))
    xi = np.sqrt(S0 / Sk - 1) / (2 * np.sin(np.pi / 4))
    np.testing.assert_allclose(from_states.correlation_length, xi)


@pytest.mark.parametrize(
    ("lattice", "number", "norm"),
    [
        (lattices.chain(10), 1, 2 * np.pi / 10),
        (lattices.square((8, 4)), 1, 2 * np.pi / 8),
        (lattices.cubic(6), 3, 2 * np.pi / 6),
        (lattices.triangular(6), 3, 4 * np.pi / (6 * np.sqrt(3))),
    ],
    ids=repr,
)
def test_smallest_wave_vectors(lattice, number, norm):
    k = smallest_wave_vectors(lattice)
    assert len(k) == number
    np.testing.assert_allclose(np.linalg.norm(k, axis=1), norm)
    np.testing.assert_allclose(np.exp(1j * k @ lattice.box.T), 1)


def test_vectors_add_their_components():
    rng = np.random.default_rng(1)
    theta = np.cumsum(rng.normal(0, 0.5, size=(2, 300, 16)), axis=-1)
    v = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    site = ("s_site",)
    data = tree({"theta": theta, "v": v}, dims={"theta": site, "v": (*site, "n")})
    chain = lattices.chain(16)
    angles = correlation_length(data, "theta", chain, component=(np.cos, np.sin))
    vectors = correlation_length(data, "v", chain)
    assert float(angles.correlation_length) == pytest.approx(float(vectors.correlation_length))


def test_no_length_where_the_smallest_wave_dominates():
    spins = np.tile([1, 1, -1, -1], (2, 60, 1))
    data = tree({"s": spins}, dims={"s": ("s_site",)})
    assert np.isnan(correlation_length(data, "s", lattices.chain(4)).correlation_length)


def test_open_boundaries_and_graphs_are_refused():
    data = tree({"s": np.ones((2, 60, 4))}, dims={"s": ("s_site",)})
    for lattice in (lattices.chain(4, periodic=False), lattices.from_edges([(0, 1), (2, 3)])):
        with pytest.raises(DiagnosticsError, match="periodic"):
            correlation_length(data, "s", lattice)

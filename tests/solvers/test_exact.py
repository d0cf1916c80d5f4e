"""`exact` against published and independently computed values, and its promises to the user."""

import json
from itertools import product

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr

import statmech_dsl as sm
from statmech_dsl.errors import (
    ArgumentError,
    ImproperDistributionError,
    InfeasibleError,
    ModelError,
)
from tests.solvers.systems import (
    clock,
    curie_weiss,
    ising,
    mixed,
    potts,
    random_graph,
    rbm,
    spin_glass,
    table,
    z2_gauge,
)

TIGHT = {"rtol": 1e-10, "atol": 1e-13}
THERMAL = ["log_partition", "free_energy", "energy", "heat_capacity", "entropy"]
both_methods = pytest.mark.parametrize("method", ["enumeration", "elimination"])


def check(result, rows, n_sites, rtol=1e-10):
    """Hold log Z and the quantities per site against rows of a table."""
    np.testing.assert_allclose(result.log_partition, [r["lnZ"] for r in rows], **TIGHT)
    for column, name in (("u", "energy"), ("c", "heat_capacity")):
        values = [r[column] for r in rows]
        np.testing.assert_allclose(result[name] / n_sites, values, rtol=rtol, atol=1e-13)


# Published and independently computed values


@pytest.mark.parametrize("L", [2, 3, 4, 5, 8])
def test_ising_tori(L):
    rows = [r for r in table("ising_torus") if r["L"] == L]
    model = ising(sm.lattices.square(L))
    T = [r["T"] for r in rows]
    check(sm.exact(model, T=T, method="elimination"), rows, L**2)
    if L <= 4:
        check(sm.exact(model, T=T, method="enumeration"), rows, L**2)


@pytest.mark.parametrize(("L", "periodic"), [(3, True), (4, True), (4, False)])
def test_moments_of_the_magnetization(L, periodic):
    rows = [r for r in table("ising_moments") if (r["L"], r["periodic"]) == (L, periodic)]
    result = sm.exact(ising(sm.lattices.square(L, periodic=periodic)), T=[r["T"] for r in rows])
    check(result, rows, L**2)
    for name in ("abs_m", "m2", "m4"):
        np.testing.assert_allclose(result[name], [r[name] for r in rows], **TIGHT)
    binder = 1 - result.m4 / (3 * result.m2**2)
    np.testing.assert_allclose(binder, [r["U4"] for r in rows], **TIGHT)
    np.testing.assert_allclose(result.m, 0, atol=1e-13)
    np.testing.assert_allclose(-result.pairs.sum("pairs_dim_0"), result.energy, **TIGHT)


@pytest.mark.parametrize(("q", "L"), [(3, 3), (4, 3), (3, 4), (10, 3)])
def test_potts_tori(q, L):
    rows = [r for r in table("potts_torus") if (r["q"], r["L"]) == (q, L)]
    check(sm.exact(potts(sm.lattices.square(L), q), T=[r["T"] for r in rows]), rows, L**2)


@pytest.mark.parametrize("row", table("potts_ring"), ids=str)
def test_potts_rings_and_chains(row):
    for periodic, name in ((True, "lnZ_periodic"), (False, "lnZ_open")):
        lattice = sm.lattices.chain(row["N"], periodic=periodic)
        result = sm.exact(potts(lattice, row["q"]), beta=row["K"])
        np.testing.assert_allclose(result.log_partition, row[name], **TIGHT)


@pytest.mark.parametrize(("L", "q"), [(3, 3), (3, 5), (3, 6), (4, 4)])
def test_clock_tori(L, q):
    rows = [
        r | {"lnZ": r["lnZ_norm"] + L**2 * np.log(q)}
        for r in table("clock_torus")
        if (r["L"], r["q"]) == (L, q)
    ]
    result = sm.exact(clock(sm.lattices.square(L), q), beta=[r["K"] for r in rows])
    check(result, rows, L**2, rtol=1e-8)  # the table's c are differences of moments


@pytest.mark.parametrize("N", [4, 10])
@pytest.mark.parametrize("h", [0.0, 0.1])
def test_curie_weiss_magnets(N, h):
    rows = [r for r in table("curie_weiss") if (r["N"], r["h"]) == (N, h)]
    T = np.array([r["T"] for r in rows])
    result = sm.exact(curie_weiss(N, h), T=T)
    # The table leaves out i = j, which adds -1/2 to the energy of every state.
    np.testing.assert_allclose(result.log_partition - 0.5 / T, [r["lnZ"] for r in rows], **TIGHT)
    np.testing.assert_allclose((result.energy + 0.5) / N, [r["u"] for r in rows], **TIGHT)
    for name in ("m", "abs_m", "m2", "m4"):
        np.testing.assert_allclose(result[name], [r[name] for r in rows], **TIGHT)


@pytest.mark.parametrize("V", [4, 16])
def test_z2_gauge_fields(V):
    rows = [r for r in table("z2_torus") if r["V"] == V]
    result = sm.exact(z2_gauge(sm.lattices.square(int(V**0.5))), beta=[r["beta"] for r in rows])
    np.testing.assert_allclose(-result.energy / V, [r["P"] for r in rows], **TIGHT)


def test_the_z2_gauge_field_on_a_cube():
    rows = table("z2_cube")
    result = sm.exact(z2_gauge(sm.lattices.cubic(2)), beta=[r["beta"] for r in rows])
    np.testing.assert_allclose(-result.energy / 24, [r["P"] for r in rows], **TIGHT)


def test_the_cubic_lattice():
    rows = table("cubic")
    result = sm.exact(ising(sm.lattices.cubic(3)), beta=[r["K"] for r in rows])
    np.testing.assert_allclose(result.log_partition, [r["lnZ"] for r in rows], **TIGHT)
    np.testing.assert_allclose(result.energy / 27, [r["u"] for r in rows], **TIGHT)


@pytest.mark.parametrize("row", table("instances", "small_graphs"), ids=lambda row: row["name"])
def test_random_couplings_on_graphs(row):
    known = table("small_graphs")[row["name"]]
    model, beta = random_graph(row), known["beta"]
    result = sm.exact(model, beta=beta, method="enumeration")
    for name, key in (("energy", "E"), ("heat_capacity", "C"), ("spin", "m"), ("pair", "corr")):
        true = [o[key] for o in row["obs"]]
        # The table's C are differences of moments.
        np.testing.assert_allclose(
            result[name], true, rtol=1e-8 if key == "C" else 1e-10, atol=1e-13
        )
    assert result.min_energy == pytest.approx(known["E0"])
    assert result.degeneracy == known["degeneracy"]
    for x in (result, sm.exact(model, beta=beta, method="elimination")):
        np.testing.assert_allclose(x.log_partition, known["lnZ"], **TIGHT)


@pytest.mark.parametrize("row", table("rbm"), ids=lambda row: f"{row['nv']}x{row['nh']}")
def test_boltzmann_machines(row):
    model = rbm(row)
    result = sm.exact(model, observables=False)
    np.testing.assert_allclose(result.log_partition, row["logZ"], **TIGHT)
    if row["nv"] == 6:
        result = sm.exact(model)
        np.testing.assert_allclose(result.mean_v, row["mean_v"], **TIGHT)
        np.testing.assert_allclose(result.mean_h, row["mean_h"], **TIGHT)


def test_a_spin_glass():
    row = table("ea")
    result = sm.exact(spin_glass(row), beta=[o["beta"] for o in row["obs"]])
    np.testing.assert_allclose(result.log_partition, [o["lnZ"] for o in row["obs"]], **TIGHT)


# What the results mean


@both_methods
def test_thermodynamics_hangs_together(method):
    T = np.array([0.9, 1.0, 1.1])[:, np.newaxis] + np.array([-1e-4, 0.0, 1e-4])
    x = sm.exact(mixed(1), T=T.ravel(), method=method)
    F, E, C, S = (
        x[name].values.reshape(3, 3)
        for name in ("free_energy", "energy", "heat_capacity", "entropy")
    )
    np.testing.assert_allclose(-(F[:, 2] - F[:, 0]) / 2e-4, S[:, 1], rtol=1e-6)
    np.testing.assert_allclose((E[:, 2] - E[:, 0]) / 2e-4, C[:, 1], rtol=1e-6)
    np.testing.assert_allclose(E - T * S, F, rtol=1e-12)


def test_terms_that_are_no_energy_are_not_divided_by_T():
    with sm.Model() as model:
        s = sm.Spin("s", 1)
        sm.Energy("zeeman", -1.0 * s)
        pm.Potential("prior", (0.7 * s).sum())
        sm.Observable("m", s.mean())
    result = sm.exact(model, T=2.0)
    x = 1.0 / 2.0 + 0.7
    np.testing.assert_allclose(result.log_partition, np.log(2 * np.cosh(x)), **TIGHT)
    np.testing.assert_allclose(result.m, np.tanh(x), **TIGHT)
    np.testing.assert_allclose(result.energy, -np.tanh(x), **TIGHT)
    np.testing.assert_allclose(result.heat_capacity, np.cosh(x) ** -2 / 4, **TIGHT)


def test_a_model_without_energy_is_taken_at_T_1():
    with sm.Model() as model:
        s = sm.Spin("s", 2)
        pm.Potential("prior", 0.7 * s[0] * s[1])
    result = sm.exact(model)
    np.testing.assert_allclose(result.log_partition, np.log(4 * np.cosh(0.7)), **TIGHT)
    with pytest.raises(ArgumentError, match="no Energy"):
        sm.exact(model, T=[1.0, 2.0])


@both_methods
def test_clamped_sites_count_with_their_values(method):
    lattice = sm.lattices.chain(3, periodic=False)
    clamped = np.ma.array([1, 0, -1], mask=[False, True, False])
    result = sm.exact(ising(lattice, h=0.5, observed=clamped), T=2.0, method=method)
    np.testing.assert_allclose(result.log_partition, np.log(2 * np.cosh(0.25)), **TIGHT)
    np.testing.assert_allclose(result.energy, -0.5 * np.tanh(0.25), **TIGHT)
    everything = sm.exact(ising(lattice, h=0.5, observed=[1, 1, -1]), T=2.0, method=method)
    assert float(everything.energy) == pytest.approx(-0.5)
    assert float(everything.log_partition) == pytest.approx(0.25)
    assert float(everything.heat_capacity) == 0.0


def test_a_clamped_continuous_variable_is_data():
    y = np.array([0.3, -1.2, 2.0])
    with sm.Model() as model:
        phi = sm.Field("phi", 3, observed=y)
        s = sm.Spin("s", 3)
        sm.Energy("noise", 0.5 * (phi - s) ** 2)
        sm.Observable("s_mean", s)
    result = sm.exact(model)
    np.testing.assert_allclose(result.s_mean, np.tanh(y), **TIGHT)
    Z = np.sum([np.exp(-0.5 * np.sum((y - s) ** 2)) for s in product([-1, 1], repeat=3)])
    np.testing.assert_allclose(result.log_partition, np.log(Z), **TIGHT)


@both_methods
def test_forbidden_states_have_no_weight(method):
    """Hard squares on a ring of 6: 18 independent sets, the Lucas number."""
    lattice = sm.lattices.chain(6)
    i, j = lattice.bonds
    with sm.Model() as model:
        n = sm.Occupation("n", lattice)
        sm.Energy("exclusion", -pt.log(1 - n[i] * n[j]))
        sm.Energy("chemical", 0.0 * n)
    for kwargs in ({"T": 2.0}, {"beta": 0.0}):
        result = sm.exact(model, method=method, **kwargs)
        np.testing.assert_allclose(result.log_partition, np.log(18), **TIGHT)
        assert float(result.energy) == 0.0
        assert float(result.heat_capacity) == 0.0


# The Dataset


def test_a_list_of_T_is_a_dimension_and_keeps_its_order():
    model = ising(sm.lattices.square(3))
    T = [3.0, 1.0, 2.0]
    result = sm.exact(model, T=T)
    assert isinstance(result, xr.Dataset)
    assert list(result["T"].values) == T
    assert all(result[name].dims == ("T",) for name in [*THERMAL, "m2"])
    assert result.spins.dims == ("T", "spins_dim_0")
    assert result.min_energy.dims == result.degeneracy.dims == ()
    assert (float(result.min_energy), int(result.degeneracy)) == (-18.0, 2)
    one = sm.exact(model, T=2.0)
    assert one.sizes == {"spins_dim_0": 9, "pairs_dim_0": 18}
    xr.testing.assert_allclose(one, result.sel(T=2.0))
    xr.testing.assert_allclose(sm.exact(model, beta=0.5), one)


def test_the_results_say_what_they_are():
    result = sm.exact(ising(sm.lattices.square(3)), T=2.0)
    assert json.loads(result.attrs["n_sites"]) == {"s": 9}
    assert result.attrs["method"] == "enumeration"
    assert "exp(-E(x)/T) / Z" in result.attrs["convention"]
    for name in [*THERMAL, "min_energy"]:
        assert "total" in result[name].attrs["long_name"]
        assert result[name].attrs["units"]
    result.to_netcdf()


def test_infinite_temperature():
    result = sm.exact(ising(sm.lattices.square(3)), beta=0)
    assert np.isposinf(result["T"])
    assert float(result.log_partition) == pytest.approx(9 * np.log(2))
    assert float(result.entropy) == pytest.approx(9 * np.log(2))
    assert float(result.energy) == pytest.approx(0, abs=1e-12)
    assert float(result.heat_capacity) == 0.0
    assert np.isneginf(result.free_energy)


def test_the_method_suits_the_model():
    chain = ising(sm.lattices.chain(24))
    assert sm.exact(chain, observables=False).attrs["method"] == "elimination"
    small = ising(sm.lattices.chain(12))
    assert sm.exact(small, observables=False).attrs["method"] == "enumeration"
    assert sm.exact(curie_weiss(22, 0.1), observables=False).attrs["method"] == "counting"
    grid = sm.exact(ising(sm.lattices.square(22, periodic=False)))
    assert grid.attrs["method"] == "planar"
    assert grid.rounding_error < 1e-12
    assert "elimination costs more" in grid.attrs["reason"]
    large = sm.exact(ising(sm.lattices.chain(40)))
    assert large.attrs["method"] == "elimination"
    assert set(large.data_vars) == set(THERMAL)


def test_observables_may_be_named():
    model = ising(sm.lattices.chain(6))
    thermal = {*THERMAL, "min_energy", "degeneracy"}
    assert set(sm.exact(model, observables=["m2"]).data_vars) == {*thermal, "m2"}
    assert set(sm.exact(model, observables="m2").data_vars) == {*thermal, "m2"}
    assert set(sm.exact(model, observables=False).data_vars) == thermal
    with pytest.raises(ArgumentError, match="no observable 'm3'.*'m2'"):
        sm.exact(model, observables=["m3"])
    with pytest.raises(ArgumentError, match="elimination gives no means"):
        sm.exact(model, observables=["m2"], method="elimination")
    with pytest.raises(InfeasibleError, match=r"2\^40 states"):
        sm.exact(ising(sm.lattices.chain(40)), observables=["m2"])


def test_observables_keep_to_their_names():
    with sm.Model() as model:
        s = sm.Spin("s", 2)
        sm.Energy("zeeman", -1.0 * s)
        sm.Observable("entropy", s.mean())
    with pytest.raises(ArgumentError, match="'entropy' has the name of another result"):
        sm.exact(model)
    assert "entropy" in sm.exact(model, observables=False)


def test_costs_are_said_in_advance():
    grid = sm.exact_costs(ising(sm.lattices.square(26, periodic=False)))
    assert set(grid.costs) == {"planar"}
    assert grid.chosen == "planar"
    for method in ("enumeration", "elimination", "counting", "gaussian"):
        assert method in str(grid)
    assert "2^676 states" in grid.refused["enumeration"]
    torus = sm.exact_costs(ising(sm.lattices.square(10)))
    assert torus.chosen == "elimination"
    assert 2**25 < torus.costs["elimination"].bytes < 2**31
    cube = sm.exact_costs(ising(sm.lattices.cubic(6)))
    assert (cube.chosen, cube.costs) == (None, {})
    assert sm.exact_costs(curie_weiss(500, 0.0)).chosen == "counting"
    assert sm.exact_costs(sm.models.gaussian_field(L=4)).chosen == "gaussian"


# Mistakes


@pytest.mark.parametrize(
    "arguments",
    [
        {"T": 0},
        {"T": -1.0},
        {"T": [1.0, np.nan]},
        {"T": np.inf},
        {"T": []},
        {"T": [[1.0]]},
        {"T": "hot"},
        {"T": None},
        {"beta": -1.0},
        {"beta": np.inf},
        {"beta": []},
        {"T": 2.0, "beta": 0.5},
        {"T": [1.0], "beta": 0.5},
        {"method": "magic"},
    ],
    ids=str,
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(ArgumentError) as error:
        sm.exact(ising(sm.lattices.chain(4)), **arguments)
    assert any(name in str(error.value) for name in arguments)


def test_continuous_variables():
    with sm.Model() as model:
        s = sm.Spin("s", 3)
        theta = sm.Angle("theta", 3)
        sm.Energy("e", -s * pt.log(2.0 + theta**2))
    with pytest.raises(ModelError, match="exact needs discrete variables.*Angle 'theta'"):
        sm.exact(model)


def test_random_couplings():
    with sm.Model() as model:
        J = pm.Normal("J")
        s = sm.Spin("s", 3)
        sm.Energy("e", -J * s[:-1] * s[1:])
    with pytest.raises(ModelError, match="random variable 'J'"):
        sm.exact(model)


def test_random_observables():
    with sm.Model() as model:
        J = pm.Normal("J")
        s = sm.Spin("s", 3)
        sm.Energy("e", -1.0 * s)
        sm.Observable("m", J * s.mean())
    with pytest.raises(ModelError, match="'m' depends on the random variable 'J'"):
        sm.exact(model)
    sm.exact(model, observables=False)


def test_what_is_no_model():
    with pytest.raises(ModelError, match="expected a model, got int"):
        sm.exact(3)
    with pytest.raises(ModelError):
        sm.exact(sm.Model())


def test_what_is_not_feasible_says_what_it_would_take():
    with pytest.raises(InfeasibleError) as error:
        sm.exact(ising(sm.lattices.cubic(6)))
    text = str(error.value)
    for part in ("2^216 states", "2^24", "GiB", "To mend it"):
        assert part in text
    with pytest.raises(InfeasibleError, match=r"2\^36 states.*2\^24"):
        sm.exact(ising(sm.lattices.square(6)), method="enumeration")
    with pytest.raises(InfeasibleError, match="sum over many sites"):
        sm.exact(curie_weiss(10, 0.1), method="elimination")


@both_methods
def test_undefined_energies(method):
    def model(energy):
        with sm.Model() as model:
            s = sm.Spin("s", 3)
            sm.Energy("logarithm", energy(s))
        return model

    for energy, what in ((lambda s: pt.log(1.0 * s), "NaN"), (lambda s: pt.log(1.0 + s), "minus")):
        with pytest.raises(ImproperDistributionError, match=f"'logarithm' is {what}"):
            sm.exact(model(energy), method=method)


@both_methods
def test_constraints_that_no_state_satisfies(method):
    with sm.Model() as model:
        n = sm.Occupation("n", 3)
        sm.Energy("empty", -pt.log(1 - n))
        sm.Energy("full", -pt.log(n[0]))
    with pytest.raises(ImproperDistributionError, match="every state has an infinite energy"):
        sm.exact(model, method=method)

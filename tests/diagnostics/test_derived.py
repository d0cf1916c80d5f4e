import warnings

import numpy as np
import pytest
import xarray as xr

from statmech_dsl.diagnostics import Derived, derived
from statmech_dsl.errors import DiagnosticsError, ShortChainWarning
from statmech_dsl.estimators import jackknife
from statmech_dsl.lang import lattices
from tests.diagnostics.runs import exact_means, ising_run, tree
from tests.estimators.processes import ar1

LATTICE = lattices.square(3)
TEMPERATURES = [3.0, 2.0, 5.0]  # a list keeps its order
QUANTITIES = [
    "energy_per_site",
    "heat_capacity",
    "heat_capacity_per_site",
    "magnetization",
    "abs_magnetization",
    "susceptibility_per_site",
    "susceptibility_per_site_disordered",
    "binder_cumulant",
]


@pytest.fixture(scope="module")
def run():
    energy, s = ising_run(LATTICE, TEMPERATURES, (4, 2000))
    return tree({"energy": energy, "m": s.mean(axis=-1)}, T=TEMPERATURES, s=9)


def exact(T):
    E, E2, m, a, m2, m4 = exact_means(
        LATTICE,
        T,
        lambda s, E: E,
        lambda s, E: E**2,
        lambda s, E: s.mean(axis=1),
        lambda s, E: abs(s.mean(axis=1)),
        lambda s, E: s.mean(axis=1) ** 2,
        lambda s, E: s.mean(axis=1) ** 4,
    )
    C = (E2 - E**2) / T**2
    chi = 9 * (m2 - a**2) / T
    return dict(
        zip(
            QUANTITIES,
            [E / 9, C, C / 9, m, a, chi, 9 * m2 / T, 1 - m4 / (3 * m2**2)],
            strict=True,
        )
    )


def test_every_quantity_of_an_exactly_sampled_ising_model(run):
    table = derived(run)
    assert list(table["T"].values) == TEMPERATURES
    assert set(table.data_vars) == {
        name + end for name in [*QUANTITIES, "tau_int_energy"] for end in ("", "_error")
    }
    for T in TEMPERATURES:
        for name, true in exact(T).items():
            here = table.sel(T=T)
            assert abs(here[name] - true) < 4 * here[f"{name}_error"], (name, T)
            assert 0 < here[f"{name}_error"] < 0.1 * max(abs(true), 0.3), (name, T)
    np.testing.assert_allclose(table.tau_int_energy, 0.5, atol=0.1)


def test_one_temperature_adds_no_dimension(run):
    posterior = run["posterior"].to_dataset().isel(T=1, drop=True)
    one = tree({name: posterior[name] for name in ("energy", "m")}, T=2.0, s=9)
    table = derived(one)
    assert table.sizes == {}
    assert table["T"] == 2.0
    xr.testing.assert_allclose(table, derived(run).sel(T=2.0))


def test_the_labels_say_what_is_total_and_what_is_per_site(run):
    table = derived(run)
    assert "total" in table.heat_capacity.attrs["long_name"]
    for name in ("energy_per_site", "heat_capacity_per_site", "susceptibility_per_site"):
        assert "per site" in table[name].attrs["long_name"]
    assert table.binder_cumulant.attrs["formula"] == "1 - <m^4> / (3 <m^2>^2)"
    assert table.tau_int_energy.attrs["units"] == "draws"


def test_large_energies_lose_no_digits():
    # The coverage of this jackknife is tested in tests/estimators.
    x = ar1(1, 0.6, (4, 1500))
    table = derived(tree({"energy": -1e9 + 30 * x}, T=3.0, s=100), ["heat_capacity"])
    x -= x.mean()
    plain = jackknife(lambda x, x2: x2 - x**2, {"x": x, "x2": x**2})
    assert table.heat_capacity == pytest.approx(100 * plain.value, rel=1e-6)
    assert table.heat_capacity_error == pytest.approx(100 * plain.error, rel=1e-6)


def test_functions_of_your_own(run):
    functions = {
        "specific": Derived(
            of={"e": "energy", "e2": lambda draws: draws.energy**2 / draws["T"] ** 2},
            value=lambda e, e2: (e2, e),
        ),
        "ratio": Derived(of={"e": "energy", "m2": lambda d: d.m**2}, value=lambda e, m2: e / m2),
        "chi": Derived(of={"m2": lambda d: d.attrs["n_sites"] * d.m**2}, value=lambda m2: m2),
    }
    table = derived(run, quantities=[], functions=functions)
    assert set(table.data_vars) == {n + end for n in functions for end in ("", "_error")}
    assert table.specific.dims == ("T", "specific_dim_0")
    means = run["posterior"].to_dataset().mean(("chain", "draw"))
    m2 = (run["posterior"].to_dataset().m ** 2).mean(("chain", "draw"))
    np.testing.assert_allclose(table.ratio, means.energy / m2)
    np.testing.assert_allclose(table.chi, 9 * m2)
    assert (table.ratio_error > 0).all()


def test_a_function_of_an_array_keeps_its_dimension():
    rng = np.random.default_rng(1)
    values = {"energy": rng.normal(size=(2, 500)), "profile": rng.normal(size=(2, 500, 5))}
    data = tree(values, T=1.0, dims={"profile": ("layer",)}, s=5)
    square = Derived(of={"p": "profile"}, value=lambda p: p**2)
    table = derived(data, functions={"square": square})
    assert table["square"].dims == table["square_error"].dims == ("layer",)
    assert "magnetization" not in table


def test_the_order_parameter_is_named_or_left_out(run):
    renamed = run["posterior"].to_dataset().rename(m="staggered")
    data = xr.DataTree.from_dict({"/": run.to_dataset(), "posterior": renamed})
    assert "magnetization" not in derived(data)
    assert "magnetization" not in derived(run, magnetization=None)
    named = derived(data, magnetization="staggered")
    xr.testing.assert_allclose(named, derived(run))
    with pytest.raises(DiagnosticsError, match="no variable 'm'"):
        derived(data, magnetization="m")


def test_a_vector_is_no_order_parameter():
    values = {"energy": np.ones((2, 60)), "m": np.ones((2, 60, 3))}
    data = tree(values, T=1.0, dims={"m": ("component",)}, s=4)
    assert "magnetization" not in derived(data)
    with pytest.raises(DiagnosticsError, match="more than one number"):
        derived(data, magnetization="m")


def test_several_variables_need_the_number_of_sites(run):
    posterior = run["posterior"].to_dataset()
    for sites in ('{"s": 9, "t": 9}', "{}"):
        root = xr.Dataset(attrs={"n_sites": sites})
        data = xr.DataTree.from_dict({"/": root, "posterior": posterior})
        with pytest.raises(DiagnosticsError, match="n_sites="):
            derived(data)
        xr.testing.assert_allclose(derived(data, n_sites=9), derived(run))


def test_constants_have_no_error_and_no_warning():
    values = {"energy": np.full((4, 100), -0.1), "m": np.full((4, 100), -0.3)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = derived(tree(values, T=0.7, s=3))
        at_rest = derived(tree({"energy": values["energy"], "m": np.zeros((4, 100))}, T=1.0, s=3))
    for name in QUANTITIES:
        assert table[f"{name}_error"] == pytest.approx(0, abs=1e-15), name
    assert table.heat_capacity == 0
    assert table.heat_capacity_error == 0
    assert table.tau_int_energy == 0.5
    assert table.binder_cumulant == pytest.approx(2 / 3)
    assert np.isnan(at_rest.binder_cumulant)  # 0 / 0
    assert at_rest.susceptibility_per_site == 0


def test_short_chains_warn_once_and_name_the_worst():
    slow = np.stack([ar1(seed, 0.9, (2, 300)) for seed in (1, 2)], axis=-1)
    data = tree({"energy": slow, "m": slow}, T=[1.0, 2.0], s=4)
    with pytest.warns(ShortChainWarning, match=r"at T=.* of 300 draws") as caught:
        derived(data)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "jackknife blocks" in str(caught[0].message)


def test_chains_in_different_wells_warn():
    m = np.array([[1.0], [-1.0], [1.0], [-1.0]]) + 0.01 * ar1(1, 0.0, (4, 1000))
    data = tree({"energy": ar1(2, 0.0, (4, 1000)), "m": m}, T=1.0, s=4)
    with pytest.warns(ShortChainWarning, match="magnetization"):
        table = derived(data)
    assert table.magnetization_error > 0.4
    assert table.abs_magnetization_error < 0.01


def test_mistakes_are_named(run):
    with pytest.raises(DiagnosticsError, match="no such quantity: entropy"):
        derived(run, ["entropy"])
    with pytest.raises(DiagnosticsError, match="posterior"):
        derived(run["posterior"].to_dataset())
    with pytest.raises(DiagnosticsError, match="temperature"):
        derived(tree({"energy": np.ones((2, 10))}, s=4))
    broken = run["posterior"].to_dataset().copy(deep=True)
    broken["m"][2, 5, 1] = np.nan
    with pytest.raises(DiagnosticsError, match="chain 2, draw 5") as error:
        derived(xr.DataTree.from_dict({"/": run.to_dataset(), "posterior": broken}))
    assert error.value.__notes__ == ["at T=2"]
    one = xr.DataTree.from_dict({"posterior": run["posterior"].to_dataset().isel(chain=0)})
    with pytest.raises(DiagnosticsError, match="dimensions chain and draw"):
        derived(one)

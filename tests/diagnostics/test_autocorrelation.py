import numpy as np
import pytest

from statmech_dsl import estimators
from statmech_dsl.diagnostics import tau_int
from statmech_dsl.errors import DiagnosticsError, ShortChainWarning
from tests.diagnostics.runs import tree
from tests.estimators.processes import ar1


@pytest.fixture(scope="module")
def run():
    energy = np.stack([ar1(1, phi, (4, 2000)) for phi in (0.0, 0.8)], axis=-1)
    profile = np.stack([ar1(k, 0.5, (4, 2000)) for k in range(6)], axis=-1).reshape(4, 2000, 2, 3)
    values = {"energy": energy, "m": energy**2, "profile": profile}
    return tree(values, T=[2.0, 1.0], dims={"profile": ("layer",)}, s=10)


def test_an_array_gives_the_result_of_the_estimator():
    x = ar1(1, 0.5, (4, 1000))
    assert tau_int(x) == estimators.tau_int(x)
    assert tau_int(list(x[0])) == estimators.tau_int(x[0])


def test_scalars_of_a_run_by_temperature(run):
    table = tau_int(run)
    assert set(table.data_vars) == {"energy", "energy_error", "m", "m_error"}
    assert table.energy.dims == ("T",)
    np.testing.assert_allclose(table.energy.sel(T=[2.0, 1.0]), [0.5, 4.5], rtol=0.2)
    np.testing.assert_allclose(table.m.sel(T=1.0), 0.5 * 1.64 / 0.36, rtol=0.2)
    assert table.energy.attrs["units"] == "draws"


def test_one_temperature_and_chosen_variables(run):
    posterior = run["posterior"].to_dataset().isel(T=1, drop=True)
    one = tree({"energy": posterior.energy, "m": posterior.m}, T=1.0, s=10)
    table = tau_int(one, "energy")
    assert set(table.data_vars) == {"energy", "energy_error"}
    assert table.energy.dims == ()
    assert table.energy == tau_int(run).energy.sel(T=1.0)


def test_components_have_a_time_each(run):
    table = tau_int(run, ["profile"])
    assert table.profile.dims == ("T", "layer")
    np.testing.assert_allclose(table.profile, 1.5, rtol=0.3)


def test_mistakes_are_named(run):
    with pytest.raises(DiagnosticsError, match="no variable 'q'"):
        tau_int(run, "q")
    with pytest.raises(DiagnosticsError, match="DataTree"):
        tau_int(run["posterior"].to_dataset())


def test_short_chains_warn(run):
    with pytest.warns(ShortChainWarning, match="the series") as caught:
        tau_int(ar1(1, 0.9, (4, 200)))
    assert caught[0].filename == __file__
    short = tree({"energy": ar1(1, 0.9, (4, 200))}, T=1.5)
    with pytest.warns(ShortChainWarning, match=r"energy at T=1.5"):
        tau_int(short)

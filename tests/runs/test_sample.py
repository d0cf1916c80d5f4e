"""The verb `sample`: its results, and the promise that a chain is a function of the seed alone."""

import json

import arviz as az
import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr

import statmech_dsl as sm
from statmech_dsl import errors


def mixed_model(L=6, **options):
    """Discrete and continuous variables in one term, with a tuned Metropolis width."""
    lattice = sm.lattices.square(L)
    with sm.Model() as model:
        s = sm.Spin("s", lattice, **options)
        phi = sm.Field("phi", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -0.4 * s[i] * s[j])
        sm.Energy("quartic", 0.5 * phi**2 + 0.25 * phi**4 - 0.3 * s * phi)
        sm.Observable("m", s.mean())
        sm.Observable("profile", phi.reshape((L, L)).mean(axis=0))
        sm.Observable("up", s[0] > 0)
    return model


def draw(model, **options):
    options = {"draws": 6, "tune": 20, "chains": 2, "seed": 3, "progressbar": False} | options
    return sm.sample(model, **options)


def equal(a, b, groups=("posterior", "final_state")):
    return all(
        a[g].to_dataset().drop_attrs().equals(b[g].to_dataset().drop_attrs()) for g in groups
    )


def test_results_of_one_temperature():
    data = draw(mixed_model(), T=1.5, store="s")
    posterior = data.posterior
    assert dict(posterior.sizes) == {
        "chain": 2, "draw": 6, "s_site": 36, "profile_dim_0": 6,
    }  # fmt: skip
    assert posterior.energy.dims == ("chain", "draw")
    assert posterior.s.dims == ("chain", "draw", "s_site")
    assert posterior.s.dtype == np.int8
    assert posterior.up.dtype != bool, "ArviZ cannot subtract booleans"
    np.testing.assert_allclose(posterior.m, posterior.s.mean("s_site"))
    assert set(np.unique(posterior.s)) <= {-1, 1}
    assert data.attrs["T"] == 1.5
    assert data.attrs["seed"] == "3"
    assert json.loads(data.attrs["n_sites"]) == {"s": 36, "phi": 36}
    assert json.loads(data.attrs["updates"]) == {"s": "heat_bath", "phi": "metropolis"}
    assert "exchange" in str(list(data.constant_data))
    rate = data.sample_stats.phi_metropolis_acceptance
    assert ((rate > 0.3) & (rate < 0.8)).all()
    assert (data.sample_stats.s_heat_bath_acceptance == 1).all()


def test_a_list_of_temperatures_is_a_dimension_in_its_own_order():
    data = draw(mixed_model(), T=[2.0, 0.5, 1.0])
    assert data.posterior.energy.dims == ("chain", "draw", "T")
    assert list(data.posterior["T"].values) == [2.0, 0.5, 1.0]
    assert data.posterior.profile.dims == ("chain", "draw", "T", "profile_dim_0")
    by_beta = draw(mixed_model(), beta=[0.5, 2.0, 1.0])
    assert list(by_beta.posterior["T"].values) == [2.0, 0.5, 1.0]
    assert equal(data, by_beta)
    single = draw(mixed_model(), T=[2.0])
    assert single.posterior.energy.sizes["T"] == 1


def test_a_chain_does_not_depend_on_its_company():
    few = draw(mixed_model(), T=[1.0, 2.0], chains=1)
    many = draw(mixed_model(), T=[1.0, 2.0, 3.0], chains=11, threads=2)
    for name in ("energy", "m"):
        a = few.posterior[name].sel(chain=0)
        b = many.posterior[name].sel(chain=0).isel(T=[0, 1])
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_matter(threads):
    assert equal(draw(mixed_model(), chains=40, threads=threads), draw(mixed_model(), chains=40))


def test_the_backend_does_not_matter():
    options = {"T": [1.0, 2.0], "draws": 3, "tune": 10}
    assert equal(
        draw(mixed_model(3), **options), draw(mixed_model(3), backend="reference", **options)
    )


def test_thinning_takes_every_nth_draw():
    every, third = draw(mixed_model(), draws=9), draw(mixed_model(), draws=3, thin=3)
    np.testing.assert_array_equal(every.posterior.energy[:, 2::3], third.posterior.energy)


@pytest.mark.parametrize("T", [1.5, [1.0, 2.0]])
def test_a_run_can_be_stored_and_resumed(T, tmp_path):
    whole = draw(mixed_model(), T=T, draws=10)
    first = draw(mixed_model(), T=T, draws=4)
    first.to_netcdf(tmp_path / "first.nc")
    stored = xr.open_datatree(tmp_path / "first.nc")
    second = draw(mixed_model(), T=T, draws=6, tune=0, init=stored)
    both = xr.concat(
        [x.posterior.to_dataset().drop_vars("draw") for x in (first, second)], dim="draw"
    )
    np.testing.assert_array_equal(both.energy, whole.posterior.energy)
    assert equal(second, whole, groups=("final_state",))
    with pytest.raises(errors.ArgumentError, match="another model"):
        draw(mixed_model(4), T=T, init=stored)
    with pytest.raises(errors.ArgumentError, match="other chains"):
        draw(mixed_model(), T=T, init=stored, chains=3)


def test_first_states():
    model = mixed_model()
    state = {"tune": 0, "draws": 1, "store": ("s",), "T": 1e-3, "updates": "metropolis"}
    cold = draw(model, init="cold", **state).posterior.m
    np.testing.assert_array_equal(abs(cold), 1)
    both = draw(model, init="both", chains=6, **state).posterior.m
    assert (abs(both[1::2]) == 1).all()
    assert (abs(both[::2]) < 1).all()
    given = -np.ones((2, 36), int)
    np.testing.assert_array_equal(draw(model, init={"s": given}, **state).posterior.m, -1)


def test_clamped_sites_do_not_move():
    values = np.ma.masked_all(36, int)
    values[:5] = [1, -1, 1, 1, -1]
    data = draw(mixed_model(observed=values), store="s", draws=20)
    np.testing.assert_array_equal(
        data.posterior.s[..., :5], np.broadcast_to([1, -1, 1, 1, -1], (2, 20, 5))
    )
    assert data.posterior.s[..., 5:].std("draw").mean() > 0.1


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_results_can_be_stored_and_read(suffix, tmp_path):
    data = draw(mixed_model(), T=[1.0, 2.0], store="s")
    path = tmp_path / f"data.{suffix}"
    if suffix == "nc":
        data.to_netcdf(path)
    else:
        data.to_zarr(path)
    assert equal(xr.open_datatree(path), data)


def test_arviz_takes_the_results_as_they_are():
    data = draw(mixed_model(), T=[1.0, 2.0], draws=50)
    summary = az.summary(data, var_names=["energy", "m"])
    assert list(summary.index) == ["energy[1.0]", "energy[2.0]", "m[1.0]", "m[2.0]"]
    assert float(az.ess(data).energy.min()) > 0
    assert float(az.rhat(data).energy.max()) < 2
    az.plot_trace_dist(data, var_names=["energy"])


def test_an_interrupted_run_returns_what_it_has(monkeypatch):
    from statmech_dsl.results import Recorder

    record = Recorder.record

    def interrupted(self, *arguments):
        if self.n == 4:
            raise KeyboardInterrupt
        record(self, *arguments)

    monkeypatch.setattr(Recorder, "record", interrupted)
    monkeypatch.setattr(Recorder, "room", 1)
    with pytest.warns(errors.InterruptedWarning, match="4 of 9"):
        data = draw(mixed_model(), draws=9)
    monkeypatch.undo()
    np.testing.assert_array_equal(
        data.posterior.energy, draw(mixed_model(), draws=4).posterior.energy
    )


def test_long_blocks_of_observables_are_evaluated_in_pieces(monkeypatch):
    from statmech_dsl.results import recorder

    whole = draw(mixed_model(), draws=10)
    monkeypatch.setattr(recorder, "BLOCK_BYTES", 3 * 8 * 72 * 2)
    assert equal(whole, draw(mixed_model(), draws=10))


def test_proposals_are_tuned_before_production_only():
    model = sm.models.xy(L=8)
    data = draw(model, updates="metropolis", T=[0.1, 5.0], tune=400, draws=200)
    rate = data.sample_stats.isel(draw=0)
    name = next(n for n in rate if "metropolis" in n)
    assert (abs(rate[name] - 0.5) < 0.2).isel(T=0).all(), "a cold XY model needs a small width"
    width = data.final_state[next(n for n in data.final_state if n.endswith("width"))]
    assert (width.isel(T=0) < width.isel(T=1)).all()


def test_clamped_values_are_part_of_what_a_run_samples():
    up, down = (mixed_model(observed=np.full(36, v)) for v in (1, -1))
    with pytest.raises(errors.ArgumentError, match="another model"):
        draw(down, init=draw(up))


def test_a_sum_over_clamped_sites_alone():
    with sm.Model() as model:
        known = sm.Spin("known", 12, observed=np.ones(12))
        s = sm.Spin("s", (16, 16))
        sm.Energy("penalty", 0.01 * (known.sum() - 3) ** 2)
        sm.Energy("zeeman", -0.1 * s)
    energy = draw(model, T=1.0, store="s").posterior
    np.testing.assert_allclose(
        energy.energy, 0.81 - 0.1 * energy.s.sum(("s_dim_0", "s_dim_1")), rtol=1e-12
    )


def test_continuous_kinds_share_a_model():
    with sm.Model() as model:
        theta, n = sm.Angle("theta", 6), sm.UnitVector("n", 6)
        sm.Energy("mixed", -pt.cos(theta) * n[:, 2] - 0.5 * n[:, 0])
    data = draw(model, draws=50)
    assert json.loads(data.attrs["updates"]) == {"theta": "heat_bath", "n": "heat_bath"}


def test_models_can_be_nested():
    with sm.Model() as model:
        for name in ("a", "b"):
            with sm.Model(name=name):
                s = sm.Spin("s", 4)
                sm.Energy("zeeman", -1.0 * s)
                sm.Observable("m", s.mean())
    data = draw(model, store="b::s")
    assert {"a::m", "b::m", "b::s"} <= set(data.posterior)


def test_verbs_take_the_model_of_the_with_block():
    with mixed_model() as model:
        inside = sm.sample(draws=3, tune=5, chains=2, seed=3, progressbar=False)
        assert "exchange" in str(sm.explain())
    assert equal(inside, draw(model, draws=3, tune=5))
    with pytest.raises(errors.ModelError, match="no model"):
        sm.sample()


def test_coordinates_of_the_model_label_the_results():
    with sm.Model(coords={"city": ["Rome", "Oslo", "Lima"]}) as model:
        s = sm.Spin("s", 3, dims="city")
        sm.Energy("fields", -np.array([0.1, 0.2, 0.3]) * s)
    data = draw(model, store="s", T=[1.0, 2.0])
    assert data.posterior.s.dims == ("chain", "draw", "T", "city")
    assert list(data.posterior.city.values) == ["Rome", "Oslo", "Lima"]


def test_an_observable_may_be_constant():
    with sm.Model() as model:
        s = sm.Spin("s", 6)
        sm.Energy("zeeman", -0.1 * s)
        sm.Observable("n", s.sum() * 0 + 6)
        sm.Observable("m", s.mean())
    posterior = draw(model, T=[1.0, 2.0]).posterior
    assert posterior.n.dims == posterior.m.dims
    assert (posterior.n == 6).all()

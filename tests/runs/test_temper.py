"""The verb `temper`: its results, and the promise that a ladder is a function of the seed alone."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import chi2

import statmech_dsl as sm
from statmech_dsl import errors
from tests.runs.test_sample import equal, mixed_model

LADDER = [0.7, 1.0, 1.5, 2.5]


def temper(model, **options):
    options = {"T": LADDER, "draws": 12, "tune": 20, "chains": 2, "seed": 3} | options
    return sm.temper(model, progressbar=False, **options)


def ising(L=4):
    return sm.models.ising(L=L)


def same(a, b, chains):
    """Whether the first chains of two runs are the same, bit for bit."""
    few, many = (x.isel(chain=slice(chains), missing_dims="ignore") for x in (a, b))
    return few.posterior.energy.equals(many.posterior.energy) and (
        few.sample_stats.temperature_index.equals(many.sample_stats.temperature_index)
    )


def test_results_have_the_ladder_in_ascending_order():
    data = temper(mixed_model(), T=[2.5, 0.7, 1.0], store="s", thin=3)
    assert data.posterior.energy.dims == ("chain", "draw", "T")
    assert list(data.posterior["T"].values) == [0.7, 1.0, 2.5]
    assert data.posterior.s.dims == ("chain", "draw", "T", "s_site")
    np.testing.assert_allclose(data.posterior.m, data.posterior.s.mean("s_site"))
    stats = data.sample_stats
    assert stats.swap_acceptance.shape == (2, 2)
    assert stats.barrier.dims == stats.log_partition.dims == ("T",)
    assert float(stats.barrier[-1]) == float(stats.log_partition[-1]) == 0
    assert stats.log_partition.attrs["reference"] == "the highest temperature"
    assert stats.temperature_index.dims == ("chain", "draw", "replica")
    assert (np.sort(stats.temperature_index) == np.arange(3)).all(), "a temperature each"
    assert json.loads(data.attrs["updates"]) == {"s": "heat_bath", "phi": "metropolis"}
    rate = stats.phi_metropolis_acceptance
    assert ((rate > 0.2) & (rate < 0.95)).all()


def test_records_follow_the_temperatures():
    """The energy of a record is that of the states that are recorded beside it."""
    model = mixed_model()
    data = temper(model, store=("s", "phi"))
    i, j = sm.lattices.square(6).bonds
    s, phi = data.posterior.s.values.astype(float), data.posterior.phi.values
    energy = (-0.4 * s[..., i] * s[..., j]).sum(-1)
    energy += (0.5 * phi**2 + 0.25 * phi**4 - 0.3 * s * phi).sum(-1)
    np.testing.assert_allclose(data.posterior.energy, energy, rtol=1e-10)
    assert (np.diff(data.sample_stats.temperature_index, axis=1) != 0).any()


def test_a_ladder_does_not_depend_on_its_company():
    for model in (mixed_model(), sm.models.edwards_anderson(L=4)):
        few = temper(model, chains=1)
        assert same(few, temper(model, chains=11, threads=3), chains=1)
        assert not same(few, temper(model, chains=1, seed=4), chains=1)
    pairs = {"replicas_per_T": 2, "houdayer": True}
    assert same(temper(ising(), **pairs), temper(ising(), chains=5, threads=2, **pairs), chains=2)


def test_a_tuned_ladder_does_not_depend_on_the_number_of_chains():
    options = {"T": (0.8, 4.0), "tune": 200}
    few, many = temper(ising(), chains=1, **options), temper(ising(), chains=6, **options)
    np.testing.assert_array_equal(few.posterior["T"], many.posterior["T"])
    assert same(few, many, chains=1)


def test_the_backend_does_not_matter():
    options = {"draws": 3, "tune": 10, "chains": 1}
    numba, reference = (
        temper(mixed_model(3), backend=name, **options) for name in ("numba", "reference")
    )
    assert equal(numba, reference)
    assert same(numba, reference, chains=1)


@pytest.mark.parametrize("pair", [{}, {"replicas_per_T": 2, "houdayer": True}])
def test_a_run_can_be_stored_and_resumed(pair, tmp_path):
    model = ising() if pair else mixed_model(3)
    options = {"thin": 2, **pair}
    whole = temper(model, draws=30, **options)
    temper(model, draws=13, **options).to_netcdf(tmp_path / "first.nc")
    stored = xr.open_datatree(tmp_path / "first.nc")
    more = temper(model, draws=17, tune=0, init=stored, seed=99, **options)
    np.testing.assert_array_equal(more.posterior.energy, whole.posterior.energy[:, 13:])
    assert equal(more, whole, groups=("final_state",))
    with pytest.raises(errors.ArgumentError, match="swapped no temperatures"):
        temper(ising(), init=sm.sample(ising(), T=LADDER, chains=2, draws=1, progressbar=False))


def test_an_interrupted_run_returns_what_it_has(monkeypatch):
    from statmech_dsl.results import Recorder

    record = Recorder.record

    def interrupted(self, *arguments, **options):
        if self.n == 4:
            raise KeyboardInterrupt
        record(self, *arguments, **options)

    monkeypatch.setattr(Recorder, "record", interrupted)
    with pytest.warns(errors.InterruptedWarning, match="4 of 9"):
        data = temper(ising(), draws=9)
    monkeypatch.undo()
    assert same(data, temper(ising(), draws=4), chains=2)


def test_log_partition_is_absolute_from_infinite_temperature_on():
    data = temper(ising(), T=1.0, beta=[0.0, 0.2, 0.4], draws=2000, tune=100)
    stats = data.sample_stats
    exact = sm.exact(ising(), beta=[0.4, 0.2, 0.0]).log_partition
    assert stats.log_partition.attrs["reference"] == "absolute"
    assert np.isinf(data.posterior["T"][-1])
    z = (stats.log_partition - exact.values)[:-1] / stats.log_partition_error[:-1]
    assert (abs(z) < 4).all()
    assert float(stats.log_partition[-1]) == pytest.approx(16 * np.log(2))


def test_both_wells_of_a_cold_magnet_are_seen():
    data = sm.temper(
        sm.models.ising(L=8), T=(1.5, 4.0), draws=2000, tune=2000, thin=5, init="cold", seed=2,
        progressbar=False,
    )  # fmt: skip
    up = sm.tau_int((data.posterior.m.isel(T=0) > 0).values.astype(float))
    assert abs(up.value - 0.5) < 4 * up.error < 0.2
    assert data.sample_stats.round_trips.min() > 10


def test_round_trips_are_those_of_the_paths():
    data = temper(ising(), draws=300)
    for chain in range(2):
        trips = 0
        for path in data.sample_stats.temperature_index.values[chain].T:
            ends = [k for k in path if k in (0, 3)]
            seen = "".join("c" if k == 0 else "h" for k in ends).lstrip("h")
            trips += sum(seen[n : n + 2] == "hc" for n in range(len(seen)))
        assert trips == int(data.sample_stats.round_trips[chain]) > 3


def test_tempered_and_plain_chains_have_the_same_law():
    """Also of what is no function of the energy: the mean square of a field."""
    model = mixed_model(3)
    with model:
        sm.Observable("phi2", (model["phi"] ** 2).mean())
    options = {"draws": 400, "tune": 100, "thin": 2, "chains": 8}
    tempered = temper(model, **options)
    plain = sm.sample(model, T=LADDER, seed=8, progressbar=False, **options)
    z2 = []
    for name in ("energy", "phi2"):
        for k in range(len(LADDER)):
            a, b = (sm.tau_int(d.posterior[name].isel(T=k).values) for d in (tempered, plain))
            z2.append((a.value - b.value) ** 2 / (a.error**2 + b.error**2))
    assert sum(z2) < chi2.ppf(1 - 1e-4, len(z2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"T": 2.0}, "two temperatures or more"),
        ({"T": [1.0, 1.0]}, "none of them twice"),
        ({"T": (1.0, 2.0, 2.0)}, "none of them twice"),
        ({"T": (1.0, 2.0), "tune": 18}, "too short for a ladder"),
        ({"T": (0.0, 2.0)}, "positive"),
        ({"houdayer": True}, "replicas_per_T=2"),
        ({"replicas_per_T": 0}, "replicas_per_T must be"),
        ({"chains": 1 << 20}, "2\\^20 chains"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        temper(ising(), **options)


def test_a_model_without_energy_has_no_ladder():
    with sm.Model() as model:
        sm.Spin("s", 4)
    with pytest.warns(errors.UnusedVariableWarning), pytest.raises(errors.ArgumentError):
        temper(model)

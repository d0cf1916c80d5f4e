"""Quantities at other temperatures than those of the run, against exact ones."""

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, DiagnosticsError, OverlapError


@pytest.fixture(scope="module")
def model():
    return sm.models.ising(L=4)


@pytest.fixture(scope="module")
def runs(model):
    options = {"draws": 2000, "chains": 4, "thin": 3, "seed": 1, "progressbar": False}
    return {
        "temper": sm.temper(model, T=(1.5, 5.0), tune=1000, **options),
        "absolute": sm.temper(model, beta=(0.0, 0.7), tune=1000, **options),
        "copies": sm.temper(model, T=[1.5, 2.5, 5.0], replicas_per_T=2, **options),
        "sample": sm.sample(model, T=[5.0, 1.5, 2.5], **options),
        "one T": sm.sample(model, T=2.5, **options),
    }


@pytest.mark.parametrize("name", ["temper", "absolute", "copies", "sample", "one T"])
def test_reweighted_quantities_are_right(runs, model, name):
    T = [2.4, 2.7] if name == "one T" else [1.7, 3.0, 4.2]
    table = sm.reweight(runs[name], T=T)
    exact = sm.exact(model, T=T)
    assert list(table["T"].values) == T
    for quantity in ("energy_per_site", "heat_capacity", "log_partition"):
        wanted = exact[quantity.removesuffix("_per_site")]
        if quantity == "energy_per_site":
            wanted = wanted / 16
        elif quantity == "log_partition" and name != "absolute":
            highest = float(runs[name].posterior["T"].max()) if name != "one T" else 2.5
            wanted = wanted - float(sm.exact(model, T=highest).log_partition)
        z = (table[quantity] - wanted) / table[f"{quantity}_error"]
        assert (abs(z) < 4).all(), (quantity, z.values)
    assert (table.effective_sample_size > 100).all()


def test_one_temperature_adds_no_dimension(runs):
    assert sm.reweight(runs["temper"], T=2.0).energy_per_site.dims == ()


def test_at_the_temperature_of_the_run_it_is_the_plain_mean(runs):
    data = runs["one T"]
    again, plain = sm.reweight(data, T=2.5), sm.derived(data)
    for name in ("energy_per_site", "heat_capacity", "abs_magnetization", "binder_cumulant"):
        assert float(again[name]) == pytest.approx(float(plain[name]), rel=1e-9)
        assert float(again[f"{name}_error"]) == pytest.approx(float(plain[f"{name}_error"]))
    assert float(again.log_partition) == pytest.approx(0, abs=1e-9)


def test_all_temperatures_give_smaller_errors_than_one(runs):
    data = runs["temper"]
    T = float(data.posterior["T"][2])
    pooled = sm.reweight(data, T=T, quantities=["energy_per_site"])
    alone = sm.derived(data, ["energy_per_site"]).isel(T=2)
    assert float(pooled.energy_per_site_error) < 0.9 * float(alone.energy_per_site_error)


def test_functions_of_your_own(runs):
    skew = sm.Derived(
        of={"e": "energy", "e2": lambda draws: draws.energy**2 / draws["T"]},
        value=lambda e, e2: e2 / e,
    )
    table = sm.reweight(runs["temper"], T=[2.0], quantities=[], functions={"skew": skew})
    assert {"skew", "skew_error"} <= set(table)
    assert "heat_capacity" not in table


def test_too_far_is_refused():
    model, options = sm.models.ising(L=24), {"draws": 200, "seed": 1, "progressbar": False}
    energy = ["energy_per_site"]
    near = sm.sample(model, T=3.0, **options)
    sm.reweight(near, T=3.05, quantities=energy)
    with pytest.raises(OverlapError, match="say too little about T=4"):
        sm.reweight(near, T=4.0, quantities=energy)
    apart = sm.sample(model, T=[1.5, 4.0], init="cold", **options)
    with pytest.raises(OverlapError, match="2 temperatures from 1.5 to 4"):
        sm.reweight(apart, T=2.2, quantities=energy)


def test_overlaps_have_no_weights(runs):
    with pytest.raises(DiagnosticsError, match="single states"):
        sm.reweight(runs["copies"], T=2.0, magnetization="overlap")


@pytest.mark.parametrize("T", [-1.0, [], [[1.0]]])
def test_bad_temperatures(runs, T):
    with pytest.raises(ArgumentError, match="positive"):
        sm.reweight(runs["temper"], T=T)


def test_errors_hold_their_value():
    """The scatter of 40 runs, and the error of each."""
    model = sm.models.ising(L=3)
    data = sm.temper(
        model, T=[1.5, 2.5, 5.0], draws=500, tune=200, chains=80, thin=2, seed=4, progressbar=False
    )
    tables = [
        sm.reweight(
            data.isel(chain=slice(2 * k, 2 * k + 2), missing_dims="ignore"), 2.0, ["heat_capacity"]
        )
        for k in range(40)
    ]
    exact = sm.exact(model, T=2.0)
    for name, wanted in (("heat_capacity", float(exact.heat_capacity)),):
        z = [(float(t[name]) - wanted) / float(t[f"{name}_error"]) for t in tables]
        assert 0.5 < np.mean(np.square(z)) < 1.8

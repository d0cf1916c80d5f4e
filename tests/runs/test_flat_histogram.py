"""The verb `flat_histogram`: densities of states against exact ones, and its promises."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import special

import statmech_dsl as sm
from statmech_dsl import errors

DATA = json.loads((Path(__file__).parents[1] / "data" / "ising_states.json").read_text())


def flat(model, **options):
    options = {"draws": 2000, "tune": 2000, "chains": 16, "seed": 1} | options
    return sm.flat_histogram(model, progressbar=False, **options)


def exact_states(L):
    g = [int(x) for x in DATA["g"][str(L)]]
    return {-2 * L * L + 4 * k: math.log(x) for k, x in enumerate(g) if x}


def glass():
    """A ring of 10 spins with real couplings."""
    J = np.random.default_rng(1).normal(size=10)
    with sm.Model() as model:
        s = sm.Spin("s", 10)
        sm.Energy("exchange", -J * s * s[np.arange(1, 11) % 10])
        sm.Observable("m", s.mean())
    x = np.array(list(itertools.product([-1, 1], repeat=10)))
    return model, -(J * x * np.roll(x, -1, axis=1)).sum(axis=1), x


@pytest.fixture(scope="module")
def run():
    return flat(sm.models.ising(L=8), draws=5000, tune=5000)


def test_the_density_of_states_is_right_at_all_levels(run):
    states, exact = run.density_of_states, exact_states(8)
    assert list(states["level"].values) == list(exact)
    miss = states.log_density_of_states.values - np.array(list(exact.values()))
    assert math.sqrt((miss**2).mean()) < 0.08
    z = miss / states.log_density_of_states_error.values
    assert 0.1 < (z**2).mean() < 2.5
    assert np.exp(states.log_density_of_states).sum() == pytest.approx(2.0**64)
    assert states.attrs["flatness"] > 0.5


def test_reweighted_quantities_are_right(run):
    model, T = sm.models.ising(L=4), [0.7, 1.7, 2.4, 8.0]
    small = flat(model)
    exact, table = sm.exact(model, T=T), sm.reweight(small, T=T)
    for name in ("energy_per_site", "heat_capacity", "log_partition"):
        wanted = exact[name.removesuffix("_per_site")] / (16 if "per_site" in name else 1)
        z = (table[name] - wanted) / table[f"{name}_error"]
        assert (abs(z) < 4).all(), (name, z.values)
    assert table.log_partition.attrs["reference"] == "absolute"
    assert set(table) >= {"abs_magnetization", "binder_cumulant"}


def two_variables():
    """Two variables, and a term that T does not divide."""
    with sm.Model() as model:
        s, t = sm.Spin("s", 6), sm.Potts("t", 4, q=3)
        sm.Energy("exchange", -1.0 * s[:-1] * s[1:])
        sm.Energy("colors", -0.5 * pt.eq(t[:-1], t[1:]))
        pm.Potential("field", 0.7 * s.sum())
    return model


@pytest.mark.parametrize("model", [two_variables(), sm.models.curie_weiss(N=12)])
def test_models_with_more_than_couplings(model):
    T = [0.7, 1.5]
    table = sm.reweight(flat(model), T, ["energy_per_site"], n_sites=1)
    z = (table.energy_per_site - sm.exact(model, T=T).energy) / table.energy_per_site_error
    assert (abs(z) < 4).all()
    with_fixed_part = "field" in model.named_vars
    assert (table.log_partition.attrs["reference"] == "absolute") != with_fixed_part


def test_error_bars_hold_their_value():
    model, exact = sm.models.ising(L=4), np.array(list(exact_states(4).values()))
    z = []
    for seed in range(12):
        states = flat(model, seed=seed, draws=1000, tune=500).density_of_states
        miss = states.log_density_of_states.values - exact
        z.append(miss / states.log_density_of_states_error.values)
    assert 0.6 < np.mean(np.square(z)) < 1.5


def test_real_energies_in_bins():
    model, energy, x = glass()
    data = flat(model, energies=(-9.0, 9.0, 30), draws=4000)
    edges = np.linspace(-9.0, 9.0, 31)
    count, _ = np.histogram(energy, edges)
    states = data.density_of_states
    np.testing.assert_allclose(states["level"], ((edges[1:] + edges[:-1]) / 2)[count > 0])
    z = states.log_density_of_states.values - np.log(count[count > 0])
    z /= states.log_density_of_states_error.values
    assert 0.1 < (z**2).mean() < 2.0
    table = sm.reweight(data, T=0.8)
    w = np.exp(-energy / 0.8)
    for name, values in (("energy_per_site", energy / 10), ("abs_magnetization", abs(x.mean(1)))):
        miss = float(table[name]) - (w @ values) / w.sum()
        assert abs(miss) < 4 * float(table[f"{name}_error"])


def xy_chain():
    """Four angles: the energy is the sum of three independent cosines."""
    with sm.Model() as model:
        theta = sm.Angle("theta", 4)
        sm.Energy("exchange", -pt.cos(theta[:-1] - theta[1:]))
    bins = (-3.0, 3.0, 24)
    c = np.cos(2 * np.pi * (np.arange(400) + 0.5) / 400)
    third = np.linspace(*bins[:2], bins[2] + 1)[:, None, None] + c[:, None] + c
    below = np.arccos(-np.clip(third, -1.0, 1.0)).mean(axis=(1, 2)) / np.pi
    return model, bins, np.log(np.diff(below)) + 4 * np.log(2 * np.pi), "absolute"


def gaussian_ring():
    """Six real numbers with a positive quadratic form: g(E) dE = E^2 dE, up to a constant."""
    with sm.Model() as model:
        phi = sm.Field("phi", 6)
        sm.Energy("gradient", 0.5 * (phi - phi[np.arange(1, 7) % 6]) ** 2)
        sm.Energy("mass", 0.5 * phi**2)
    bins = (0.25, 12.25, 24)
    g = np.diff(np.linspace(*bins[:2], bins[2] + 1) ** 3)
    return model, bins, np.log(g / g.sum()), "its sum over the levels is 1"


@pytest.mark.parametrize("case", [xy_chain, gaussian_ring])
def test_continuous_variables(case):
    model, bins, exact, reference = case()
    data = flat(model, energies=bins)
    states = data.density_of_states
    assert states.log_density_of_states.attrs["reference"] == reference
    miss = states.log_density_of_states.values - exact
    z = miss / states.log_density_of_states_error.values
    assert (abs(z) < 4).all()
    assert 0.2 < (z**2).mean() < 2.0
    assert math.sqrt((miss**2).mean()) < 0.06
    assert states.attrs["flatness"] > 0.6
    acceptance = data.sample_stats[f"{next(iter(model.named_vars))}_metropolis_acceptance"]
    assert 0.3 < float(acceptance.mean()) < 0.9
    T = np.array([0.6, 1.5])
    table = sm.reweight(data, T, ["energy_per_site"], n_sites=1)
    if reference == "absolute":  # Bessel functions
        wanted = -3.0 * special.i1(1 / T) / special.i0(1 / T)
        log_z = 4 * np.log(2 * np.pi) + 3 * np.log(special.i0(1 / T))
        assert (abs(table.log_partition - log_z) < 4 * table.log_partition_error).all()
    else:  # a gamma distribution between the ends of the bins
        low, high = (special.gammainc([[3], [4]], e / T) for e in bins[:2])
        wanted = 3 * T * (high - low)[1] / (high - low)[0]
    assert (abs(table.energy_per_site - wanted) < 4 * table.energy_per_site_error).all()


def test_walkers_with_widths_are_those_of_the_reference_backend():
    options = {"draws": 3, "tune": 25, "chains": 2, "energies": xy_chain()[1]}
    with pytest.warns(errors.ShortChainWarning):
        fast = flat(xy_chain()[0], **options)
    with pytest.warns(errors.ShortChainWarning):
        slow = flat(xy_chain()[0], backend="reference", **options)
    np.testing.assert_allclose(fast.posterior.energy, slow.posterior.energy, rtol=1e-9)


def test_real_energies_need_bins():
    with pytest.raises(errors.ModelError, match=r"energies=\(low, high, number\)"):
        flat(glass()[0])


def test_a_window_of_levels():
    exact = exact_states(4)
    data = flat(sm.models.ising(L=4), energies=(-20, 0))
    states = data.density_of_states
    inside = {e: g for e, g in exact.items() if -20 <= e <= 0}
    assert list(states["level"].values) == list(inside)
    g = np.exp(list(inside.values()))
    z = states.log_density_of_states.values - np.log(g / g.sum())
    assert (abs(z / states.log_density_of_states_error.values) < 4).all()
    energy = data.posterior.energy
    assert ((energy >= -20) & (energy <= 0)).all()
    assert "1" in states.log_density_of_states.attrs["reference"]
    assert "infinite" in sm.reweight(data, T=3.0).log_partition.attrs["reference"]


def test_results_are_a_function_of_the_seed_whatever_the_threads():
    model, options = sm.models.ising(L=4), {"draws": 50, "tune": 100}
    one = flat(model, threads=1, **options)
    two = flat(model, threads=2, **options)
    other = flat(model, threads=1, seed=2, **options)
    assert one.posterior.energy.equals(two.posterior.energy)
    assert one.density_of_states.equals(two.density_of_states)
    assert not one.posterior.energy.equals(other.posterior.energy)


def test_the_reference_backend_walks_the_same_way():
    options = {"draws": 3, "tune": 5, "chains": 2}
    with pytest.warns(errors.ShortChainWarning):
        fast = flat(sm.models.potts(L=3), **options)
    with pytest.warns(errors.ShortChainWarning):
        slow = flat(sm.models.potts(L=3), backend="reference", **options)
    assert fast.posterior.energy.equals(slow.posterior.energy)


def test_records():
    data = flat(sm.models.ising(L=4), draws=20, tune=1000, store="s", thin=2)
    assert data.posterior.s.dims == ("chain", "draw", "s_site")
    np.testing.assert_allclose(data.posterior.m, data.posterior.s.mean("s_site"))
    weight = data.sample_stats.log_weight
    assert weight.dims == ("chain", "draw")
    by_level = weight.to_series().groupby(data.posterior.energy.values.ravel()).nunique()
    assert (by_level == 1).all(), "a weight is a function of the energy"
    assert "T" not in data.attrs | data.posterior.attrs


def test_draws_belong_to_no_temperature(run):
    with pytest.raises(errors.DiagnosticsError, match="use sm.reweight"):
        sm.derived(run)


def test_a_short_tune_warns_and_is_right_all_the_same():
    exact = np.array(list(exact_states(4).values()))
    with pytest.warns(errors.ShortChainWarning, match="tune=3 sweeps"):
        states = flat(sm.models.ising(L=4), tune=3, draws=4000).density_of_states
    z = (states.log_density_of_states.values - exact) / states.log_density_of_states_error.values
    assert len(z) == 15
    assert (abs(z) < 4).all()


def test_refusals():
    with pytest.raises(errors.ModelError, match=r"theta is continuous.*\(low, high, number\)"):
        flat(sm.models.xy(L=4))
    with sm.Model() as single:
        theta = sm.Angle("theta", 4, dtype="float32")
        sm.Energy("exchange", -pt.cos(theta[:-1] - theta[1:]))
    with pytest.raises(errors.ModelError, match="theta is a variable in float32"):
        flat(single, energies=(-3, 3, 10))
    with pytest.raises(errors.BackendError, match="on the processor"):
        flat(sm.models.ising(L=4), backend="cupy")
    with pytest.raises(errors.ArgumentError, match="chains must be a whole number >= 2"):
        flat(sm.models.ising(L=4), chains=1)

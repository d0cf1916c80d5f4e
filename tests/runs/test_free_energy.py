"""Free energies by all routes, from infinite temperature, from independent sites and from another model."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import (
    ArgumentError,
    ImproperDistributionError,
    ModelError,
    OverlapError,
    OverlapWarning,
    StatmechError,
)
from statmech_dsl.results.free_energy import worst_sigma
from statmech_dsl.runs.free_energy import profile
from statmech_dsl.runs.free_energy.routes import ROUTES

RUN = {"draws": 400, "tune": 200, "seed": 1, "progressbar": False}
QUANTITIES = ("log_partition", "free_energy", "energy", "heat_capacity", "entropy")


def ring(J=1.0, h=0.3, n=6):
    i = np.arange(n)
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", -J * s[i] * s[(i + 1) % n])
        sm.Energy("field", -h * s)
        sm.Observable("m", s.mean())
        sm.Observable("size", abs(s.mean()))
    return model


def magnet():
    with sm.Model() as model:
        s = sm.Spin("s", 100)
        sm.Energy("field", -0.1 * s)
        sm.Observable("m", s.mean())
    return model


def chain_of_fields(n=5, mass=0.5):
    i = np.arange(n)
    with sm.Model() as model:
        x = sm.Field("x", n)
        sm.Energy("gradient", 0.5 * (x[i] - x[(i + 1) % n]) ** 2)
        sm.Energy("mass", 0.5 * mass * x**2 - 0.4 * x)
    return model


def log_z_of_fields(T, n=5, mass=0.5):
    laplace = 2 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0)
    stiff = laplace + mass * np.eye(n)
    lift = 0.5 * (0.4 * np.ones(n)) @ np.linalg.solve(stiff, 0.4 * np.ones(n)) / T
    return 0.5 * (n * np.log(2 * np.pi * T) - np.linalg.slogdet(stiff)[1]) + lift


def close(value, exact, error, sigmas=4.0):
    return bool((np.abs(np.asarray(value) - exact) < sigmas * np.asarray(error)).all())


def test_every_route_agrees_with_the_exact_sum_and_nothing_is_warned_of():
    model, T = ring(), [3.0, 1.5]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OverlapWarning)
        panel = sm.free_energy(model, T=T, method="panel", **RUN)
    exact = sm.exact(model, T=T)
    assert list(panel.method.values) == list(ROUTES)
    assert bool(panel.agreed)
    assert 0 < float(panel.worst_sigma) < 4
    for name in QUANTITIES:
        assert close(panel[name], exact[name].values, panel[f"{name}_error"]), name
        assert float(panel[f"{name}_error"].max()) < 0.5
    assert (panel.effective_sample_size > 50).all()


def test_a_single_route_keeps_the_order_of_temperatures_and_a_number_adds_no_dimension():
    model = ring()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        many = sm.free_energy(model, beta=[0.0, 1.0, 0.5], method="tempering", **RUN)
    assert many.log_partition.dims == ("T",)
    assert list(many["T"].values) == [np.inf, 1.0, 2.0]
    assert float(many.log_partition[0]) == pytest.approx(6 * np.log(2), abs=1e-12)
    assert many.log_partition[1] > many.log_partition[2] > many.log_partition[0]
    one = sm.free_energy(model, T=2.0, method="population", **RUN)
    assert one.log_partition.dims == ()
    assert float(one.free_energy) == pytest.approx(-2 * float(one.log_partition))


@pytest.mark.parametrize("method", ROUTES)
def test_at_infinite_temperature_log_z_is_known(method):
    panel = sm.free_energy(ring(), beta=[0.0, 0.0], method=method, **RUN)
    assert np.allclose(panel.log_partition, 6 * np.log(2), rtol=0, atol=1e-12)
    assert np.isnan(panel.free_energy).all() or (panel.free_energy == -np.inf).all()


def test_auto_sums_small_models_exactly():
    data = sm.free_energy(ring(), T=2.0)
    assert data.attrs["method"] == "exact"
    assert float(data.log_partition_error) == 0.0
    assert data.equals(sm.free_energy(ring(), T=2.0, method="exact"))
    changed = sm.free_energy(ring(), T=2.0, reference=ring(J=0.5))
    other = sm.exact(ring(J=0.5), T=2.0).log_partition
    assert float(changed.log_partition_difference) == float(data.log_partition - other)


@pytest.mark.parametrize("method", ["tempering", "integration", "population"])
def test_fields_begin_from_independent_sites(method):
    T = [0.5, 2.0]
    data = sm.free_energy(chain_of_fields(), T=T, method=method, **RUN)
    exact = [log_z_of_fields(t) for t in T]
    assert close(data.log_partition, exact, data.log_partition_error)
    assert float(data.log_partition_error.max()) < 0.1
    assert close(data.heat_capacity, 2.5, data.heat_capacity_error)


def test_the_measures_of_compact_variables():
    with sm.Model() as model:
        sm.Energy("on a", -0.5 * pm.math.cos(sm.Angle("a", 3)))
        sm.Energy("on v", -0.7 * sm.UnitVector("v", 2)[:, 2])
        sm.Energy("on s", -0.2 * sm.Spin("s", 4, observed=np.ma.masked_equal([1, 0, 0, 0], 0)))
    hot = sm.free_energy(model, beta=0.0, method="tempering", **RUN)
    volume = 3 * np.log(2 * np.pi) + 2 * np.log(4 * np.pi) + 3 * np.log(2)
    assert float(hot.log_partition) == pytest.approx(volume, abs=1e-12)
    cold = sm.free_energy(model, T=1.0, method="tempering", **RUN)
    exact = (
        3 * np.log(2 * np.pi * np.i0(0.5))
        + 2 * np.log(4 * np.pi * np.sinh(0.7) / 0.7)
        + 3 * np.log(2 * np.cosh(0.2))
        + 0.2
    )
    assert close(cold.log_partition, exact, cold.log_partition_error)


@pytest.mark.parametrize("method", ["tempering", "population", "annealing"])
def test_from_another_model(method):
    stronger, weaker = ring(J=1.0), ring(J=0.5)
    T = [1.0, 2.0]
    data = sm.free_energy(stronger, T=T, method=method, reference=weaker, **RUN)
    exact = [sm.exact(m, T=T).log_partition.values for m in (stronger, weaker)]
    assert data.attrs["reference"] == "absolute"
    assert close(data.log_partition, exact[0], data.log_partition_error)
    difference = data.log_partition_difference
    assert close(difference, exact[0] - exact[1], data.log_partition_error)
    assert float(data.log_partition_error.max()) < 0.05


def test_relative_to_a_model_that_no_sum_can_do():
    data = sm.free_energy(
        chain_of_fields(mass=1.0),
        T=1.0,
        method="tempering",
        reference=chain_of_fields_with_a_quartic_term(),
        **RUN,
    )
    assert data.attrs["reference"] == "the reference model"
    assert float(data.log_partition) == float(data.log_partition_difference)


def chain_of_fields_with_a_quartic_term():
    model = chain_of_fields(mass=1.0)
    with model:
        sm.Energy("quartic", 0.1 * model["x"] ** 4)
    return model


def test_terms_that_T_does_not_divide_are_part_of_log_z():
    i = np.arange(4)
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("exchange", -1.0 * s[i] * s[(i + 1) % 4])
        pm.Potential("prior", (0.5 * s).sum())
    exact = sm.exact(model, T=2.0)
    for method in ("tempering", "integration"):
        data = sm.free_energy(model, T=2.0, method=method, **RUN)
        assert close(data.log_partition, exact.log_partition, data.log_partition_error)
    with pytest.raises(ArgumentError, match="begins at infinite temperature"):
        sm.free_energy(model, T=2.0, method="flat_histogram", **RUN)


@pytest.mark.filterwarnings("ignore::statmech_dsl.errors.OverlapWarning")
def test_results_are_a_function_of_the_seed():
    a, b, c = (
        sm.free_energy(
            ring(), T=3.0, method="panel", draws=100, tune=50, seed=k, threads=n, progressbar=False
        )
        for k, n in ((5, 1), (5, 2), (6, 1))
    )
    assert a.equals(b)
    assert not a.equals(c)


def test_poor_overlap_is_named_and_never_agreed():
    with sm.Model() as model:
        s = sm.Spin("s", 400)
        sm.Energy("all alike", -2.0 / 400 * s.sum() ** 2)
    few = RUN | {"draws": 25, "tune": 80, "chains": 1}
    with pytest.warns(OverlapWarning, match=r"(routes do not agree|in trouble).*(effective|small)"):
        data = sm.free_energy(model, T=0.5, method="panel", **few)
    assert not bool(data.agreed)
    assert any(data.trouble.values)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "magic"}, ArgumentError, "no method 'magic'"),
        ({"T": -1.0}, ArgumentError, "T must be"),
        ({"draws": 1}, ArgumentError, "draws must be"),
        ({"chains": 0}, ArgumentError, "chains must be"),
        ({"seed": -1}, ArgumentError, "seed must be"),
        ({"updates": "glauber"}, StatmechError, "no update 'glauber'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        sm.free_energy(ring(), **({"method": "tempering"} | RUN | arguments))


def test_models_that_have_no_log_z():
    with pytest.raises(ArgumentError, match="log Z at beta = 0 is infinite"):
        sm.free_energy(chain_of_fields(), beta=0.0, **RUN)
    with pytest.raises((ImproperDistributionError, ArgumentError)):
        sm.free_energy(chain_of_fields(mass=-1.0), T=1.0, **RUN)
    with sm.Model() as other:
        sm.Energy("field", -0.5 * sm.Spin("t", 6))
    with pytest.raises(ModelError, match="a path joins models of the same variables"):
        sm.free_energy(ring(), T=1.0, method="tempering", reference=other, **RUN)
    with sm.Model() as random:
        s = sm.Spin("s", 4)
        sm.Energy("field", -pm.Normal("h") * s)
    with pytest.raises(ModelError):
        sm.free_energy(random, T=1.0, **RUN)


def test_the_worst_pair_is_found():
    assert worst_sigma(np.array([[0.0], [1.0], [1.0]]), np.full((3, 1), np.sqrt(0.5))) == 1.0
    assert worst_sigma(np.zeros((1, 1)), np.ones((1, 1))) == 0.0


@pytest.mark.parametrize(
    ("values", "errors", "worst"),
    [
        ([2.0, 2.0 + 1e-14], [0.0, 1e-17], 0.0),
        ([2.0, 2.1], [0.0, 0.0], np.inf),
        ([2.0, np.nan], [0.1, 0.1], np.inf),
        ([2.0, 2.1], [0.1, np.nan], np.inf),
    ],
)
def test_what_has_no_error_or_no_value_does_not_agree_by_chance(values, errors, worst):
    assert worst_sigma(np.array(values)[:, None], np.array(errors)[:, None]) == worst


# ---- profiles ---------------------------------------------------------------------------------------


def test_profile_of_the_magnetization():
    model, n, T = ring(), 6, 0.7
    states = np.array(list(itertools.product([-1, 1], repeat=n)))
    energy = -(states * np.roll(states, 1, 1)).sum(1) - 0.3 * states.sum(1)
    weight = np.exp(-energy / T)
    p = np.array([weight[states.sum(1) == m].sum() for m in range(-n, n + 1, 2)]) / weight.sum()
    edges = np.arange(-n - 1, n + 2, 2) / n
    found = sm.free_energy_profile(model, observable="m", bins=edges, T=T, **RUN)
    assert np.allclose(found.m, np.arange(-n, n + 1, 2) / n)
    assert close(found.log_probability, np.log(p), found.log_probability_error)
    best = int(found.free_energy.values.argmin())
    off = np.abs(found.free_energy + T * np.log(p / p[best]))
    assert (off <= 4 * found.free_energy_error).all()
    assert float(found.free_energy_error.max()) < 0.2


def test_profile_of_a_double_well():
    with sm.Model() as model:
        x = sm.Field("x", 1)
        sm.Energy("well", 3.0 * (x**2 - 1) ** 2)
        sm.Observable("position", x.sum())
    edges = np.linspace(-1.5, 1.5, 13)
    found = sm.free_energy_profile(model, observable="position", bins=edges, T=0.5, **RUN)
    fine = np.linspace(-1.5, 1.5, 12_001)
    w = np.exp(-6.0 * (fine**2 - 1) ** 2)
    p, _ = np.histogram(fine, edges, weights=w)
    assert close(found.log_probability, np.log(p / p.sum()), found.log_probability_error)


def test_the_last_bin_of_a_profile_has_both_edges():
    edges = np.arange(-6, 7, 4) / 6  # m is 1 at the last one
    found = sm.free_energy_profile(ring(), observable="m", bins=edges, T=0.7, **RUN)
    assert found.m[int(found.free_energy.values.argmin())] == pytest.approx(2 / 3)
    with pytest.raises(OverlapError, match="no draw has a value of 'm'"):
        sm.free_energy_profile(ring(), observable="m", bins=[1.5, 2.0, 2.5], T=0.7, **RUN)


def test_springs_that_are_too_far_apart_are_named(monkeypatch):
    monkeypatch.setattr(profile, "tuned_ladder", lambda sampler, ends, *rest: (ends, None))
    edges = np.linspace(-1, 1, 41)
    with pytest.warns(OverlapWarning, match="springs are too far apart"):
        sm.free_energy_profile(
            magnet(), observable="m", bins=edges, T=3.0, **(RUN | {"draws": 100})
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observable": "energy"}, "no observable 'energy'"),
        ({"observable": "size"}, "no multiple of one sum"),
        ({"bins": [0.0, 1.0]}, "bins are the edges"),
        ({"bins": [0.0, 1.0, 0.5]}, "bins are the edges"),
        ({"T": [1.0, 2.0]}, "one temperature"),
    ],
)
def test_profiles_that_cannot_be(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        sm.free_energy_profile(
            ring(), **({"observable": "m", "bins": [-1.0, 0.0, 1.0]} | RUN | arguments)
        )


def test_a_level_that_is_hard_to_find_does_not_catch_the_walkers():
    """Domain walls of a chain have to meet for its lowest level; with this seed that happens late."""
    model = sm.models.ising(L=40, lattice="chain")
    options = {"method": "flat_histogram", "draws": 100, "tune": 1000, "seed": 996241871}
    data = sm.free_energy(model, T=0.8, progressbar=False, **options)
    assert not data.attrs["trouble"]
    exact = sm.exact(model, T=0.8, observables=False).log_partition
    assert close(data.log_partition, exact, data.log_partition_error)

"""Overrelaxation: reflections keep the energy, at fields of any strength and for as long as one likes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.numba_cpu import kernels
from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.domains import Angle, Field, UnitVector
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.testing import check_backend, check_geweke, declarations, small_models
from statmech_dsl.testing.setup import begin, build
from statmech_dsl.updates import UPDATES

ULP = {"float64": 2.0**-52, "float32": 2.0**-23}
STRENGTHS = [1e-12, 1e-3, 1.0, 1e4]
both = pytest.mark.parametrize("dtype", ULP)


def reflected(domain, old, weights):
    """The new value of a site with given log weights at the probes after the first."""
    move = domain.overrelaxed()
    env = {f"old.{k}": x for k, x in enumerate(old)}
    env |= {f"l.{k + 1}": x for k, x in enumerate(weights)}
    for s in move.body:
        assert isinstance(s, Let)
        env[s.name] = evaluate(s.expr, (), env, domain.dtype)
    return np.array([float(evaluate(e, (), env, domain.dtype)) for e in move.value])


@both
@pytest.mark.parametrize("kappa", STRENGTHS)
def test_an_angle_is_reflected_about_its_field(kappa, dtype):
    for mu, old in np.random.default_rng(1).uniform(-np.pi, np.pi, (50, 2)):
        weights = kappa * np.array(
            [-2 * np.cos(mu), np.sin(mu) - np.cos(mu), -np.sin(mu) - np.cos(mu)]
        )
        (new,) = reflected(Angle(dtype=dtype), [old], weights)
        away = (new - (2 * mu - old) + np.pi) % (2 * np.pi) - np.pi
        assert abs(away) < 16 * ULP[dtype]
        assert Angle().contains(np.array([new]))


@both
@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("kappa", STRENGTHS)
def test_a_vector_is_reflected_about_its_field(kappa, n, dtype):
    for s, e in UnitVector(n).hot(np.random.default_rng(n), 50).reshape(-1, 2, n):
        new = reflected(UnitVector(n, dtype=dtype), s, kappa * e)
        assert np.abs(new - (2 * (s @ e) * e - s)).max() < 16 * ULP[dtype]
        assert abs(new @ new - 1) < 8 * ULP[dtype]


@both
def test_a_field_is_reflected_about_its_minimum(dtype):
    for x, slope, curvature in np.random.default_rng(1).uniform(0.5, 2.0, (50, 3)):
        weights = np.array([slope - curvature / 2, -slope - curvature / 2])
        (new,) = reflected(Field(dtype=dtype), [x], weights)
        assert new == pytest.approx(2 * slope / curvature - x, abs=64 * ULP[dtype])


@both
@pytest.mark.parametrize("weak", [0.0, 1e-30, 1e-300])
def test_without_a_field_a_site_goes_to_another_legal_value(weak, dtype):
    (turned,) = reflected(Angle(dtype=dtype), [0.75], [-2 * weak, -weak, -weak])
    assert turned == -0.75
    s = np.array([0.0, 0.6, -0.8])
    new = reflected(UnitVector(3, dtype=dtype), s, [weak, 0.0, weak])
    assert np.allclose(new, -s, atol=2 * ULP[dtype])
    assert reflected(Field(dtype=dtype), [1.5], [0.0, 0.0]) == 1.5


@pytest.fixture
def alone(monkeypatch):
    """Let it be made alone, which reaches no other energy."""
    update = replace(UPDATES["overrelaxation"], ergodic=True)
    monkeypatch.setitem(UPDATES, "overrelaxation", update)


@both
def test_the_energy_does_not_drift(alone, dtype):
    """Over 10^4 sweeps; in single precision roundings of 64 sites add up like a random walk."""
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        theta = sm.Angle("theta", lattice, dtype=dtype)
        s = sm.UnitVector("s", lattice, n=3, dtype=dtype)
        phi = sm.Field("phi", lattice, dtype=dtype)
        sm.Energy("planar", -pt.cos(theta[i] - theta[j]))
        sm.Energy("spatial", -s[i] * s[j])
        sm.Energy("free", 0.5 * (phi[i] - phi[j]) ** 2)
        sm.Energy("mass", 0.5 * phi**2)
    sampler = build(model, 8, updates="overrelaxation", backend="numba")
    packed = sampler.kernels.pack(begin(sampler, np.full(8, 0.9), seed=1))
    before = sampler.kernels.energy(packed)[0]
    sampler.kernels.sweep(packed, 10_000)
    drift = sampler.kernels.energy(packed)[0] - before
    assert np.abs(drift).max() < 1e5 * ULP[dtype]
    lengths = np.linalg.norm(sampler.kernels.values(packed, "s").reshape(-1, 3), axis=1)
    assert np.abs(lengths - 1).max() < 2 * ULP[dtype]


@pytest.mark.parametrize("label", ["Angle", "UnitVector", "Field"])
def test_beside_another_update_it_keeps_the_joint_distribution(label):
    """Of sites that are coupled to each other and to spins."""
    declaration = next(d for d in declarations() if d.label == label)
    model = small_models(declaration)["mixed"]
    check_geweke(model, {"x": ["auto", ("overrelaxation", 2)]})


def test_it_is_repeated_in_a_loop_and_means_the_same_as_copies():
    declaration = next(d for d in declarations() if d.label == "Field")
    model = small_models(declaration)["pairs"]
    ends = []
    for recipe in (["heat_bath", ("overrelaxation", 3)], ["heat_bath", *["overrelaxation"] * 3]):
        sampler = build(model, 2, updates=recipe, backend="numba")
        assert len(sampler.program.passes) == len(recipe)
        assert sampler.moves.sum() == 4 * 4
        packed = sampler.kernels.pack(begin(sampler, [0.5, 1.0], seed=1))
        sampler.kernels.sweep(packed, 3)
        ends.append(sampler.kernels.values(packed, "x"))
    assert np.array_equal(*ends)


def test_threads_share_the_colors_of_every_repetition(monkeypatch):
    monkeypatch.setattr(kernels, "WORTH_SHARING", 1)
    declaration = next(d for d in declarations() if d.label == "Angle")
    model = small_models(declaration, 40)["pairs"]
    recipe = ["heat_bath", ("overrelaxation", 2), "reversed overrelaxation"]
    assert check_backend(model, updates=recipe, replicas=(1,), threads=(1, 3), sweeps=2)


def test_the_log_weight_is_kept_where_T_does_not_divide_all_of_it(alone):
    with sm.Model() as model:
        phi = sm.Field("phi", 8)
        sm.Energy("binding", 0.5 * (phi - 1.0) ** 2)
        pm.Potential("prior", -0.7 * (phi + 1.0) ** 2)
    sampler, beta = build(model, updates="overrelaxation"), np.array([2.0])
    packed = sampler.kernels.pack(begin(sampler, beta, seed=1))
    (before,), (fixed,) = sampler.kernels.energy(packed)
    sampler.kernels.sweep(packed, 1)
    (after,), (fixed_after,) = sampler.kernels.energy(packed)
    assert abs(after - before) > 1e-3
    assert 2.0 * after + fixed_after == pytest.approx(2.0 * before + fixed, rel=1e-13)


def planar(energy):
    with sm.Model() as model:
        theta = sm.Angle("theta", 3)
        sm.Energy("energy", energy(theta))
    return model


def anisotropic():
    with sm.Model() as model:
        s = sm.UnitVector("s", 3)
        sm.Energy("exchange", -s[0] * s[1])
        sm.Energy("single ion", 0.5 * s[:, 2] ** 2)
    return model


ILLEGAL = {
    "Spin has discrete values": sm.models.ising(L=2),
    "Potts has discrete values": sm.models.potts(L=2),
    "Clock has discrete values": sm.models.clock(L=2),
    "not a first harmonic function": planar(lambda x: -pt.cos(2 * x) - pt.cos(x)),
    "not a linear function": anisotropic(),
    "not a quadratic function": sm.models.phi4(L=2),
}


@pytest.mark.parametrize("reason", ILLEGAL)
def test_what_it_would_not_keep_is_refused(reason):
    with pytest.raises(IllegalUpdateError, match=f"overrelaxation is not legal for .*{reason}"):
        sm.sample(ILLEGAL[reason], updates=["overrelaxation", "auto"], progressbar=False)
    assert reason in str(sm.explain(ILLEGAL[reason]))


def test_under_a_tabulated_law_it_is_refused():
    with pytest.raises(IllegalUpdateError, match="Boltzmann"):
        build(planar(lambda x: -pt.cos(x)), updates=["overrelaxation", "auto"], law="tabulated")


def test_alone_it_is_refused():
    with pytest.raises(IllegalUpdateError, match="would not reach all states of 'theta'"):
        sm.sample(planar(lambda x: -pt.cos(x)), updates=("overrelaxation",), progressbar=False)

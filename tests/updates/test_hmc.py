"""Hamiltonian moves: the force, the integrator, and the distribution that they leave alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.collective.hamiltonian import Trajectories
from statmech_dsl.errors import ArgumentError, DivergenceWarning, IllegalUpdateError
from statmech_dsl.ir.hamiltonian import MOMENTUM
from statmech_dsl.testing import (
    KINDS,
    Declaration,
    check_backend,
    check_conditional,
    check_geweke,
    declarations,
    small_models,
)
from statmech_dsl.testing.setup import begin, build

CONTINUOUS = [d for d in declarations() if d.domain.values is None]
DOUBLE = [d for d in CONTINUOUS if d.domain.storage_dtype == "float64"]
OPTIONS = {"seed": 1, "progressbar": False, "threads": 1}


def cases(declared):
    return pytest.mark.parametrize("declaration", declared, ids=str)


def mover_of(model, move, betas=(1.0,)):
    """The moves of x in the reference backend, and a first state."""
    sampler = build(model, updates={"x": move})
    state = begin(sampler, np.array(betas), seed=3)
    return sampler.kernels.movers[0], state


def pytensor_gradient(model, state):
    """The gradient of the energy that T divides, by PyTensor, for each replica."""
    x = model["x"]
    energy = -sum(p.sum() for p in model.potentials)
    inputs = {model[name]: model[name].type() for name in state.values}
    gradient = pytensor.function(
        list(inputs.values()), pt.grad(energy, x), givens=inputs, mode="FAST_COMPILE"
    )
    rows = range(state.n_replicas)
    shapes = [v.type.shape for v in inputs]
    values = [[state.values[v.name][r] for v in inputs] for r in rows]
    typed = [
        [a.reshape(s).astype(v.dtype) for a, s, v in zip(row, shapes, inputs, strict=True)]
        for row in values
    ]
    return np.stack([gradient(*row) for row in typed])


@pytest.mark.parametrize("kind", KINDS)
@cases(DOUBLE)
def test_the_force_is_the_gradient_that_pytensor_finds(declaration, kind):
    model = small_models(declaration)[kind]
    mover, state = mover_of(model, sm.HMC(leapfrogs=1, step=1.0), [1.0, 1.0])
    _, motion = mover.kernels(2)
    start = mover.start(state, 0)
    start.values["x" + MOMENTUM][:] = 0.0
    packed = motion.pack(start)
    rest = [np.zeros(2)] * (len(mover.m.motion.passes) - 1)
    motion.set_beta(packed, state.beta, np.stack([-np.ones(2), *rest]))
    motion.sweep(packed, 1)
    n = declaration.domain.components
    free = mover.seat.tables["x.free"]
    found = motion.values(packed, "x" + MOMENTUM).reshape(2, -1, n)[:, free]
    expected = pytensor_gradient(model, state).reshape(2, -1, n)[:, free]
    if declaration.domain.transform == "sphere":  # along the sphere
        x = state.values["x"].reshape(2, -1, n)[:, free]
        expected = expected - x * (x * expected).sum(axis=-1, keepdims=True)
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()
    assert np.abs(expected).max() > 0.01


@pytest.mark.parametrize(
    ("declaration", "mass"),
    [*((d, "unit") for d in DOUBLE), (Declaration("Field"), "fourier")],
    ids=str,
)
def test_trajectories_can_be_reversed_and_are_of_second_order(declaration, mass):
    model = chain() if mass == "fourier" else small_models(declaration)["local"]
    betas = np.array([0.7, 1.3])
    mover, state = mover_of(model, sm.HMC(leapfrogs=8, step=1.0, mass=mass), betas)
    _, motion = mover.kernels(2)
    start = mover.start(state, 0)
    packed, error = mover.follow(motion.pack(start), betas, np.full(2, 0.08))
    end = motion.unpack(packed)
    end.values["x" + MOMENTUM] *= -1
    packed, back = mover.follow(motion.pack(end), betas, np.full(2, 0.08))
    assert np.abs(error).min() > 1e-9
    assert np.abs(error + back).max() < 1e-10
    found, x = motion.values(packed, "x"), start.values["x"]
    apart = np.angle(np.exp(1j * (found - x))) if declaration.label == "Angle" else found - x
    assert np.abs(apart).max() < 1e-10
    mover.m = replace(mover.m, leapfrogs=16)
    _, finer = mover.follow(motion.pack(start), betas, np.full(2, 0.04))
    assert error / finer == pytest.approx(4.0, rel=0.2)


def chain(n=8, lam=0.3):
    """A real field on a ring."""
    i = np.arange(n)
    with sm.Model() as model:
        x = sm.Field("x", n)
        sm.Energy("gradient", 0.5 * (x[i] - x[(i + 1) % n]) ** 2)
        sm.Energy("well", 0.3 * x**2 + lam * x**4)
        sm.Observable("x2", (x**2).mean())
    return model


# ---- distributions -------------------------------------------------------------------------------


@cases(DOUBLE)
def test_conditional_of_a_site(declaration):
    model = small_models(declaration, n_free=1)["local"]
    check_conditional(model, sm.HMC(leapfrogs=3, step=0.6), sweeps=10, replicas=3000)


@cases(CONTINUOUS)
def test_joint_distribution(declaration):
    model = small_models(declaration)["mixed"]
    recipe = {"x": [sm.HMC(leapfrogs=3, step=0.5), "mala(step=0.7)"], "s": "heat_bath"}
    check_geweke(model, recipe, sweeps=2, replicas=5000)


def test_joint_distribution_with_a_function_of_a_sum():
    model = small_models(Declaration("Field"), 2)["sum"]
    check_geweke(model, sm.HMC(leapfrogs=2, step=0.8), beta=0.8, sweeps=2, replicas=5000)


def test_joint_distribution_with_fourier_masses():
    move = sm.HMC(leapfrogs=3, step=0.9, mass="fourier")
    check_geweke(chain(4), move, sweeps=2, replicas=3000)


def test_acceptance_by_a_wrong_energy_is_seen(monkeypatch):
    model = small_models(Declaration("Field"), 2)["pairs"]
    move = sm.HMC(leapfrogs=2, step=1.1)
    check_geweke(model, move, replicas=5000, backend="numba")
    right = Trajectories.follow

    def half(self, packed, beta, step):
        packed, error = right(self, packed, beta, step)
        return packed, error * 0.5

    monkeypatch.setattr(Trajectories, "follow", half)
    with pytest.raises(sm.errors.ValidationError, match="standard errors"):
        check_geweke(model, move, replicas=5000, backend="numba")


@cases([Declaration("Field"), Declaration("UnitVector", (("n", 2),))])
def test_joint_distribution_with_a_mass_for_each_site(declaration):
    move = sm.HMC(leapfrogs=2, step=0.8, mass=[0.5, 2.0, 4.0, 1.0])
    check_geweke(small_models(declaration)["pairs"], move, sweeps=2, replicas=5000)


def test_masses_make_sites_of_all_scales_move_alike():
    stiffness = np.array([1.0, 100.0, 10_000.0])
    with sm.Model() as model:
        x = sm.Field("x", 3)
        sm.Energy("springs", 0.5 * stiffness * x**2)
        sm.Observable("scaled", x * np.sqrt(stiffness))
    move = sm.HMC(leapfrogs=3, mass=stiffness)
    data = sm.sample(model, updates=move, draws=1000, tune=200, **OPTIONS)
    assert (abs(data.posterior.scaled.var(("chain", "draw")) - 1) < 0.1).all()
    assert (sm.tau_int(data, "scaled").scaled < 2).all()


def test_clamped_sites_stay_and_what_t_does_not_divide_counts_once():
    known = np.ma.masked_array([0.3, 0.0], [False, True])
    with sm.Model() as model:
        x = sm.Field("x", 2, observed=known)
        sm.Energy("spring", 0.5 * (x[0] - x[1]) ** 2)
        pm.Potential("prior", -0.5 * x[1] ** 2)
    options = OPTIONS | {"chains": 16, "draws": 600, "tune": 100, "store": "x"}
    data = sm.sample(model, T=0.5, updates="hmc", **options)
    first, second = data.posterior.x.values.reshape(-1, 2).T
    assert (first == 0.3).all()
    assert abs(second.mean() - 0.2) < 0.02  # precision 2 + 1
    assert abs(second.var() - 1 / 3) < 0.02


def test_every_mode_of_the_gaussian_field_has_its_propagator():
    model = sm.models.gaussian_field(L=4, m2=0.05)
    move = sm.HMC(leapfrogs=3, mass="fourier")
    options = OPTIONS | {"chains": 8, "draws": 1000, "tune": 150, "store": "phi"}
    data = sm.sample(model, T=2.0, updates=move, **options)
    phi = data.posterior.phi.values.reshape(8, -1, 4, 4)
    power = np.abs(np.fft.fft2(phi)) ** 2 / 16
    k = 2 - 2 * np.cos(2 * np.pi * np.arange(4) / 4)
    exact = 2.0 / (k[:, None] + k + 0.05)
    assert np.abs(power.mean(axis=(0, 1)) / exact - 1).max() < 0.08
    # All modes forget alike: the slowest is as fast as any.
    times = [sm.tau_int(power[:, :, a, b]).tau for a, b in ((0, 0), (0, 1), (2, 2))]
    assert max(times) < 3.0


# ---- bits ----------------------------------------------------------------------------------------


def test_fourier_masses_follow_the_reference():
    move = sm.HMC(leapfrogs=2, mass="fourier")
    check_backend(chain(), updates=move, replicas=(1, 9), threads=(2,), sweeps=2)


@pytest.mark.parametrize("kind", ["local", "sum", "mixed"])
@cases(CONTINUOUS[-1:])
def test_other_energies_follow_the_reference(declaration, kind):
    recipe = {"x": ["metropolis", (sm.HMC(leapfrogs=2), 2)]}
    check_backend(
        small_models(declaration)[kind], updates=recipe, replicas=(3, 9), threads=(2,), sweeps=2
    )


@cases([Declaration("Field"), Declaration("UnitVector", (("n", 2),))])
def test_sites_as_lanes_follow_the_reference(declaration):
    model = small_models(declaration, 40)["pairs"]
    check_backend(model, updates=sm.HMC(leapfrogs=2), replicas=(1, 3), threads=(2,), sweeps=1)


# ---- use -----------------------------------------------------------------------------------------


def test_a_run_can_be_repeated_from_its_record():
    move = sm.HMC(leapfrogs=4, mass="fourier")
    options = OPTIONS | {"draws": 30, "tune": 60}
    data = sm.sample(chain(), updates=move, **options)
    recorded = json.loads(data.attrs["updates"])
    assert recorded == {"x": "hmc(leapfrogs=4, mass='fourier')"}
    again = sm.sample(chain(), updates=recorded, **options)
    assert np.array_equal(data.posterior.x2, again.posterior.x2)
    more = sm.sample(chain(), updates=recorded, init=again, **options | {"tune": 0})
    whole = sm.sample(chain(), updates=recorded, **options | {"draws": 60})
    assert np.array_equal(whole.posterior.x2[:, 30:], more.posterior.x2)


def test_the_step_is_tuned_for_each_chain():
    data = sm.sample(chain(32), T=[0.2, 2.0], updates="hmc", draws=400, **OPTIONS)
    assert (abs(data.sample_stats.x_hmc_acceptance - 0.8) < 0.12).all()
    steps = data.final_state["x.step"]
    assert (steps.sel(T=0.2) < steps.sel(T=2.0)).all()
    assert (data.sample_stats.x_hmc_divergences == 0).all()


def test_tempering_gives_each_temperature_its_step():
    data = sm.temper(chain(), T=[0.5, 1.0, 2.0], updates="mala", draws=300, **OPTIONS)
    assert (abs(data.sample_stats.x_mala_acceptance - 0.57) < 0.15).all()
    assert (data.final_state["x.step"].mean("chain").diff("T") > 0).all()


def test_divergences_are_counted_and_warned_of():
    move = sm.HMC(step=3.0)
    with pytest.warns(DivergenceWarning, match="trajectories of 'x' diverged"):
        data = sm.sample(chain(), updates=move, draws=20, tune=0, **OPTIONS)
    assert (data.sample_stats.x_hmc_divergences == 20).all()
    assert (data.sample_stats.x_hmc_acceptance == 0).all()


@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_nuts_samples_a_model_as_it_is(sampler):
    """pm.sample on phi^4 of three sites, against a grid."""
    if sampler == "nutpie":
        pytest.importorskip("nutpie")
    model = sm.models.phi4(L=3, d=1)
    with model:
        data = pm.sample(
            draws=1500,
            tune=500,
            chains=2,
            cores=1,
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
            nuts_sampler=sampler,
        )
    x = np.linspace(-4, 4, 61)
    a, b, c = np.meshgrid(x, x, x, indexing="ij")
    energy = 0.5 * ((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2)
    energy += sum(-0.5 * y**2 + 0.25 * y**4 for y in (a, b, c))
    weight = np.exp(-energy)
    exact = (weight * (a**2 + b**2 + c**2) / 3).sum() / weight.sum()
    assert abs(float(data.posterior.phi2.mean()) - exact) < 0.08


# ---- refusals ------------------------------------------------------------------------------------


def refused(model, move, message):
    with pytest.raises(IllegalUpdateError, match=message):
        sm.sample(model, updates=move, **OPTIONS)


def field(energy, n=16, **options):
    with sm.Model() as model:
        x = sm.Field("x", n, **options)
        sm.Energy("binding", 0.5 * x**2)
        sm.Energy("term", energy(x))
    return model


RING = np.arange(16)


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        (lambda x: pt.floor(x), "'term' has no gradient: it holds a whole part"),
        (lambda x: pt.switch(x > 0, x, 0.0), "'term' has no gradient: it holds a choice"),
        (lambda x: 1.0 * (x > 0.5), "'term' has no gradient: it holds a comparison"),
        (lambda x: pt.sign(x), "'term' has no gradient: it holds a sign"),
        (lambda x: pt.floor(x.sum()), "'term' has no gradient"),
    ],
)
def test_energies_that_jump_are_refused_by_name(energy, message):
    refused(field(energy), "hmc", message)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: sm.models.xy(L=4), "modes of Angle do not move freely"),
        (lambda: field(lambda x: 0.1 * x**4), "its sites are not coupled"),
        (lambda: sm.models.gaussian_field(L=4, periodic=False), "not the same all over"),
        (
            lambda: field(lambda x: np.linspace(1, 2, 16) * x[RING] * x[RING - 1]),
            "not the same all over a periodic lattice",
        ),
        (lambda: field(lambda x: RING * x**2), "'term' differs from site to site"),
        (lambda: field(lambda x: x[RING] ** 2 * x[RING - 1] ** 2), "couples sites, but is not"),
        (lambda: field(lambda x: x.sum() ** 2), "is a function of a sum over sites"),
        (
            lambda: field(
                lambda x: 0.1 * x[RING] * x[RING - 1],
                observed=np.ma.masked_array(np.zeros(16), RING > 0),
            ),
            "some of its sites are clamped",
        ),
    ],
)
def test_models_without_a_propagator_are_refused(model, message):
    refused(model(), sm.HMC(mass="fourier"), message)


def test_discrete_variables_have_no_gradient():
    refused(sm.models.ising(L=4), "hmc", "Spin has no gradient: its values are discrete")
    refused(sm.models.potts(L=4), "mala", "Potts has no gradient")


def test_tabulated_weights_are_refused():
    with pytest.raises(IllegalUpdateError, match="follow Boltzmann weights only"):
        build(chain(), updates="hmc", law="tabulated")


@pytest.mark.parametrize(
    ("move", "error", "message"),
    [
        ("hmc(leapfrogs=0)", ArgumentError, "leapfrogs is a whole number"),
        ("hmc(step=-1)", ArgumentError, "step is a positive number"),
        ("hmc(mass='heavy')", ArgumentError, "no such mass"),
        ("hmc(mass=(1, 0))", ArgumentError, "masses are positive numbers"),
        ("hmc(mass=(1, 2))", IllegalUpdateError, "mass has 2 numbers for 8 sites"),
        ("hmc(leap=3)", IllegalUpdateError, "cannot read the options of hmc"),
        ("hmc(3", IllegalUpdateError, "cannot read the options of hmc"),
        ("hmc(print())", IllegalUpdateError, "cannot read the options of hmc"),
        ("heat_bath(2)", IllegalUpdateError, "heat_bath has no options"),
    ],
)
def test_options_that_make_no_sense_are_refused(move, error, message):
    with pytest.raises(error, match=message):
        sm.sample(chain(), updates=move, **OPTIONS)


def test_options_as_text_and_as_an_object_are_the_same():
    assert str(sm.HMC()) == "hmc"
    assert str(sm.HMC(leapfrogs=1)) == "mala"
    assert str(sm.HMC(leapfrogs=1, step=0.1)) == "mala(step=0.1)"
    assert str(sm.HMC(mass=np.ones(2))) == "hmc(mass=(1.0, 1.0))"
    assert str(sm.HMC(20, mass="fourier")) == "hmc(leapfrogs=20, mass='fourier')"

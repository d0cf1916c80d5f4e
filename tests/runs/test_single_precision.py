"""Variables in float32 through the whole library: results, exact physics, PyMC, and what stays in float64."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.special import ive

import statmech_dsl as sm
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import DomainError
from statmech_dsl.estimators import tau_int
from statmech_dsl.ir import domains
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.setup import begin, build

single = np.float32
T, N = 0.8, 16


def chain(name):
    """A model on a chain, and its exact energy."""
    match name:
        case "angles":
            model = sm.models.xy(L=N, lattice="chain", periodic=False, dtype="float32")
            return model, -(N - 1) * ive(1, 1 / T) / ive(0, 1 / T)
        case "vectors":
            model = sm.models.heisenberg(L=N, lattice="chain", periodic=False, dtype="float32")
            return model, -(N - 1) * (1 / np.tanh(1 / T) - T)
    return sm.models.gaussian_field(L=N, m2=0.5, d=1, dtype="float32"), N * T / 2


@pytest.mark.parametrize("update", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("name", ["angles", "vectors", "fields"])
def test_exact_energies_of_chains(name, update):
    model, exact = chain(name)
    (variable,) = (v.name for v in model.free_RVs)
    options = {"draws": 2000, "tune": 300, "chains": 64, "thin": 4, "seed": 1}
    data = sm.sample(model, T=T, updates=update, store=variable, progressbar=False, **options)
    assert data.posterior[variable].dtype == single
    assert data.posterior.energy.dtype == np.float64
    energy = tau_int(data.posterior.energy.values)
    assert abs(energy.value - exact) < 4 * energy.error
    assert energy.error < 0.002 * abs(exact)
    states = data.posterior[variable].values
    domain = lower_model(model).recovered.ir.variables[0].domain
    assert domain.contains(states.astype(float)).all()


def test_the_domains_allow_the_rounding_of_float32():
    assert domains.Angle().contains(np.array([single(np.pi), -single(np.pi)])).all()
    assert not domains.Angle().contains(np.array([3.15]))
    vectors = np.random.default_rng(1).normal(size=(1000, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(single)
    assert domains.UnitVector(3).contains(vectors).all()


@pytest.mark.parametrize("dtype", ["float16", "f4", np.float32, None])
def test_other_precisions_are_refused(dtype):
    with sm.Model(), pytest.raises(DomainError, match='use dtype="float64" or dtype="float32"'):
        sm.Field("phi", 4, dtype=dtype)


def test_states_go_in_and_out():
    """Of another run, by name, clamped: all in float32."""
    known = np.ma.masked_array(np.linspace(-1, 1, N), np.arange(N) % 2 == 0)
    with sm.Model() as model:
        phi = sm.Field("phi", N, dtype="float32", observed=known)
        sm.Energy("binding", 0.5 * phi**2 - 0.3 * phi[0] * phi)
    given = np.linspace(0, 1, N)
    options = {"draws": 3, "tune": 0, "chains": 2, "seed": 1, "store": "phi", "progressbar": False}
    first = sm.sample(model, init={"phi": given}, **options)
    assert (first.posterior.phi.values[..., 1::2] == known[1::2].data.astype(single)).all()
    more = sm.sample(model, init=first, **options)
    whole = sm.sample(model, init={"phi": given}, **options | {"draws": 6})
    np.testing.assert_array_equal(more.posterior.phi, whole.posterior.phi[:, 3:])


def passes(model):
    return {p.variable: p.real for p in lower_model(model).lowered.program.passes}


def test_who_is_moved_in_which_precision():
    with sm.Model() as model:
        s, x = sm.Spin("s", 4), sm.Field("x", 4, dtype="float32")
        y, z = sm.Angle("y", 4), sm.Field("z", 9, dtype="float32")
        sm.Energy("pairs", x**2 - 0.1 * s * x * pt.cos(y))
        sm.Energy("binding", z**2)
        sm.Energy("mean field", -0.01 * z.sum() ** 2)
    assert passes(model) == {"s": "float64", "x": "float32", "y": "float64", "z": "float64"}


def test_functions_of_neighbors_in_another_precision():
    """Each pass evaluates cosines in its own precision, whoever the angle belongs to."""
    n = 10
    with sm.Model() as beside:
        a, b = sm.Angle("a", n), sm.Angle("b", n, dtype="float32")
        k = sm.Clock("k", n, q=5)
        sm.Energy("pairs", -pt.cos(a - b) - pt.cos(k.angle - b))
    with sm.Model() as exclusive:
        b, c = sm.Angle("b", n, dtype="float32"), sm.Angle("c", n, dtype="float32")
        sm.Energy("pairs", -pt.cos(b - c))
        sm.Energy("sum", -0.1 * c.sum() ** 2)
    assert passes(beside) == {"a": "float64", "b": "float32", "k": "float64"}
    assert passes(exclusive) == {"b": "float32", "c": "float64"}
    for model in (beside, exclusive):
        check_backend(model, updates="metropolis", replicas=(9,), threads=(1,), sweeps=2)


def test_running_sums_are_those_of_the_stored_values():
    with sm.Model() as model:
        phi = sm.Field("phi", 9, dtype="float32")
        sm.Energy("binding", 0.5 * phi**2)
        sm.Energy("mean field", 0.1 * phi.sum() ** 2)
    sampler = build(model)
    state = begin(sampler, [1.0], seed=1)
    (p,) = sampler.program.passes
    x = {"phi": state.values["phi"][0]}
    sums, base = sampler.kernels.running_sums(x), sampler.kernels.environment(state, 0, x)
    for rank in range(9):
        env = base | {f"sum.{name}": s[0] for name, s in sums.items()}
        decide = sampler.kernels._sampler(p, rank, 0, 0, 1)
        new, bumps = sampler.kernels.visit(p, rank, x, sums, env, decide)
        assert new[0] == single(new[0])
        sampler.kernels.apply(p, rank, x, sums, new, bumps)
    assert sum(sums.values(), [])[0] == pytest.approx(
        float(x["phi"].astype(float).sum()), abs=1e-14
    )


def test_explain_names_the_precision():
    text = str(sm.explain(sm.models.xy(L=4, dtype="float32")))
    assert "theta  Angle  continuous, float32" in text
    assert "theta: generic tier, in float32" in text


def test_beside_nuts_and_under_it():
    """PyMC's graphs stay in float64: NUTS takes nothing else."""
    with sm.Model() as model:
        phi = sm.Field("phi", 3, dtype="float32")
        mu = pm.Normal("mu", 0.0, 1.0)
        pm.Potential("well", -0.5 * ((phi - mu) ** 2).sum())
        options = {"draws": 1500, "tune": 500, "chains": 2, "cores": 1, "random_seed": 1}
        quiet = {"progressbar": False, "compute_convergence_checks": False}
        for step in (None, [sm.LocalGibbs([phi])]):
            data = pm.sample(step=step, **options, **quiet)
            mean = tau_int(data.posterior.phi.values[..., 0])
            assert abs(mean.value) < 4 * mean.error
            spread = tau_int(data.posterior.phi.values[..., 0] ** 2)
            assert abs(spread.value - 2.0) < 4 * spread.error
    assert model.compile_logp()({"phi": np.ones(3), "mu": np.array(0.0)}) == pytest.approx(
        -1.5 - 0.9189385
    )

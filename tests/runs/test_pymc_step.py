"""`LocalGibbs` under `pm.sample`: who gets it, what it samples, and where it refuses."""

import copy
import itertools
import logging

import cloudpickle
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pymc.distributions.transforms import Interval
from pymc.model.transform.conditioning import change_value_transforms, remove_value_transforms
from pymc.sampling.mcmc import assign_step_methods
from pymc.sampling.parallel import ParallelSamplingError
from scipy.special import ive
from scipy.stats import norm

import statmech_dsl as sm
from statmech_dsl.errors import (
    ImproperDistributionError,
    IntractableNormalizerError,
    ModelError,
)
from statmech_dsl.lang.assigned_step import AssignedStep

LATTICE = sm.lattices.square(4)
HERE, THERE = LATTICE.bonds
ONES = np.ones(16, dtype="int64")
logging.getLogger("pymc").setLevel(logging.ERROR)


def sample(model, **more):
    """A short run of `pm.sample`."""
    options = {"draws": 1000, "tune": 100, "chains": 2, "cores": 1, "random_seed": 1, **more}
    with model:
        return pm.sample(progressbar=False, compute_convergence_checks=False, **options)


def draws(data, name):
    """Draws of all chains, one chain after the other."""
    x = data.posterior[name].values
    return x.reshape(-1, *x.shape[2:])


def assert_mean(series, exact, sigmas=4.0):
    """The mean along the first axis is right within errors from batch means."""
    batches = np.stack([b.mean(axis=0) for b in np.array_split(series, 25)])
    error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
    assert (np.abs(batches.mean(axis=0) - exact) < sigmas * error + 1e-9).all()


def ising(coupling=0.3, **more):
    with sm.Model() as model:
        s = sm.Spin("s", LATTICE, **more)
        sm.Energy("exchange", -coupling * s[HERE] * s[THERE])
        sm.Observable("E", -coupling * (s[HERE] * s[THERE]).sum())
    return model


def exact_energy(coupling, clamped=()):
    states = np.array(list(itertools.product([-1, 1], repeat=16)))
    states = states[(states[:, list(clamped)] == 1).all(axis=1)]
    e = -coupling * (states[:, HERE] * states[:, THERE]).sum(axis=1)
    return np.average(e, weights=np.exp(-e))


def steps_of(model):
    """Names of the values that each kind of step gets under plain `pm.sample`."""
    _, selected = assign_step_methods(model)
    return {step.__name__: [v.name for v in values] for step, values in selected.items()}


# Who gets it


def test_our_discrete_variables_get_it_and_nothing_else_does():
    with sm.Model() as model:
        s, z, a = sm.Spin("s", 4), sm.Potts("z", 4, q=3), sm.Angle("a", 4)
        sm.Energy("e", -pt.cos(a) * s - pt.eq(z, 1))
        pm.Bernoulli("b", 0.5)
        pm.Poisson("n", 1.0)
    assert steps_of(model) == {
        "AssignedStep": ["s", "z"],
        "NUTS": ["a_circular__"],
        "BinaryGibbsMetropolis": ["b"],
        "Metropolis": ["n"],
    }
    assert isinstance(AssignedStep([model["s"], model["z"]], model=model), sm.LocalGibbs)


def test_models_of_other_people_are_sampled_as_before():
    with pm.Model() as model:
        b = pm.Bernoulli("b", 0.2, shape=3)
        pm.Normal("x", b.sum(), 1.0, observed=2.0)
    assert steps_of(model) == {"BinaryGibbsMetropolis": ["b"]}
    weight = [0.2**k * 0.8 ** (3 - k) * n * norm.pdf(2.0, k) for k, n in enumerate([1, 3, 3, 1])]
    assert_mean(draws(sample(model), "b").sum(axis=1), np.average(range(4), weights=weight))


def test_continuous_variables_without_a_gradient_get_it():
    with sm.Model():
        a = sm.Angle("a", 3)
    assert AssignedStep.competence(a, has_grad=False) > AssignedStep.competence(a, has_grad=True)


def test_updates_are_chosen_through_pm_sample():
    data = sample(ising(), draws=4000, local_gibbs={"updates": "metropolis"})
    assert_mean(draws(data, "E"), exact_energy(0.3))


# What it samples


def test_a_plain_ising_model():
    data = sample(ising(), draws=4000)
    assert_mean(draws(data, "E"), exact_energy(0.3))
    assert_mean(draws(data, "s"), 0.0)
    changes = (np.diff(data.posterior.s.values, axis=1) != 0).sum(axis=2)
    assert (data.sample_stats.changed.values[:, 1:] == changes).all()


@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_processes_give_the_same_bits(kind):
    here = sample(ising(), draws=50)
    there = sample(ising(), draws=50, cores=2, mp_ctx=kind)
    assert (here.posterior.s.values == there.posterior.s.values).all()
    assert (here.posterior.s.values[0] != here.posterior.s.values[1]).any()


def test_clamped_sites_stay():
    sites = [3, 4, 9]
    free = np.isin(np.arange(16), sites, invert=True)
    data = sample(ising(observed=np.ma.masked_array(ONES, free)), draws=3000)
    assert (draws(data, "s")[:, sites] == 1).all()
    assert_mean(draws(data, "E"), exact_energy(0.3, sites))


def hidden_potts(pixels, bonds, coupling=0.4):
    """A Potts field behind pixels; states 0, 1, 2 have the gray values 0, a, 2a."""
    i, j = bonds
    with sm.Model() as model:
        z = sm.Potts("z", len(pixels), q=3)
        sm.Energy("smooth", -coupling * pt.eq(z[i], z[j]))
        a = pm.Normal("a", 1.0, 0.5)
        sigma = pm.HalfNormal("sigma", 1.0)
        pm.Normal("pixels", pt.stack([0.0, a, 2 * a])[z], sigma, observed=pixels)
    return model


def test_a_hidden_field_agrees_with_enumeration():
    pixels, bonds = np.array([0.1, -0.2, 0.9, 1.3, 2.1]), np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    a, sigma = np.meshgrid(np.linspace(-1, 3, 161), np.linspace(0.01, 4, 160), indexing="ij")
    prior = norm.logpdf(a, 1, 0.5) + norm.logpdf(sigma)
    states = np.array(list(itertools.product(range(3), repeat=5)))
    log = np.array(
        [
            prior
            + 0.4 * (z[bonds[0]] == z[bonds[1]]).sum()
            + sum(norm.logpdf(y, k * a, sigma) for y, k in zip(pixels, z, strict=True))
            for z in states
        ]
    )
    weight = np.exp(log - log.max())
    over_z = weight.sum(axis=(1, 2))
    data = sample(hidden_potts(pixels, bonds), draws=2000, tune=500)
    assert_mean(draws(data, "a"), np.average(a, weights=weight.sum(axis=0)))
    assert_mean(draws(data, "sigma"), np.average(sigma, weights=weight.sum(axis=0)))
    assert_mean(draws(data, "z"), np.average(states, weights=over_z, axis=0))


def test_a_hidden_field_is_recovered():
    lattice = sm.lattices.square(12, periodic=False)
    x, y = np.divmod(np.arange(144), 12)
    truth = 1 * (x > 3) + 1 * (y > 6)
    pixels = np.random.default_rng(1).normal(0.8 * truth, 0.3)
    model = hidden_potts(pixels, lattice.bonds, coupling=1.2)
    data = sample(model, draws=300, tune=300, initvals={"z": "prior"})
    assert abs(draws(data, "a").mean() - 0.8) < 0.05
    assert abs(draws(data, "sigma").mean() - 0.3) < 0.05
    majority = np.array([np.bincount(z, minlength=3).argmax() for z in draws(data, "z").T])
    assert (majority == truth).mean() > 0.97


def test_angles_given_by_name():
    with sm.Model() as model:
        a = sm.Angle("a", 8)
        sm.Energy("xy", -1.5 * pt.cos(a[1:] - a[:-1]))
        step = sm.LocalGibbs([a])
    a = draws(sample(model, draws=2500, step=step), "a")
    assert_mean(np.cos(np.diff(a, axis=1)), ive(1, 1.5) / ive(0, 1.5))


def test_unit_vectors_given_by_name():
    observed = np.ma.masked_all((8, 3))
    observed[3] = [0.0, 0.6, 0.8]
    with sm.Model() as model:
        u = sm.UnitVector("u", 8, observed=observed)
        sm.Energy("heisenberg", -1.5 * u[1:] * u[:-1])
        step = sm.LocalGibbs([u])
    u = draws(sample(model, draws=2500, step=step), "u")
    np.testing.assert_allclose(np.linalg.norm(u, axis=-1), 1.0)
    assert (u[:, 3] == observed[3]).all()
    assert_mean((u[:, 1:] * u[:, :-1]).sum(axis=-1), 1 / np.tanh(1.5) - 1 / 1.5)


def test_fields_given_by_name():
    with sm.Model() as model:
        phi = sm.Field("phi", 8)
        sm.Energy("mass", 0.5 * phi**2)
        sm.Energy("stiffness", 0.5 * (phi[1:] - phi[:-1]) ** 2)
        step = sm.LocalGibbs([phi])
    phi = draws(sample(model, draws=2500, step=step), "phi")
    precision = np.diag([2.0, *[3.0] * 6, 2.0]) - np.eye(8, k=1) - np.eye(8, k=-1)
    assert_mean(phi**2, np.diag(np.linalg.inv(precision)))


def test_values_of_other_variables_of_ours_are_transformed_back():
    with sm.Model() as model:
        s, a = sm.Spin("s", 1), sm.Angle("a", 1)
        sm.Energy("e", -1.2 * s * pt.cos(a))
        sm.Observable("projection", s * pt.cos(a))
        walk = pm.Metropolis([a], S=np.array([9.0]), tune=False)  # leaves [-pi, pi)
    data = sample(model, draws=4000, step=walk)
    assert_mean(draws(data, "projection"), ive(1, 1.2) / ive(0, 1.2))


def test_widths_are_tuned_and_then_frozen():
    with sm.Model():
        phi = sm.Field("phi", 50)
        sm.Energy("quartic", 1e4 * phi**4)
        step = sm.LocalGibbs([phi])
    step.setup_chain(1, tune=300, draws=100)
    point, first = {"phi": np.zeros(50)}, step.params.copy()
    for _ in range(300):
        point, _ = step.step(point)
    step.stop_tuning()
    tuned, changed = step.params.copy(), []
    for _ in range(100):
        point, (statistics,) = step.step(point)
        changed.append(statistics["changed"])
    assert tuned < 0.2 * first
    assert step.params == tuned
    assert 0.4 < np.mean(changed) / 50 < 0.6


# What survives


def test_data_are_read_anew_by_every_run():
    with sm.Model() as model:
        coupling = pm.Data("coupling", np.full(3, 8.0))
        s = sm.Spin("s", 4)
        sm.Energy("e", -coupling * s[1:] * s[:-1])
        sm.Energy("pinned", -8.0 * s[:1])
        step = sm.LocalGibbs([s])
        pm.set_data({"coupling": [8.0, -8.0, 8.0]})
    few = {"draws": 20, "chains": 1}
    for data in (sample(model, step=step, **few), sample(model, **few)):
        assert (np.median(draws(data, "s"), axis=0) == [1, 1, -1, -1]).all()
    with model:
        pm.set_data({"coupling": [1.0]})
    with pytest.raises(ModelError, match="another shape"):
        sample(model, step=step, **few)


def test_copies_of_a_model_sample_as_it_does():
    model = ising()
    few = {"draws": 50, "chains": 1}
    wanted = draws(sample(model, **few), "s")
    for other in (copy.deepcopy(model), model.copy(), cloudpickle.loads(cloudpickle.dumps(model))):
        assert (draws(sample(other, **few), "s") == wanted).all()


def test_observe_and_do_leave_the_rest_to_it():
    with sm.Model() as model:
        s, t = sm.Spin("s", 4), sm.Spin("t", 4)
        sm.Energy("e", -20.0 * s * t)
    states = np.array([1, -1, -1, 1])
    for other in (pm.observe(model, {"t": states}), pm.do(model, {"t": states})):
        data = sample(other, draws=10, chains=1)
        assert data.sample_stats.changed.values.sum() == 0
        assert (draws(data, "s") == states).all()


def test_a_step_goes_on_where_its_state_was_taken():
    model = ising()
    with model:
        step, other = sm.LocalGibbs([model["s"]], rng=1), sm.LocalGibbs([model["s"]], rng=2)
    point, _ = step.step({"s": ONES})
    state = step.sampling_state
    twin = cloudpickle.loads(cloudpickle.dumps(step))
    wanted, _ = step.step(point)
    assert (other.step(point)[0]["s"] != wanted["s"]).any()
    other.sampling_state = state
    assert (other.step(point)[0]["s"] == wanted["s"]).all()
    assert (twin.step(point)[0]["s"] == wanted["s"]).all()


@pytest.mark.filterwarnings("ignore:The effect of Potentials")
def test_pymc_shows_names_and_draws_the_models():
    with sm.Model(coords={"place": list("abcd")}) as model:
        s = sm.Spin("s", 4, dims="place")
        sm.Potts("z", (2, 3), q=3)
        sm.Energy("e", -0.1 * s)
        prior = pm.sample_prior_predictive(200, random_seed=1)
    assert "s" in pm.model_to_graphviz(model).source
    assert set(np.unique(prior.prior.s)) == {-1, 1}
    assert set(np.unique(prior.prior.z)) == {0, 1, 2}
    data = sample(model, draws=10, chains=1)
    assert list(data.posterior.s.coords["place"].values) == list("abcd")
    assert data.posterior.z.dims == ("chain", "draw", "z_dim_0", "z_dim_1")


# Where it refuses


def random_coupling(prior):
    with sm.Model() as model:
        s = sm.Spin("s", 16)
        sm.Energy("e", -prior("coupling") * s[HERE] * s[THERE])
    return model


@pytest.mark.parametrize(
    ("prior", "step"),
    [
        (pm.Normal, None),
        (pm.Normal, pm.Metropolis),
        (lambda name: pm.Bernoulli(name, 0.5), None),
    ],
    ids=["NUTS", "Metropolis", "discrete"],
)
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_random_couplings_are_refused_by_name(prior, step):
    model = random_coupling(prior)
    with model:
        steps = step and step([model["coupling"]])
    with pytest.raises(IntractableNormalizerError, match="the random variable coupling"):
        sample(model, draws=5, step=steps)


@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_random_couplings_are_refused_in_processes():
    model = random_coupling(pm.Normal)
    with model:
        step = pm.Metropolis([model["coupling"]])
    with pytest.raises(ParallelSamplingError, match="needs log Z") as raised:
        sample(model, draws=5, cores=2, step=step)
    assert isinstance(raised.value.__cause__, IntractableNormalizerError)


def test_variables_that_are_not_free_are_refused():
    with sm.Model():
        sm.Spin("s", 4)
        clamped = sm.Spin("clamped", 4, observed=[1, 1, 1, 1])
        x = pm.Normal("x", 0.0, 1.0)
        with pytest.raises(ModelError, match=r"cannot move x, a continuous variable of PyMC"):
            sm.LocalGibbs([x])
        with pytest.raises(ModelError, match=r"cannot move clamped.*those are: s, x"):
            sm.LocalGibbs([clamped])
    with pm.Model():
        y = pm.Bernoulli("y", 0.5, observed=1)
        with pytest.raises(ModelError, match=r"cannot move y.*it has none.*observed ones stay"):
            sm.LocalGibbs([y])


def test_bounds_that_depend_on_states_are_refused():
    with sm.Model() as model:
        s = sm.Occupation("s", 4)
        pm.Uniform("x", 0.0, 1.0 + s[0])
    with pytest.raises(ModelError, match="bounds of x depend on s"):
        sample(model)


def test_foreign_transforms_are_refused():
    with sm.Model() as model:
        a = sm.Angle("a", 4)
        sm.Energy("e", -pt.cos(a))
    with remove_value_transforms(model) as other:
        data = sample(other, draws=20, chains=1, step=sm.LocalGibbs([other["a"]]))
    assert np.abs(draws(data, "a")).max() <= np.pi
    with change_value_transforms(model, {"a": Interval(-4, 4)}) as other:
        with pytest.raises(ModelError, match="transform of a is Interval"):
            sm.LocalGibbs([other["a"]])


def test_an_improper_field_is_refused():
    with sm.Model() as model:
        phi = sm.Field("phi", 4)
        sm.Energy("e", -0.5 * phi**2)
        step = sm.LocalGibbs([phi])
    with pytest.raises(ImproperDistributionError, match="phi"):
        sample(model, draws=5, step=step)

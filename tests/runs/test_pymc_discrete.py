"""Plain discrete variables of PyMC under `LocalGibbs`: factors, draws, ranges and refusals."""

import itertools
import logging
import re
from dataclasses import replace

import cloudpickle
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy.stats import beta, gamma, norm, poisson

import statmech_dsl as sm
from statmech_dsl.errors import IntractableNormalizerError, ModelError, NonLocalEnergyError
from statmech_dsl.ir.marks import mark_of, marked
from statmech_dsl.lower.recovery import recover
from statmech_dsl.runs.pymc_discrete import RangeOf
from statmech_dsl.runs.pymc_points import PointFunction
from tests.lower.recovered_energy import energy

Y = np.array([0.3, -1.0, 2.0, 0.5, 1.2])
THIRDS = np.ones(3) / 3
SLOW = Mode("py", "fast_compile")
logging.getLogger("pymc").setLevel(logging.ERROR)


def draws(step, point, n, warm=20):
    """Values of the moved variables in ``n`` steps, as arrays [step, ...] by name."""
    found = []
    for k in range(n + warm):
        point, _ = step.step(point)
        if k >= warm:
            found.append([point[v.name] for v in step.vars])
    return {v.name: np.array(x) for v, x in zip(step.vars, zip(*found, strict=True), strict=True)}


def assert_mean(series, exact, sigmas=4.0):
    """The mean along the first axis is right within errors from batch means."""
    batches = np.stack([b.mean(axis=0) for b in np.array_split(series, 25)])
    error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
    assert (np.abs(batches.mean(axis=0) - exact) < sigmas * error + 3 / len(series)).all()


# Factors


def coin():
    z = pm.Bernoulli("z", pm.Beta("p", 1, 1), shape=5)
    pm.Normal("y", 2.0 * z, 1, observed=Y)
    return [z]


def mixture():
    w, mu = pm.Dirichlet("w", np.ones(3)), pm.Normal("mu", 0, 1, shape=3)
    z = pm.Categorical("z", w, shape=5)
    pm.Normal("y", mu[z], pm.HalfNormal("s", 1, shape=3)[z], observed=Y)
    return [z]


def mixture_by_logits():
    z = pm.Categorical("z", logit_p=pm.Normal("a", 0, 1, shape=(5, 3)))
    pm.StudentT("y", nu=4, mu=1.0 * z, sigma=1, observed=Y)
    return [z]


def named_dimension():
    model = pm.modelcontext(None)
    model.add_coords({"pixel": range(5), "kind": list("abc")})
    z = pm.Categorical("z", pm.Dirichlet("w", np.ones(3), dims="kind"), dims="pixel")
    pm.Normal("y", pm.Normal("mu", 0, 1, dims="kind")[z], 1, observed=Y, dims="pixel")
    return [z]


def chain_of_one_variable():
    z, P = pm.Categorical("z", THIRDS, shape=5), pm.Dirichlet("P", np.ones((3, 3)))
    pm.Potential("transitions", pt.log(P)[z[:-1], z[1:]])
    pm.Normal("y", z, 1, observed=Y)
    return [z]


def chain_of_scalars():
    P, z = pm.Dirichlet("P", np.ones((3, 3))), [pm.Categorical("z0", THIRDS)]
    for t in range(1, 5):
        z.append(pm.Categorical(f"z{t}", P[z[-1]]))
    pm.Normal("y", pt.stack(z), 1, observed=Y)
    return z


def regression():
    z, w = pm.Bernoulli("z", 0.3, shape=(4, 6)), pm.Normal("w", 0, 1, shape=6)
    pm.Bernoulli("y", logit_p=z @ w, observed=[1, 0, 1, 1])
    return [z]


def selection_of_many():
    z, w = pm.Bernoulli("z", 0.3, shape=20), pm.Normal("w", 0, 1, shape=(20, 3))
    pm.Bernoulli("y", logit_p=z @ w, observed=[1, 0, 1])
    return [z]


def change_point():
    early, late = pm.Exponential("early", 1), pm.Exponential("late", 1)
    tau = pm.DiscreteUniform("tau", 0, 9)
    rate = pm.math.switch(tau > np.arange(10), early, late)
    pm.Poisson("y", rate, observed=np.arange(10))
    return [tau]


def counts():
    n = pm.Truncated("n", pm.Poisson.dist(pm.Gamma("rate", 2, 1)), upper=6, shape=4)
    pm.Poisson("y", n + 0.5, observed=[1, 2, 3, 4])
    return [n]


def counts_with_spread():
    dist = pm.NegativeBinomial.dist(mu=pm.Gamma("mu", 2, 1), alpha=pm.Gamma("a", 2, 1))
    n = pm.Truncated("n", dist, lower=1, upper=5, shape=5)
    pm.Normal("y", n, 1, observed=Y)
    return [n]


def trials():
    n = pm.Binomial("n", pm.Data("N", [3, 4]), pm.Beta("p", 1, 1), shape=2)
    pm.Binomial("y", 6, (n + 1) / 6, observed=[1, 2])
    return [n]


def counted_in_part():
    n = pm.Truncated("n", pm.Poisson.dist(pm.Gamma("rate", 4, 1)), upper=8, shape=3)
    pm.Binomial("y", n, pm.Beta("p", 2, 2), observed=[0, 2, 4])
    return [n]


def rates_that_vanish():
    z, a = pm.Bernoulli("z", 0.5, shape=4), pm.Gamma("a", 2, 1)
    n = pm.DiscreteUniform("n", 0, 3, shape=4)
    pm.Poisson("y", a * z * n, observed=[0, 1, 0, 2])
    return [z, n]


def classes_that_exclude():
    z = pm.Categorical("z", [[0.5, 0.5, 0.0], [0.0, 0.3, 0.7], [0.2, 0.3, 0.5]], shape=3)
    pm.Normal("y", z, 1, observed=Y[:3])
    return [z]


def forbidden_transitions():
    z = pm.Categorical("z", THIRDS, shape=3)
    pm.Potential(
        "allowed", pt.log([[0.5, 0.5, 0.0], [0.0, 0.4, 0.6], [1.0, 0.0, 0.0]])[z[:-1], z[1:]]
    )
    return [z]


def trials_with_spread():
    n = pm.BetaBinomial("n", 2.0, pm.Gamma("b", 2, 1), n=4, shape=5)
    pm.Normal("y", n, 1, observed=Y)
    return [n]


def urn():
    n = pm.HyperGeometric("n", N=10, k=7, n=5, shape=5)
    pm.Normal("y", n, 1, observed=Y)
    return [n]


def grades():
    n = pm.OrderedLogistic(
        "n", eta=pm.Normal("eta", 0, 1), cutpoints=[-1, 0, 2], shape=5, compute_p=False
    )
    pm.Normal("y", n, 1, observed=Y)
    return [n]


def two_kinds():
    z = pm.Bernoulli("z", 0.4, shape=5)
    n = pm.Binomial("n", 3, 0.2 + 0.5 * z, shape=5)
    pm.NegativeBinomial("y", mu=0.1 + n, alpha=pm.Gamma("a", 1, 1), observed=[0, 1, 2, 0, 3])
    return [z, n]


def dispersion():
    z = pm.Bernoulli("z", 0.4, shape=5)
    pm.Gamma("y", alpha=pm.Gamma("a", 1, 1) + z, beta=1, observed=abs(Y))
    return [z]


def partly_observed():
    data = np.ma.masked_array([1, 0, 1, 0, 0], [0, 1, 1, 0, 0])
    with pytest.warns(pm.exceptions.ImputationWarning):
        z = pm.Bernoulli("z", pm.Beta("p", 1, 1), observed=data)
    pm.Normal("y", z[1:] * z[:-1], 1, observed=Y[1:])
    return [pm.modelcontext(None)["z_unobserved"]]


MODELS = [
    coin,
    mixture,
    mixture_by_logits,
    named_dimension,
    chain_of_one_variable,
    chain_of_scalars,
    regression,
    selection_of_many,
    change_point,
    counts,
    counts_with_spread,
    trials,
    counted_in_part,
    rates_that_vanish,
    classes_that_exclude,
    forbidden_transitions,
    trials_with_spread,
    urn,
    grades,
    two_kinds,
    dispersion,
    partly_observed,
]


@pytest.mark.parametrize("declare", MODELS, ids=lambda f: f.__name__)
def test_factors_are_those_of_the_joint_density_at_any_parameters(declare):
    with pm.Model() as model:
        variables = declare()
    marks = {z: RangeOf(z).mark() for z in variables}
    with marked(marks):
        recovered = recover(model)
    follow = PointFunction(model, recovered.parameters, {"mode": SLOW})
    log_density = model.compile_logp(mode=SLOW)
    rng, start = np.random.default_rng(1), model.initial_point()
    for _ in range(3):
        point = {
            k: x + rng.normal(0, 0.5, np.shape(x)) if x.dtype.kind == "f" else x.astype(int)
            for k, x in start.items()
        }
        here = replace(recovered, tables=recovered.tables | follow(point))
        differences = []
        for _ in range(30):
            states = {m.name: rng.choice(m.domain.values, m.shape) for m in marks.values()}
            point |= {k: x.astype(int) for k, x in states.items()}
            with np.errstate(all="ignore"):
                log_p, e = log_density({k: point[k] for k in start}), energy(here, states)
            if np.isfinite(log_p):
                differences.append(log_p + e)
            else:
                assert e == np.inf
        assert len(differences) > 1
        assert np.ptp(differences) < 1e-10


# Draws


def test_a_chain_of_classes_agrees_with_enumeration():
    P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]])
    with pm.Model() as model:
        z = pm.Categorical("z", THIRDS, shape=5)
        pm.Potential("transitions", pt.log(P)[z[:-1], z[1:]])
        pm.Normal("y", 0.7 * z, 1, observed=Y)
        step = sm.LocalGibbs([z], rng=1)
    states = np.array(list(itertools.product(range(3), repeat=5)))
    weight = P[states[:, :-1], states[:, 1:]].prod(axis=1) * norm.pdf(Y, 0.7 * states).prod(axis=1)
    z = draws(step, model.initial_point(), 8000)["z"]
    for k in range(3):
        assert_mean(z == k, np.average(states == k, axis=0, weights=weight))
    assert_mean(z[:, 0] == z[:, 4], np.average(states[:, 0] == states[:, 4], weights=weight))


def test_ranges_may_differ_between_elements():
    low, high = np.array([0, 1, 2]), np.array([3, 4, 9])
    with pm.Model() as model:
        n = pm.DiscreteUniform("n", low, high, shape=3)
        pm.Normal("y", n, 2, observed=Y[:3])
        step = sm.LocalGibbs([n], rng=1)
    n = draws(step, model.initial_point(), 4000)["n"]
    assert (n.min(axis=0) >= low).all()
    assert (n.max(axis=0) <= high).all()
    x = np.arange(10)[:, None]
    weight = norm.pdf(Y[:3], x, 2) * ((x >= low) & (x <= high))
    assert_mean(n, (x * weight).sum(axis=0) / weight.sum(axis=0))


def test_wide_ranges_are_moved_by_metropolis():
    with pm.Model() as model:
        n = pm.DiscreteUniform("n", -50, 150, shape=20)
        pm.Normal("y", n, 40, observed=np.linspace(0, 100, 20))
        step = sm.LocalGibbs([n], rng=1)
    n = draws(step, model.initial_point(), 4000)["n"]
    x = np.arange(-50, 151)[:, None]
    weight = norm.pdf(np.linspace(0, 100, 20), x, 40)
    assert_mean(n, (x * weight).sum(axis=0) / weight.sum(axis=0))


def test_parameters_moved_by_nuts_are_followed():
    """p, the rate and all states of z_i n_i + noise, against sums over states on a grid."""
    y = np.array([0.2, 2.9, 1.1, -0.3, 2.2, 3.8])
    with pm.Model():
        p, rate = pm.Beta("p", 2, 2), pm.Gamma("rate", 3, 1)
        z = pm.Bernoulli("z", p, shape=6)
        n = pm.Truncated("n", pm.Poisson.dist(rate), upper=5, shape=6)
        pm.Normal("y", z * n, 0.7, observed=y)
        step = sm.LocalGibbs()
        data = pm.sample(
            3000,
            tune=500,
            chains=1,
            step=[step],
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
        ).posterior
    assert sorted(v.name for v in step.vars) == ["n", "z"]
    ps, rates = np.linspace(0.005, 0.995, 100), np.linspace(0.05, 15, 300)
    a, b, k = np.ix_(ps, rates, np.arange(6))
    prior = beta.pdf(a, 2, 2) * gamma.pdf(b, 3)
    count = poisson.pmf(k, b) / poisson.cdf(5, b)
    off, on = (
        (1 - a) * norm.pdf(y[:, None, None, None], 0, 0.7),
        a * norm.pdf(y[:, None, None, None], k, 0.7),
    )
    site = (count * (off + on)).sum(axis=-1)
    weight = prior[..., 0] * site.prod(axis=0)
    assert_mean(data.p.values[0], np.average(ps, weights=weight.sum(axis=1)))
    assert_mean(data.rate.values[0], np.average(rates, weights=weight.sum(axis=0)))
    is_on = (count * on).sum(axis=-1) / site
    mean = (count * (off + on) * k).sum(axis=-1) / site
    assert_mean(data.z.values[0], (weight * is_on).sum(axis=(1, 2)) / weight.sum())
    assert_mean(data.n.values[0], (weight * mean).sum(axis=(1, 2)) / weight.sum())


def test_scalars_that_depend_on_each_other():
    with pm.Model() as model:
        zs = chain_of_scalars()
        step = sm.LocalGibbs(zs, rng=1)
    point = model.initial_point()
    P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]])
    logs = np.log(P).reshape(1, 3, 3)[0]
    point["P_simplex__"] = logs[:, :-1] - logs.mean(axis=1, keepdims=True)
    P = model.replace_rvs_by_values([model["P"]])[0].eval(
        {model.rvs_to_values[model["P"]]: point["P_simplex__"]}
    )
    states = np.array(list(itertools.product(range(3), repeat=5)))
    weight = P[states[:, :-1], states[:, 1:]].prod(axis=1) * norm.pdf(Y, states).prod(axis=1)
    found = draws(step, point, 6000)
    for t in range(5):
        assert found[f"z{t}"].shape == (6000,)
        assert_mean(found[f"z{t}"], np.average(states[:, t], weights=weight))


def test_the_joined_variable_names_its_missing_part():
    with pm.Model() as model:
        partly_observed()
        step = sm.LocalGibbs([model["z"]], rng=1)
    assert [v.name for v in step.vars] == ["z_unobserved"]
    z = draws(step, model.initial_point() | {"p_logodds__": np.array(0.0)}, 4000)["z_unobserved"]
    # z = 1 a b 0 0: the terms that a site is in are pairs with its neighbors.
    weight = {
        (a, b): norm.pdf(Y[1], a) * norm.pdf(Y[2], a * b)
        for a, b in itertools.product([0, 1], repeat=2)
    }
    exact = np.average(list(weight), axis=0, weights=list(weight.values()))
    assert_mean(z, exact)


# What it leaves behind, and data that change


def test_the_model_is_left_as_it_was():
    with pm.Model() as model:
        z = pm.Bernoulli("z", 0.5, shape=3)
        pm.Normal("y", z, 1, observed=Y[:3])
        sm.LocalGibbs([z])
        assert mark_of(z) is None
        pm.Potential("ranks", pt.sort(z)[0])
        with pytest.raises(NonLocalEnergyError):
            sm.LocalGibbs([z])
        assert mark_of(z) is None
    assert type(pm.sampling.mcmc.instantiate_steppers(model, [], *_assigned(model))) is (
        pm.BinaryGibbsMetropolis
    )


def _assigned(model):
    _, selected = pm.sampling.mcmc.assign_step_methods(model)
    return (selected,)


def test_ranges_in_data():
    with pm.Model() as model:
        N = pm.Data("N", [3, 5])
        n = pm.Binomial("n", N, 0.5, shape=2)
        pm.Normal("y", n, 1, observed=Y[:2])
        step = sm.LocalGibbs([n], rng=1)
        twin = cloudpickle.loads(cloudpickle.dumps(step))
        start = model.initial_point()
        assert (twin.step(start)[0]["n"] == step.step(start)[0]["n"]).all()
        pm.set_data({"N": [3, 6]})
        with pytest.raises(ModelError, match=r"other bounds.*make the step anew"):
            step.setup_chain(1, 0, 10)


def test_data_in_a_normalizer_that_has_the_shape_of_the_variable():
    with pm.Model() as model:
        mu = pm.Data("mu", [1.0, 2.0])
        n = pm.Truncated("n", pm.Poisson.dist(mu), upper=40, shape=2)
        step = sm.LocalGibbs([n], rng=1)
        pm.set_data({"mu": [4.0, 2.0]})
        step.setup_chain(1, 0, 10)
    assert_mean(draws(step, model.initial_point(), 2000, warm=0)["n"], [4.0, 2.0])


def test_impossible_values_in_data():
    with pm.Model():
        P = pm.Data("P", [[0.5, 0.5], [0.5, 0.5]])
        z = pm.Categorical("z", P, shape=2)
        step = sm.LocalGibbs([z])
        pm.set_data({"P": [[0.3, 0.7], [0.6, 0.4]]})
        step.setup_chain(1, 0, 10)
        pm.set_data({"P": [[0.0, 1.0], [0.6, 0.4]]})
        with pytest.raises(ModelError, match="make other values impossible"):
            step.setup_chain(1, 0, 10)


# Where it refuses


def test_a_model_without_discrete_variables_is_refused():
    with pm.Model():
        pm.Normal("x")
        with pytest.raises(ModelError, match="nothing to move"):
            sm.LocalGibbs()


def unbounded():
    return pm.Poisson("n", 2.0, shape=3)


def unbounded_from_one():
    return pm.Geometric("n", 0.5, shape=3)


def cut_off_on_the_left():
    return pm.Truncated("n", pm.Poisson.dist(2.0), lower=2)


def continuous_for_pymc():
    return pm.Truncated("n", pm.Geometric.dist(0.5), upper=5)


def random_range():
    return pm.Binomial("n", pm.DiscreteUniform("k", 1, 3), 0.5)


def of_several_at_once():
    return pm.Multinomial("n", 5, THIRDS)


def inflated():
    return pm.ZeroInflatedBinomial("n", 0.5, 4, 0.3, shape=3)


def single():
    return pm.DiscreteUniform("n", 2, 2)


def huge():
    return pm.DiscreteUniform("n", 0, 100_000)


def ranks():
    n = pm.Bernoulli("n", 0.5, shape=9)
    pm.Normal("y", pt.cumsum(n) ** 2, 1, observed=np.ones(9))
    return n


def random_matrix():
    n = pm.Bernoulli("n", 0.5, shape=(3, 3))
    pm.MvNormal("y", np.zeros(3), n + 5 * np.eye(3), observed=np.ones(3))
    return n


def random_index():
    n = pm.Categorical("n", THIRDS, shape=5)
    pm.Normal("y", pm.Normal("mu", 0, 1, shape=(3, 2))[n, pm.Bernoulli("b", 0.5)], 1, observed=Y)
    return n


def normalizer_of_a_cut_off():
    z = pm.Bernoulli("z", 0.5, shape=3)
    pm.Truncated("n", pm.Poisson.dist(1.0 + z), upper=5, shape=3)
    return z


def bounds_that_move():
    z = pm.Bernoulli("z", 0.5)
    pm.Uniform("x", 0, 1 + z)
    return z


REFUSED = {
    bounds_that_move: "the bounds of x depend on z",
    unbounded: r"n has no largest value: it is distributed as Poisson.*pm\.Truncated\('n', pm\.Poisson",
    unbounded_from_one: r"n has no largest value.*pm\.DiscreteUniform.*pm\.logp",
    cut_off_on_the_left: r"n has no largest value.*give it upper=",
    continuous_for_pymc: r"n, a continuous variable of PyMC.*pm\.Truncated",
    random_range: r"the range of n depends on other random variables.*pm\.Potential",
    of_several_at_once: "does not know the range of n, which is distributed as Multinomial",
    inflated: "does not know the range of n, which is distributed as",
    single: "n has no value but 2",
    huge: "n has values from 0 to 100000",
    ranks: "(?i)cumsum.*log-density of 'y'",
    random_matrix: "log-density of 'y'",
    random_index: "index.*random variable.*log-density of 'y'",
    normalizer_of_a_cut_off: "gammaincc has no counterpart in kernels",
}


@pytest.mark.parametrize("declare", REFUSED, ids=lambda f: f.__name__)
def test_refused(declare):
    with pm.Model(), pytest.raises((ModelError, NonLocalEnergyError, ValueError)) as error:
        sm.LocalGibbs([declare()])
    assert re.search(REFUSED[declare], str(error.value))


def test_energies_that_depend_on_plain_variables_are_refused():
    with sm.Model():
        s, b = sm.Spin("s", 4), pm.Bernoulli("b", 0.5)
        sm.Energy("e", b * s[1:] * s[:-1])
        with pytest.raises(
            IntractableNormalizerError, match=r"none of statmech_dsl.*pm\.Potential"
        ):
            sm.LocalGibbs([s, b])

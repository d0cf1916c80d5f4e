"""One-site conditionals: against sums and integrals over one site of the whole energy."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime

import statmech_dsl as sm
from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.problem.posed import pose
from statmech_dsl.inference.problem.smooth import graph_of
from statmech_dsl.inference.pseudolikelihood.conditionals import conditionals
from statmech_dsl.solvers.evaluate import energies

SQUARE = sm.lattices.square(3)
FROM, TO = SQUARE.bonds


def rng():
    return np.random.default_rng(1)


def spins(J_, h):
    s = sm.Spin("s", SQUARE)
    sm.Energy("exchange", -J_ * s[FROM] * s[TO] - 0.2 * s[FROM] * s[TO])
    sm.Energy("zeeman", -h * s)
    return rng().choice([-1, 1], (4, 9))


def many_couplings(J_, h):
    s = sm.Spin("s", SQUARE)
    w = pm.Normal("w", 0, 1, shape=len(FROM))
    sm.Energy("exchange", -(J_ + 0.1 * w) * s[FROM] * s[TO])
    sm.Energy("three", -h * s[FROM] * s[TO] * s[(FROM + 5) % 9])
    return rng().choice([-1, 1], (4, 9))


def dense(J_, h):
    s = sm.Spin("s", 6)
    w = pm.Normal("w", 0, 1, shape=15)
    a, b = np.triu_indices(6, 1)
    sm.Energy("exchange", -J_ * s[0] * s[1])
    sm.Energy("all", -w * s[a] * s[b])
    return rng().choice([-1, 1], (4, 6))


def colors(J_, h):
    s = sm.Potts("s", SQUARE, q=3)
    sm.Energy("exchange", -J_ * pm.math.eq(s[FROM], s[TO]))
    sm.Energy("field", -h * pm.math.eq(s, 1))
    return rng().choice(3, (4, 9))


def angles(J_, h):
    x = sm.Angle("s", SQUARE)
    sm.Energy("exchange", -J_ * pm.math.cos(x[FROM] - x[TO]))
    sm.Energy("field", -h * pm.math.cos(x - 0.3))
    return rng().uniform(-np.pi, np.pi, (2, 9))


def nematic(J_, h):
    x = sm.Angle("s", SQUARE)
    sm.Energy("exchange", -J_ * pm.math.cos(x[FROM] - x[TO]))
    sm.Energy("field", -h * pm.math.cos(2 * x))
    return rng().uniform(-np.pi, np.pi, (2, 9))


def gaussian_fields(J_, h):
    x = sm.Field("s", SQUARE)
    sm.Energy("stiffness", pm.math.abs(J_) * (x[FROM] - x[TO]) ** 2)
    sm.Energy("mass", 0.5 * x**2 - h * x)
    return rng().normal(size=(1, 9))


def quartic_fields(J_, h):
    x = sm.Field("s", SQUARE)
    sm.Energy("stiffness", 0.3 * (x[FROM] - x[TO]) ** 2)
    sm.Energy("site", h * x**4 - J_ * x**2)
    return rng().normal(size=(1, 9))


CASES = [spins, many_couplings, dense, colors, angles, nematic, gaussian_fields, quartic_fields]


def posed(build):
    with sm.Model() as model:
        data = build(pm.Normal("J", 0.4, 1), pm.Normal("h", 0.3, 1))
    return pose(model, {"s": data})


def made(p):
    r = p.recovered
    found = conditionals(r.ir, r.tables, p.states(), p.couplings)
    return found, found.vector(r.tables) + 0.1 * rng().uniform(size=sum(found.sizes))


def direct(p, tables):
    """Log pseudolikelihood of each state from energies of whole states."""
    ir, states = p.recovered.ir, p.states()
    (v,) = ir.variables
    total = np.zeros(p.n_states)
    for n, site in np.ndindex(p.n_states, v.n_sites):

        def weight(value, n=n, site=site):
            x = states["s"][:, [n]].repeat(np.size(value) + 1, 1)
            x[site, 1:] = value
            E = energies(ir, p.recovered.tables | tables, {"s": x})[0]
            return np.exp(E[0] - E[1:])

        if v.domain.values is not None:
            Z = weight(np.array(v.domain.values)).sum()
        else:
            end = np.pi if v.domain.label == "Angle" else 6.0
            Z = quad(lambda u: weight(u)[0], -end, end, epsabs=1e-7)[0]
        total[n] -= np.log(Z)
    return total


@pytest.mark.parametrize("build", CASES)
def test_conditionals_are_those_of_the_energy(build):
    p = posed(build)
    found, c = made(p)
    each = direct(p, found.tables(c))
    np.testing.assert_allclose(found.each(c), each, rtol=1e-9)
    assert found(c)[0] == pytest.approx(-each.sum(), rel=1e-9)


@pytest.mark.parametrize("build", CASES)
def test_gradient_is_that_of_the_value(build):
    found, c = made(posed(build))
    slope = approx_fprime(c, lambda x: found(x)[0], 1e-6)
    np.testing.assert_allclose(found(c)[1], slope, atol=2e-4)


def test_unit_vectors_take_their_closed_form():
    x = rng().normal(size=(4, 9, 3))
    with sm.Model() as model:
        J_ = pm.Normal("J", 0.4, 1)
        s = sm.UnitVector("s", SQUARE, n=3)
        sm.Energy("exchange", -J_ * (s[FROM] * s[TO]).sum(axis=-1))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    found, c = made(pose(model, {"s": x}))
    h = np.zeros_like(x)
    for a, b in ((FROM, TO), (TO, FROM)):
        np.add.at(h, (slice(None), a), -c[0] * x[:, b])  # c is the coefficient, -J
    size = np.linalg.norm(h, axis=-1)
    each = ((x * h).sum(-1) - np.log(4 * np.pi * np.sinh(size) / size)).sum(-1)
    np.testing.assert_allclose(found.each(c), each, rtol=1e-10)


def test_equal_rows_are_evaluated_once():
    found, _ = made(posed(spins))
    assert found.parts[0].seen.size <= 10


def test_value_and_gradient_are_a_graph():
    found, c = made(posed(spins))
    x = pt.dvector()
    y = graph_of(found, x)
    value, gradient = pytensor.function([x], [y, pt.grad(y, x)])(c)
    assert value == pytest.approx(found(c)[0])
    np.testing.assert_allclose(gradient, found(c)[1])


def test_clamped_sites_are_a_condition():
    with sm.Model() as model:
        h = pm.Normal("h", 0, 1)
        s = sm.Spin("s", 3, observed=np.ma.array([1, 1, 1], mask=[1, 1, 0]))
        sm.Energy("zeeman", -h * s)
    found, _ = made(pose(model, {"s": np.array([1, -1, 1])}))
    assert found.each(np.array([0.5]))[0] == pytest.approx(-2 * np.log(2 * np.cosh(0.5)))


def mean_field(J_, h):
    s = sm.Spin("s", 9)
    sm.Energy("all", -J_ * s.sum() ** 2 / 9)
    sm.Energy("field", -h * s)
    return rng().choice([-1, 1], (4, 9))


def not_separable(J_, h):
    x = sm.Field("s", 9)
    sm.Energy("pair", J_ * pm.math.exp(-x[FROM] * x[TO]))
    sm.Energy("field", h * x)
    return rng().normal(size=(1, 9))


@pytest.mark.parametrize(
    ("build", "words"), [(mean_field, "a function of a sum"), (not_separable, "sums of products")]
)
def test_what_has_no_conditionals_is_named(build, words):
    with pytest.raises(InfeasibleError, match=words):
        made(posed(build))

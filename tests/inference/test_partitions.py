"""Log Z as a function of couplings, and its gradient: exact ways, Bethe, and from draws."""

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import approx_fprime
from scipy.special import gammaln, logsumexp

import statmech_dsl as sm
from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.log_partition.linear_factors import linear_factors
from statmech_dsl.inference.log_partition.log_z_surface import Polynomial, Reweighted, surface
from statmech_dsl.inference.log_partition.quadratic_partition import quadratic_partition
from statmech_dsl.inference.log_partition.region import WIDTH, region
from statmech_dsl.inference.methods.bethe import Propagation
from statmech_dsl.inference.methods.exact import _eliminated, _summed, choose
from statmech_dsl.inference.problem.directions import directions
from statmech_dsl.inference.problem.posed import pose

SQUARE = sm.lattices.square(3)
FROM, TO = SQUARE.bonds


def two():
    return pm.Normal("J", 0.3, 1), pm.Normal("h", 0.1, 1)


def square():
    with sm.Model() as model:
        J, h = two()
        s = sm.Spin("s", SQUARE)
        sm.Energy("exchange", -J * s[FROM] * s[TO] + 0.1 * s[FROM] * s[TO])
        sm.Energy("zeeman", -h * s)
    return pose(model, {"s": np.ones(9)})


def colored_chain(observed=None):
    with sm.Model() as model:
        J, h = pm.Normal("J", 0.3, 1, shape=5), pm.Normal("h", 0.1, 1)
        s = sm.Potts("s", 6, q=3, observed=observed)
        sm.Energy("exchange", -J * pm.math.eq(s[:-1], s[1:]))
        sm.Energy("field", -h * pm.math.eq(s, 1))
    return pose(model, {"s": np.array([0, 1, 1, 0, 1, 2])})


def clamped_chain():
    mask = np.array([False, True, True, True, True, False])
    return colored_chain(np.ma.masked_array([0, 1, 1, 0, 1, 2], mask))


def mean_field(n):
    with sm.Model() as model:
        J, h = two()
        s = sm.Spin("s", n)
        sm.Energy("all", -J * s.sum() ** 2 / n)
        sm.Energy("zeeman", -h * s)
    return pose(model, {"s": np.ones(n)})


def fields(lattice, mass):
    i, j = lattice.bonds
    with sm.Model() as model:
        J, h = two()
        x = sm.Field("s", lattice)
        sm.Energy("stiffness", J * (x[i] - x[j]) ** 2)
        sm.Energy("site", mass * x**2 - h * x)
    return pose(model, {"s": np.zeros(lattice.n_sites)})


def couplings(posed, seed=1):
    n = sum(len(posed.recovered.tables[name]) for name in posed.couplings)
    return np.random.default_rng(seed).normal(0, 0.5, n)


def check_gradient(f, c):
    slope = approx_fprime(c, lambda x: f(x)[0], 1e-6)
    np.testing.assert_allclose(f(c)[1], slope, atol=1e-4)


@pytest.mark.parametrize(
    ("build", "way"),
    [
        (square, _eliminated),
        (colored_chain, _eliminated),
        (clamped_chain, _eliminated),
    ],
)
def test_ways_agree_with_the_sum_over_all_states(build, way):
    posed = build()
    c = couplings(posed)
    whole, part = _summed(posed)(c), way(posed)[1]()(c)
    assert part[0] == pytest.approx(whole[0], rel=1e-12)
    np.testing.assert_allclose(part[1], whole[1], atol=1e-12)
    check_gradient(_summed(posed), c)


def test_counting():
    n, c = 100, np.array([-0.4, -0.1])
    how, prepare = choose(mean_field(n))
    assert how.startswith("counting")
    m = np.arange(-n, n + 1, 2)
    log_number = gammaln(n + 1) - gammaln((n + m) / 2 + 1) - gammaln((n - m) / 2 + 1)
    assert prepare()(c)[0] == pytest.approx(logsumexp(log_number - c[0] * m**2 / n - c[1] * m))
    slope = approx_fprime(c, lambda x: prepare()(x)[0], 1e-7)
    np.testing.assert_allclose(prepare()(c)[1], slope, rtol=1e-4)


@pytest.mark.parametrize("commute", [True, False])
def test_quadratic_fields(commute):
    mass = 0.5 if commute else np.linspace(0.5, 1.0, 9)
    posed = fields(SQUARE, mass)
    found = quadratic_partition(posed)
    assert (found.curvatures is not None) == commute
    c = np.array([0.4, -0.7])
    check_gradient(found, c)
    with pm.do(posed.model, {"J": 0.4, "h": 0.7}) as fixed:
        assert found(c)[0] == pytest.approx(float(sm.exact(fixed).log_partition), rel=1e-10)
    assert found(np.array([-5.0, 0.0]))[0] == np.inf


def test_which_way_is_chosen():
    assert choose(square())[0].startswith("enumeration")
    assert choose(fields(SQUARE, 0.5))[0].startswith("gaussian")
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        s = sm.Spin("s", 100)
        sm.Energy("exchange", -J * s[:-1] * s[1:])
    assert choose(pose(model, {"s": np.ones(100)}))[0].startswith("elimination")
    lattice = sm.lattices.square(16)
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[lattice.bonds[0]] * s[lattice.bonds[1]])
    with pytest.raises(InfeasibleError, match=r"would visit 2\^256 states.*elimination"):
        choose(pose(model, {"s": np.ones(256)}))


def test_bethe_is_exact_on_trees():
    posed = colored_chain()
    c = couplings(posed)
    bethe, whole = Propagation(linear_factors(posed)), _summed(posed)(c)
    for _ in range(2):  # from all starting points, then from the messages nearby
        value, slope = bethe(c)
        assert value == pytest.approx(whole[0], rel=1e-8)
        np.testing.assert_allclose(slope, whole[1], atol=1e-7)
    assert bethe.failed == 0


def test_bethe_has_the_gradient_of_its_own_value():
    posed = square()
    bethe = Propagation(linear_factors(posed))
    c = np.array([-0.2, -0.1])
    check_gradient(bethe, c)
    assert abs(bethe(c)[0] - _summed(posed)(c)[0]) > 1e-3


def draws_of_normals(nodes, rng):
    """S of x ~ exp(-z . S(x) - x^2/2), S = x: log Z = z^2 / 2."""
    return rng.normal(size=(len(nodes), 8, 100, nodes.shape[1])) - nodes[:, None, None, :]


@pytest.mark.parametrize("kind", [Polynomial, Reweighted])
def test_log_z_from_draws(kind):
    at = region(np.array([0.5, 0.0]), np.diag([0.9, 0.5]), np.eye(2))
    nodes = np.array([[x, y] for x in (-3, -1.5, 0, 1.5, 3) for y in (-3, -1.5, 0, 1.5, 3)])
    raw = draws_of_normals(at.to_z(nodes), np.random.default_rng(1)) @ at.axes
    # A polynomial is taken only where the misfit of all states together is small.
    found = surface(at, nodes, raw, 1 if kind is Polynomial else 10**9)
    assert isinstance(found.inner, kind)
    for z in ([0.5, 0.0], [1.5, 0.4], [0.0, -1.0]):
        z = np.array(z)
        value = found(z)[0] - found(at.center)[0]
        assert value == pytest.approx((z @ z - at.center @ at.center) / 2, abs=6 * found.error)
    for u in ([0.3, 0.2], [1.2 * WIDTH, -0.5], [0.0, 5 * WIDTH]):  # the last two lie outside
        check_gradient(found, at.to_z(np.array(u)))


def test_log_z_goes_on_without_a_step():
    at = region(np.array([0.5]), np.eye(1), np.eye(1))
    nodes = np.linspace(-3, 3, 5)[:, None]
    raw = draws_of_normals(at.to_z(nodes), np.random.default_rng(1)) @ at.axes
    found = surface(at, nodes, raw, 1)
    inside, outside = (found(at.to_z(np.array([WIDTH + d])))[0] for d in (-1e-9, 1e-9))
    assert inside == pytest.approx(outside, abs=1e-6)


def test_a_pattern_of_couplings_is_one_direction():
    w = np.random.default_rng(1).normal(size=len(FROM))
    with sm.Model() as model:
        J = pm.HalfNormal("J", 1)
        s = sm.Spin("s", SQUARE)
        sm.Energy("exchange", -J * w * s[FROM] * s[TO])
    found = directions(pose(model, {"s": np.ones(9)}), 3)
    assert found is not None
    assert found.n == 1
    assert directions(colored_chain(), 3) is None

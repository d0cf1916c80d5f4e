"""Mean field and Bethe against exact results, bounds and self-consistency equations."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.optimize import brentq

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, InfeasibleError, NotConvergedWarning
from statmech_dsl.solvers.approximations import groups
from tests.solvers.systems import curie_weiss, ising, mixed, potts


def random_tree(seed):
    """Spins and colors on a tree, factors of two and three sites."""
    rng = np.random.default_rng(seed)
    n = 12
    parent = [int(rng.integers(k)) for k in range(1, n)]
    J, h = rng.normal(size=(n - 1, 3)), rng.normal(size=(n, 3))
    with sm.Model() as model:
        p = sm.Potts("p", n, q=3)
        s = sm.Spin("s", n)
        t = sm.Spin("t", n)
        sm.Energy(
            "bonds", -pt.constant(J)[np.arange(n - 1), p[1:]] * pt.eq(p[1:], p[np.array(parent)])
        )
        sm.Energy("fields", pt.constant(h)[np.arange(n), p])
        sm.Energy("triples", h[:, 0] * s * t * pt.eq(p, 1) + 0.3 * s)
        pm.Potential("fixed", 0.2 * pt.eq(p, 2).sum())
    return model


@pytest.mark.parametrize("seed", range(3))
def test_bethe_is_exact_on_trees(seed):
    T = [0.4, 1.0, 3.0]
    model = random_tree(seed)
    bethe, true = sm.approximate(model, T=T), sm.exact(model, T=T, method="elimination")
    assert bethe.converged.all()
    for name in ("log_partition", "energy", "entropy", "free_energy"):
        np.testing.assert_allclose(bethe[name], true[name], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_mean_field_is_a_bound(seed):
    T = [0.3, 0.9, 4.0]
    mean = sm.approximate(mixed(seed), T=T, method="mean_field")
    true = sm.exact(mixed(seed), T=T, observables=False)
    assert mean.converged.all()
    assert (mean.free_energy >= true.free_energy - 1e-10).all()
    assert (mean.free_energy - true.free_energy).max() > 1e-4


@pytest.mark.parametrize("T", [1.5, 3.0, 5.0])
def test_mean_field_of_a_torus_is_that_of_the_textbooks(T):
    """Solve m = tanh((4 m + h) / T)."""
    h = 0.05
    model = ising(sm.lattices.square(6), h=h)
    result = sm.approximate(model, T=T, method="mean_field")
    m = brentq(lambda m: m - np.tanh((4 * m + h) / T), 1e-9, 1)
    p = result.s_probability
    np.testing.assert_allclose(p[:, 1] - p[:, 0], m, rtol=1e-7)
    np.testing.assert_allclose(result.energy, 36 * (-2 * m**2 - h * m), rtol=1e-7)


def test_bethe_of_a_torus_is_that_of_the_bethe_lattice():
    """Degree 4, above its transition at T = 2 / ln 2: log Z = 2 N ln cosh K + N ln 2."""
    result = sm.approximate(ising(sm.lattices.square(6)), T=3.5)
    np.testing.assert_allclose(
        result.log_partition, 36 * (2 * np.log(np.cosh(1 / 3.5)) + np.log(2)), rtol=1e-9
    )
    below = sm.approximate(ising(sm.lattices.square(6)), T=2.5)
    p = below.s_probability
    assert abs(p[:, 1] - p[:, 0]).min() > 0.5


def test_bethe_knows_forbidden_states():
    """Hard squares on an open chain of 6: 21 independent sets, a Fibonacci number."""
    with sm.Model() as model:
        n = sm.Occupation("n", 6)
        sm.Energy("exclusion", -pt.log(1 - n[:-1] * n[1:]))
    np.testing.assert_allclose(sm.approximate(model).log_partition, np.log(21), rtol=1e-10)
    with pytest.raises(InfeasibleError, match="mean_field takes no forbidden states"):
        sm.approximate(model, method="mean_field")


def test_clamped_sites_and_infinite_temperature():
    clamped = np.ma.array([1, 0, 0], mask=[False, True, True])
    model = ising(sm.lattices.chain(3, periodic=False), observed=clamped)
    for method in ("bethe", "mean_field"):
        result = sm.approximate(model, beta=[0.0, 1.0], method=method)
        np.testing.assert_allclose(result.log_partition[0], 2 * np.log(2))
        np.testing.assert_allclose(result.s_probability[:, 0], [[0, 1], [0, 1]])
    everything = ising(sm.lattices.chain(3), observed=[1, 1, 1])
    assert float(sm.approximate(everything).energy) == -3.0


def test_other_variables_and_dimensions():
    result = sm.approximate(potts(sm.lattices.square(3), 3), T=[1.0, 2.0])
    assert result.s_probability.dims == ("T", "s_dim_0", "s_value")
    np.testing.assert_allclose(result.s_probability.sum("s_value"), 1.0)
    assert result.converged.dtype == bool
    assert "heat_capacity" not in result


def test_what_does_not_converge_warns(monkeypatch):
    from statmech_dsl.solvers.approximations import bethe

    monkeypatch.setattr(bethe, "MAX_ITERATIONS", 3)
    with pytest.warns(NotConvergedWarning, match="bethe did not converge at beta = 0.5"):
        result = sm.approximate(ising(sm.lattices.square(4)), T=2.0)
    assert not result.converged
    assert (int(result.iterations), result.residual > groups.TOLERANCE) == (3, True)


def test_mistakes():
    with pytest.raises(ArgumentError, match="unknown method 'magic'"):
        sm.approximate(ising(sm.lattices.chain(3)), method="magic")
    with pytest.raises(InfeasibleError, match="'exchange' is a function of a sum"):
        sm.approximate(curie_weiss(20, 0.0))

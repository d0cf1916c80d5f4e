"""Gaussian fields against sums over momenta, dense algebra and quadrature."""

import numpy as np
import pymc as pm
import pytest
from scipy.integrate import quad

import statmech_dsl as sm
from statmech_dsl.errors import (
    ArgumentError,
    ImproperDistributionError,
    InfeasibleError,
    ModelError,
)
from tests.solvers.systems import table

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.mark.parametrize(
    "row", table("torus", "gaussian_field"), ids=lambda r: f"{r['d']}d, {r['L']}"
)
def test_the_free_field(row):
    L, d, m2 = row["L"], row["d"], row["m2"]
    T = np.array([1.0, 2.5])
    result = sm.exact(sm.models.gaussian_field(L=L, d=d, m2=m2), T=T)
    k = 4 * np.sin(np.pi * np.arange(L) / L) ** 2
    w = m2 + sum(np.meshgrid(*[k] * d, sparse=True))
    true = [np.log(2 * np.pi * t / w).sum() / 2 for t in T]
    np.testing.assert_allclose(result.log_partition, true, **TIGHT)
    np.testing.assert_allclose(result.energy, row["action"] * T, **TIGHT)
    np.testing.assert_allclose(result.heat_capacity, L**d / 2, **TIGHT)


def chain(seed):
    """Linear terms, a clamped site, a function of a sum, products of two fields."""
    rng = np.random.default_rng(seed)
    n = 12
    J, h, w = rng.normal(size=n - 1), rng.normal(size=n), rng.normal(size=n)
    clamped = np.ma.array(np.full(n, 0.7), mask=np.arange(n) != 2)
    with sm.Model() as model:
        phi = sm.Field("phi", n, observed=clamped)
        chi = sm.Field("chi", 2)
        sm.Energy("gradient", J**2 * (phi[1:] - phi[:-1]) ** 2)
        sm.Energy("source", -h * phi + 0.3)
        sm.Energy("sum", 0.4 * ((w * phi).sum() - 1.0) ** 2)
        sm.Energy("mass", 0.2 * phi**2)
        sm.Energy("others", chi**2 / 3 + 0.1 * chi * chi[::-1])
        sm.Energy("mixed", -0.2 * chi[0] * phi[0])
    return model


def test_all_kinds_of_terms_against_dense_algebra():
    for seed in range(3):
        model = chain(seed)
        rng = np.random.default_rng(seed)
        n = 12
        J, h, w = rng.normal(size=n - 1), rng.normal(size=n), rng.normal(size=n)

        def energy(y, J=J, h=h, w=w):
            phi, chi = np.insert(y[:11], 2, 0.7), y[11:]
            return (
                (J**2 * np.diff(phi) ** 2).sum()
                + (0.3 - h * phi).sum()
                + 0.4 * ((w * phi).sum() - 1.0) ** 2
                + 0.2 * (phi**2).sum()
                + (chi**2).sum() / 3
                - 0.2 * chi[0] * phi[0]
                + 0.2 * chi[0] * chi[1]
            )

        unit = np.eye(13)
        c = energy(np.zeros(13))
        H = np.array([[energy(a + b) - energy(a) - energy(b) + c for a in unit] for b in unit])
        g = np.array([energy(a) - energy(-a) for a in unit]) / 2
        beta = 0.6
        mean = -np.linalg.solve(H, g)
        log_Z = 6.5 * np.log(2 * np.pi / beta) - np.linalg.slogdet(H)[1] / 2 - beta * energy(mean)
        result = sm.exact(model, beta=beta)
        np.testing.assert_allclose(result.log_partition, log_Z, **TIGHT)
        np.testing.assert_allclose(result.energy, 6.5 / beta + energy(mean), **TIGHT)
        np.testing.assert_allclose(result.heat_capacity, 6.5, **TIGHT)


def test_terms_that_T_does_not_divide():
    with sm.Model() as model:
        phi = sm.Field("phi", 3)
        sm.Energy("energy", 0.5 * (phi[:-1] - phi[1:]) ** 2 - 0.3 * phi[:2])
        pm.Potential("prior", -(phi**2).sum())

    def log_Z(beta):
        return float(sm.exact(model, beta=beta).log_partition)

    at = sm.exact(model, beta=0.7)
    d = 1e-3
    low, high = log_Z(0.7 - d), log_Z(0.7 + d)
    np.testing.assert_allclose(at.energy, -(high - low) / (2 * d), rtol=1e-6)
    np.testing.assert_allclose(
        at.heat_capacity / 0.7**2, (high - 2 * float(at.log_partition) + low) / d**2, rtol=1e-5
    )
    np.testing.assert_allclose(
        sm.exact(model, beta=0.0).log_partition, 1.5 * np.log(np.pi), **TIGHT
    )


def test_one_site_against_quadrature():
    with sm.Model() as model:
        phi = sm.Field("phi", 1)
        sm.Energy("well", 0.7 * phi**2 - 0.2 * phi + 0.1)
    Z = quad(lambda x: np.exp(-(0.7 * x**2 - 0.2 * x + 0.1) / 1.3), -30, 30)[0]
    np.testing.assert_allclose(sm.exact(model, T=1.3).log_partition, np.log(Z), rtol=1e-9)


def test_improper_fields_are_refused_by_name():
    massless = sm.models.gaussian_field(L=4, m2=0.0)
    with pytest.raises(ImproperDistributionError, match="does not bind 'phi'.*zero mode"):
        sm.exact(massless)
    with pytest.raises(ImproperDistributionError, match="at beta = 0"):
        sm.exact(sm.models.gaussian_field(L=4), beta=0.0)
    with sm.Model() as model:
        phi = sm.Field("phi", 2)
        sm.Energy("saddle", phi[0] * phi[1])
        pm.Potential("none", -0.1 * phi[0] ** 2)
    with pytest.raises(ImproperDistributionError, match="curvature below 0"):
        sm.exact(model)


def test_a_clamped_site_binds_a_massless_field():
    first = np.ma.array(np.zeros(5), mask=np.arange(5) > 0)
    with sm.Model() as model:
        phi = sm.Field("phi", 5, observed=first)
        sm.Energy("gradient", 0.5 * (phi[1:] - phi[:-1]) ** 2)
    np.testing.assert_allclose(sm.exact(model).log_partition, 2 * np.log(2 * np.pi), **TIGHT)


def test_what_is_not_gaussian():
    with pytest.raises(InfeasibleError, match="quadratic energy, and '.*' is not"):
        sm.exact(sm.models.phi4(L=4))
    with sm.Model() as model:
        phi = sm.Field("phi", 3)
        sm.Energy("absolute", abs(phi) + phi**2)
    with pytest.raises(InfeasibleError, match="'absolute' is not"):
        sm.exact(model)
    with sm.Model() as model:
        phi = sm.Field("phi", 3)
        s = sm.Spin("s", 3)
        sm.Energy("coupled", phi**2 - phi * s)
    with pytest.raises(ModelError, match="Field 'phi' is continuous"):
        sm.exact(model)
    with pytest.raises(ModelError, match="Spin 's' is free"):
        sm.exact(model, method="gaussian")
    with sm.Model() as model:
        phi = sm.Field("phi", 30)
        sm.Energy("square", ((phi**2).sum()) ** 2)
    with pytest.raises(InfeasibleError, match="sum of squares|is not"):
        sm.exact(model)


def test_means_are_not_given():
    assert "phi2" not in sm.exact(sm.models.gaussian_field(L=4))
    with pytest.raises(ArgumentError, match="gaussian gives no means"):
        sm.exact(sm.models.gaussian_field(L=4), observables=["phi2"])


def test_large_sparse_fields():
    result = sm.exact(sm.models.gaussian_field(L=100, m2=0.3))
    assert float(result.energy) == pytest.approx(5000)

"""The skeletons of docs/developer work: each is registered as its page says, and used for real."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy.special import ive

import statmech_dsl as sm
from statmech_dsl import estimators
from statmech_dsl.backends import BACKENDS
from statmech_dsl.ir.domains import DOMAINS
from statmech_dsl.lang import variables
from statmech_dsl.testing import (
    Declaration,
    check_backend,
    check_transition_matrix,
    declarations,
    legal_updates,
    small_models,
)
from statmech_dsl.updates import UPDATES
from tests.estimators.processes import ar1

SKELETONS = Path(__file__).parents[2] / "docs" / "developer" / "skeletons"


@pytest.fixture
def skeleton(monkeypatch):
    """Load a skeleton as a module that is gone after the test."""

    def load(name):
        spec = importlib.util.spec_from_file_location(f"skeleton_{name}", SKELETONS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def sample(model, **options):
    return sm.sample(model, **{"seed": 1, "progressbar": False} | options)


def assert_close(estimate, error, exact, sigmas=4):
    assert abs(float(estimate) - float(exact)) < sigmas * float(error)


# A variable type


@pytest.fixture
def cubic_spin(skeleton, monkeypatch):
    """The line in ir/domains and the function in lang/variables that the page asks for."""
    domain = skeleton("variable_type").CubicSpin

    def CubicSpin(name, sites, *, observed=None, dims=None):
        return variables._declare(domain(), name, sites, observed, dims)

    monkeypatch.setitem(DOMAINS, "CubicSpin", domain)
    monkeypatch.setattr(variables, "CubicSpin", CubicSpin, raising=False)
    return CubicSpin


def test_the_variable_type_passes_conformance(cubic_spin):
    (declaration,) = (d for d in declarations() if d.label == "CubicSpin")
    assert declaration == Declaration("CubicSpin")
    for kind in ("pairs", "local", "sum"):
        model = small_models(declaration, n_sites=3 if kind == "local" else 2)[kind]
        updates = legal_updates(model)
        assert {"heat_bath", "metropolis"} <= set(updates)
        for update in updates:
            check_transition_matrix(model, update)
    check_backend(model, replicas=(1, 9), threads=(1,), sweeps=2)


def test_the_variable_type_samples_a_ring(cubic_spin):
    n, T = 6, 0.7
    lattice = sm.lattices.chain(n)
    with sm.Model() as model:
        s = cubic_spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -1.0 * s.vector[i] * s.vector[j])
        sm.Observable("order", (s.vector.mean(axis=0) ** 2).sum())
    assert s.vector.type.shape == (n, 3)
    data = sample(model, T=T, draws=2000, chains=8, store="s")
    assert data.posterior.s.dtype == np.int8
    exact = sm.exact(model, T=T)
    # Transfer matrix: a pair is parallel, antiparallel or (4 ways) perpendicular.
    a, b = np.exp(1 / T), np.exp(-1 / T)
    eigenvalues = np.array([a + b + 4, a - b, a - b, a - b, a + b - 2, a + b - 2])
    assert float(exact.log_partition) == pytest.approx(np.log((eigenvalues**n).sum()))
    energy = estimators.tau_int(data.posterior.energy)
    order = estimators.tau_int(data.posterior.order)
    assert_close(energy.value, energy.error, exact.energy)
    assert_close(order.value, order.error, exact.order)


# An update


@pytest.fixture
def barker(skeleton, monkeypatch):
    monkeypatch.setitem(UPDATES, "barker", skeleton("update").BARKER)


@pytest.mark.parametrize("label", ["Spin", "Levels", "Potts"])
def test_the_update_passes_conformance(barker, label):
    declaration = next(d for d in declarations() if d.label == label)
    for model in small_models(declaration, n_sites=3).values():
        assert "barker" in legal_updates(model)
        for beta in (0.0, 1.0):
            check_transition_matrix(model, "barker", beta=beta)
        check_transition_matrix(model, "barker", law="tabulated")


def test_the_update_runs_on_the_cpu(barker):
    model = small_models(Declaration("Spin"))["pairs"]
    check_backend(model, updates="barker", replicas=(1, 9), threads=(1,), sweeps=2)


def test_the_update_samples_angles(barker):
    n, T = 64, 0.8
    lattice = sm.lattices.chain(n, periodic=False)
    with sm.Model() as model:
        theta = sm.Angle("theta", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -pt.cos(theta[i] - theta[j]))
    data = sample(model, T=T, draws=2000, chains=8, thin=3, updates="barker")
    rate = data.sample_stats.theta_barker_acceptance
    assert 0.2 < float(rate.mean()) < 0.4
    energy = estimators.tau_int(data.posterior.energy)
    assert_close(energy.value, energy.error, -(n - 1) * ive(1, 1 / T) / ive(0, 1 / T))


# A backend


@pytest.fixture
def numpy_backend(skeleton, monkeypatch):
    monkeypatch.setitem(BACKENDS, "numpy", skeleton("backend").NUMPY)


@pytest.mark.parametrize("kind", ["pairs", "local", "sum"])
@pytest.mark.parametrize("declaration", declarations(), ids=str)
def test_the_backend_passes_conformance(numpy_backend, declaration, kind):
    model = small_models(declaration)[kind]
    for update in legal_updates(model):
        check_backend(model, "numpy", updates=update, replicas=(1, 3), threads=(1,), sweeps=2)


def test_the_backend_runs_tabulated_laws(numpy_backend):
    model = small_models(Declaration("Spin"))["sum"]
    check_backend(model, "numpy", law="tabulated", replicas=(1, 3), threads=(1,), sweeps=2)


def test_the_backend_samples_the_same_chains(numpy_backend):
    model = sm.models.potts(L=4, q=3)
    options = {"T": [2.0, 3.0], "draws": 20, "tune": 5, "chains": 3, "store": "s"}
    mine, numba = (sample(model, backend=b, **options) for b in ("numpy", "numba"))
    assert mine.attrs["backend"] == "numpy"
    assert (
        mine.posterior.to_dataset().drop_attrs().equals(numba.posterior.to_dataset().drop_attrs())
    )


# An estimator


def test_the_estimator_knows_the_error_of_correlated_noise(skeleton):
    blocking = skeleton("estimator").blocking
    phi, shape = 0.8, (4, 8192)
    exact = np.sqrt((1 + phi) / (1 - phi) / np.prod(shape))
    results = [blocking(ar1(seed, phi, shape)) for seed in range(40)]
    errors = np.array([r.error for r in results])
    assert errors.mean() == pytest.approx(exact, rel=0.1)
    z = np.array([r.value for r in results]) / errors
    assert 0.7 < z.std() < 1.4
    assert results[0].errors[0] < 0.5 * exact, "unblocked draws are far too optimistic"


def test_the_estimator_agrees_on_real_draws(skeleton):
    data = sample(sm.models.ising(L=8), T=2.5, draws=4096, chains=4)
    blocked = skeleton("estimator").blocking(data.posterior.energy)
    gamma = estimators.tau_int(data.posterior.energy)
    assert blocked.value == pytest.approx(gamma.value)
    assert blocked.error == pytest.approx(gamma.error, rel=0.3)
    assert blocked.long_enough


def test_the_estimator_says_what_is_wrong_with_a_series(skeleton):
    blocking = skeleton("estimator").blocking
    with pytest.raises(sm.errors.DiagnosticsError, match="two draws"):
        blocking([1.0])
    assert not blocking(ar1(0, 0.99, (2, 500))).long_enough
    assert blocking(np.ones((100, 1))).error == 0

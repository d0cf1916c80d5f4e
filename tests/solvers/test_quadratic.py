"""Energies as quadratic forms, and binary quadratic models of dimod."""

import sys
from itertools import product

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl import errors
from statmech_dsl.lower.recovery import recover
from statmech_dsl.solvers.bqm import _levels
from statmech_dsl.solvers.quadratic import quadratic
from statmech_dsl.testing.differences import energy_function


def penalties():
    """Local terms, a term of three sites that is quadratic, and functions of sums."""
    with sm.Model() as model:
        x, y = sm.Occupation("x", (3, 4)), sm.Occupation("y", 2)
        sm.Energy("number", 2.0 * (x.sum() - 3) ** 2)
        sm.Energy("pairs", -1.5 * x[0] * x[1])
        sm.Energy("triple", 0.5 * (x[0, 0] + x[0, 1] + x[1, 1] - 1) ** 2)
        sm.Energy("rows", ((np.arange(6.0).reshape(3, 2) @ y - 1) ** 2))
        sm.Energy("fields", 0.3 * y)
    return model


def clamped():
    lattice = sm.lattices.chain(5)
    values = np.ma.masked_all(5, int)
    values[:2] = [1, -1]
    with sm.Model() as model:
        s = sm.Spin("s", lattice, observed=values)
        i, j = lattice.bonds
        sm.Energy("exchange", -0.7 * s[i] * s[j] - 0.1 * s)
    return model


MODELS = {
    "penalties": penalties,
    "clamped": clamped,
    "curie_weiss": lambda: sm.models.curie_weiss(N=6, h=0.2),
    "hopfield": lambda: sm.models.hopfield(N=8, n_patterns=2),
    "machine": lambda: sm.models.boltzmann_machine(N=6, biases=0.3),
    "cut": lambda: sm.models.max_cut(N=8),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_form_has_the_energy_of_the_model(name):
    model = MODELS[name]()
    recovered = recover(model)
    levels = _levels(recovered)
    form = quadratic(recovered.ir, recovered.tables, levels)
    energy, rng = energy_function(model), np.random.default_rng(1)
    for _ in range(20):
        signs, state = [], {}
        for v in recovered.ir.variables:
            _, low, high = levels[v.name]
            sign = rng.choice([-1, 1], v.n_sites)
            state[v.name] = np.where(sign > 0, high, low)
            signs.append(sign)
        s = np.concatenate(signs)
        pairs = sum(x * s[i] * s[j] for (i, j), x in form.pairs.items())
        assert form.offset + form.linear @ s + pairs == pytest.approx(energy(state))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: sm.models.p_spin(N=6), "products of 3 sites"),
        (lambda: sm.models.potts(L=3), "spins, or occupations"),
        (lambda: sm.models.ashkin_teller(L=3), "products of 4 sites"),
    ],
)
def test_other_models_are_refused(build, message):
    model = build()
    with pytest.raises(errors.ModelError, match=message):
        sm.to_bqm(model)


def test_functions_of_sums_that_are_not_quadratic():
    with sm.Model() as model:
        s = sm.Spin("s", 30)
        sm.Energy("quartic", 1e-3 * s.sum() ** 4)
    recovered = recover(model)
    with pytest.raises(errors.ModelError, match="no quadratic function"):
        quadratic(recovered.ir, recovered.tables, _levels(recovered))


def test_dimod_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "dimod", None)
    with pytest.raises(errors.PackageError, match="pip install dimod"):
        sm.to_bqm(sm.models.max_cut(N=4))
    with pytest.raises(errors.ModelError, match="not dict"):
        sm.from_bqm({(0, 1): 1.0})


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize(
    "labels", ["abcde", range(5), (3, 1, 7, 5, 2)], ids=["text", "0..", "numbers"]
)
def test_binary_quadratic_models_there_and_back(vartype, labels):
    dimod = pytest.importorskip("dimod")
    rng = np.random.default_rng(2)
    linear = {a: float(rng.normal()) for a in labels}
    pairs = {(a, b): float(rng.normal()) for a, b in product(labels, labels) if a != b}
    bqm = dimod.BinaryQuadraticModel(linear, pairs, 0.7, vartype)
    model = sm.from_bqm(bqm)
    assert sm.to_bqm(model).is_almost_equal(bqm, places=9)
    lowest = dimod.ExactSolver().sample(bqm).first.energy
    assert float(sm.exact(model).min_energy) == pytest.approx(lowest)
    samples = sm.to_sampleset(sm.anneal(model, reads=8, sweeps=20, seed=1, progressbar=False))
    assert set(samples.variables) == set(labels)
    np.testing.assert_allclose(bqm.energies(samples), samples.record.energy)
    assert samples.first.energy == pytest.approx(lowest)

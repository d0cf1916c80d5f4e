"""Which passes are dense, how their fields are found, and why others are not dense."""

import numpy as np
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.lower.dense import dense_form


def forms(model, **options):
    compiled = lower_model(model, **options)
    lowered = compiled.lowered
    found = [dense_form(p, compiled.recovered.ir, lowered.tables) for p in lowered.program.passes]
    recorded = [p.dense for p in lowered.program.passes]
    assert recorded == [f if isinstance(f, DenseForm) else None for f in found]
    return found


def pairs(declare, n=12, energy=lambda a, b: a * b):
    i, j = sm.lattices.complete(n).bonds
    with sm.Model() as model:
        s = declare("s", n)
        sm.Energy("exchange", np.linspace(-1, 1, len(i)) * energy(s[i], s[j]))
    return model


def test_models_of_the_zoo():
    glass = DenseForm("fields", -1.0, 1.0, ("s",))
    assert forms(sm.models.sherrington_kirkpatrick(N=20)) == [glass]
    assert forms(sm.models.hopfield(N=20)) == [glass]
    assert forms(sm.models.boltzmann_machine(N=20)) == [DenseForm("fields", 0.0, 1.0, ("n",))]
    machine = sm.models.restricted_boltzmann_machine(20, 10)
    units = [DenseForm("products", 0.0, 1.0, (name,)) for name in ("h", "v")]
    assert forms(machine) == units


def test_matrix_products_are_pairs_too():
    W = np.random.default_rng(1).normal(size=(12, 12))
    with sm.Model() as model:
        s = sm.Spin("s", 12)
        sm.Energy("pairs", s @ W @ s)
    assert forms(model) == [DenseForm("fields", -1.0, 1.0, ("s",))]


def three(s):
    i, j = sm.lattices.complete(12).bonds
    return s[i] * s[j] * s[(i + 1) % 12]


def clock(name, sites):
    return sm.Clock(name, sites, q=3)


def wide(name, sites):
    return sm.Levels(name, sites, values=[0, 127])


def with_field(declare):
    with sm.Model() as model:
        s, x = sm.Spin("s", 12), declare("x", 12)
        sm.Energy("pairs", s[:, None] * np.ones((12, 12)) * x)
        sm.Energy("potential", x**2)
    return model


def joined():
    with sm.Model() as model:
        sm.Energy("three", three(sm.Spin("s", 12)))
    return model


REASONS = {
    "sparse": (lambda: sm.models.ising(L=4), "4 couplings, fewer than 8"),
    "values": (lambda: pairs(clock), "'s' has not two values"),
    "wide": (lambda: pairs(wide), "'s' has not two values within"),
    "sum": (lambda: sm.models.curie_weiss(N=20), "hang together"),
    "three": (joined, "a term joins 3 sites"),
    "field": (lambda: with_field(sm.Field), "reads 'x', which has not two values"),
    "op": (lambda: pairs(sm.Occupation, energy=lambda a, b: abs(a - b)), "a term contains abs"),
}


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name):
    declare, reason = REASONS[name]
    found = forms(declare())[0]
    assert isinstance(found, str)
    assert reason in found


def test_neighbors_that_are_many_but_few_of_all():
    i, j = sm.lattices.complete(100).bonds
    near = np.minimum(j - i, 100 - (j - i)) <= 5
    with sm.Model() as model:
        s = sm.Spin("s", 100)
        sm.Energy("exchange", -1.0 * s[i[near]] * s[j[near]])
    assert forms(model) == ["a site is coupled to 10 of 100 sites, less than 25%"]


def test_other_updates_and_laws():
    model = sm.models.sherrington_kirkpatrick(N=20)
    assert forms(model, updates="metropolis") == ["its update is metropolis, not heat_bath"]
    assert forms(model, law="tabulated") == ["its sites hang together through more than couplings"]


def test_an_energy_with_statements_of_its_own():
    """Cosines of differences are taken apart: the sine and the cosine of the site are bound first."""
    with sm.Model() as model:
        k = sm.Clock("k", 12, q=2)
        i, j = sm.lattices.complete(12).bonds
        sm.Energy("exchange", -1.0 * pt.cos(k.angle[i] - k.angle[j]))
    assert forms(model) == ["its local energy is more than a sum over neighbors"]
    sm.sample(model, draws=2, tune=1, progressbar=False)

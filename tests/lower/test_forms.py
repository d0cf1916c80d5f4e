"""How the energy depends on one site, which decides whether a draw is exact."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import IllegalUpdateError

I, J = np.arange(6), (np.arange(6) + 1) % 6  # noqa: E741
K = np.linspace(-1, 1, 6)
MATRIX = np.random.default_rng(1).normal(size=(6, 6))

FIELD = {
    "free": (lambda x: 0.5 * (x[I] - x[J]) ** 2 + x**2, {"quadratic"}),
    "linear": (lambda x: K * x[I] * x[J] - x, {"quadratic", "linear"}),
    "diagonal": (lambda x: x @ MATRIX @ x, {"quadratic"}),
    "quotient": (lambda x: x[I] ** 2 / (1.0 + x[J] ** 2), set()),
    "divided": (lambda x: x**2 / 3.0, {"quadratic"}),
    "chosen": (lambda x: pt.switch(x[J] > 0, x[I], 2.0 * x[I]), set()),
    "sum squared": (lambda x: x.sum() ** 2 / 6, {"quadratic"}),
    "square of a sum of squares": (lambda x: (x**2).sum() ** 2, set()),
    "exponential": (lambda x: pt.exp(x) + x**2, set()),
    "quartic": (lambda x: x**4 + x**2, set()),
    "cubic by parts": (lambda x: x[I] * x[I] * x[I] + x[J], set()),
}
ANGLE = {
    "xy": (lambda a: -pt.cos(a[I] - a[J]), {"first harmonic"}),
    "gauge": (lambda a: -pt.cos(a[I] - a[J] + K), {"first harmonic"}),
    "sum of three": (lambda a: pt.cos(a[I] + a[J] - a[(J + 1) % 6]), {"first harmonic"}),
    "field": (lambda a: -pt.sin(a) + 0.3 * pt.cos(a[I] - a[J]), {"first harmonic"}),
    "product": (lambda a: pt.cos(a[I]) * pt.sin(a[J]), {"first harmonic"}),
    "nematic": (lambda a: -pt.cos(2 * (a[I] - a[J])), set()),
    "half": (lambda a: pt.cos(0.5 * a), set()),
    "product of one": (lambda a: pt.cos(a) * pt.sin(a), set()),
    "polynomial": (lambda a: a**2, {"quadratic"}),
}
VECTOR = {
    "heisenberg": (lambda s: -(s[I] * s[J]).sum(-1), {"linear", "quadratic"}),
    "easy axis": (lambda s: -(s[:, 2] ** 2), {"quadratic"}),
    "biquadratic": (lambda s: (s[I] * s[J]).sum(-1) ** 2, {"quadratic"}),
    "field": (lambda s: s[:, 0] + K * s[:, 1], {"linear", "quadratic"}),
    "chiral": (lambda s: s[I, 0] * s[J, 1] - s[I, 1] * s[J, 0], {"linear", "quadratic"}),
    "mean field": (lambda s: (s.sum(0) ** 2).sum() / 6, {"quadratic"}),
}


def forms_of(declare, energy):
    with sm.Model() as model:
        x = declare("x", 6)
        sm.Energy("e", energy(x))
    return model, set(lower_model(model, "metropolis").lowered.analyses[0].forms)


@pytest.mark.parametrize("name", FIELD)
def test_fields(name):
    energy, expected = FIELD[name]
    model, found = forms_of(sm.Field, energy)
    assert found == expected
    check_legality(model, "quadratic" in expected)


@pytest.mark.parametrize("name", ANGLE)
def test_angles(name):
    energy, expected = ANGLE[name]
    model, found = forms_of(sm.Angle, energy)
    assert found == expected
    check_legality(model, "first harmonic" in expected)


@pytest.mark.parametrize("name", VECTOR)
def test_unit_vectors(name):
    energy, expected = VECTOR[name]
    model, found = forms_of(sm.UnitVector, energy)
    assert found == expected
    check_legality(model, "linear" in expected)


def check_legality(model, legal):
    if legal:
        assert lower_model(model).lowered.program.passes[0].update == "heat_bath"
    else:
        with pytest.raises(IllegalUpdateError, match="is not a"):
            lower_model(model, "heat_bath")
        assert lower_model(model).lowered.program.passes[0].update == "metropolis"


def test_form_of_a_mixed_model_is_that_of_each_variable():
    with sm.Model() as model:
        x, s, a = sm.Field("x", 6), sm.Spin("s", 6), sm.Angle("a", 6)
        sm.Energy("binding", x**2 * pt.cos(a) ** 2 + x**2)
        sm.Energy("coupling", s * x)
    found = {z.variable: set(z.forms) for z in lower_model(model).lowered.analyses}
    assert found["x"] == {"quadratic"}
    assert found["a"] == set()


def test_clamped_neighbors_do_not_count():
    """Sites of a variable that enter a factor with clamped sites of the same variable."""
    known = np.ma.masked_array(np.ones(6), np.arange(6) % 2 == 0)
    with sm.Model() as model:
        x = sm.Field("x", 6, observed=known)
        sm.Energy("e", x[::2] ** 2 * x[1::2] ** 4 + x[::2] ** 2)
    assert set(lower_model(model).lowered.analyses[0].forms) == {"quadratic"}

"""Every update on every variable type against exact transition matrices and quadrature.

The cases come from the registries: a new update or variable type is tested without an edit here.
"""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ValidationError
from statmech_dsl.ir.draws import Bernoulli, Let, Uniform, old
from statmech_dsl.ir.expr import call, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass
from statmech_dsl.testing import (
    KINDS,
    check_conditional,
    check_geweke,
    check_transition_matrix,
    declarations,
    energy_differences,
    legal_updates,
    small_models,
)
from statmech_dsl.updates import UPDATES, Update

DISCRETE = [d for d in declarations() if d.domain.values is not None]
CONTINUOUS = [d for d in declarations() if d.domain.values is None]


def cases(declared):
    return pytest.mark.parametrize("declaration", declared, ids=str)


@pytest.mark.parametrize("kind", KINDS)
@cases(DISCRETE)
def test_transition_matrix(declaration, kind):
    model = small_models(declaration)[kind]
    updates = legal_updates(model)
    assert "heat_bath" in updates
    for name in updates:
        check_transition_matrix(model, name, beta=0.9)
        check_transition_matrix(model, name, beta=0.0)
    tabulated = legal_updates(model, "tabulated")
    assert "heat_bath" in tabulated
    for name in tabulated:
        check_transition_matrix(model, name, law="tabulated")


@pytest.mark.parametrize("kind", KINDS)
@cases(declarations())
def test_energy_differences(declaration, kind):
    assert energy_differences(small_models(declaration)[kind], n=10) < 1e-12


@cases(CONTINUOUS)
def test_conditional_of_a_site(declaration):
    """One sweep of an exact draw forgets the start; others get 200 sweeps."""
    model = small_models(declaration, n_free=1)["pairs"]
    check_conditional(model, sweeps=1 if "heat_bath" in legal_updates(model) else 200)


@cases(CONTINUOUS)
def test_conditional_of_a_site_in_an_energy_of_no_simple_form(declaration):
    check_conditional(small_models(declaration, n_free=1)["local"], sweeps=200)


@cases(CONTINUOUS)
def test_joint_distribution_with_spins(declaration):
    model = small_models(declaration)["mixed"]
    for name in legal_updates(model):
        check_geweke(model, name)


@cases([d for d in CONTINUOUS if "heat_bath" in legal_updates(small_models(d)["sum"])])
def test_exact_draws_from_a_function_of_a_sum(declaration):
    check_geweke(small_models(declaration, 2)["sum"], "heat_bath")


# ---- the checks find what is wrong ------------------------------------------------------------------


def planted(monkeypatch, name, build):
    monkeypatch.setitem(UPDATES, name, Update(name, lambda _: None, build))
    return name


def test_proposing_always_another_value_never_mixes_at_infinite_temperature(monkeypatch):
    def build(variable, domain):
        flipped = (-old(1)[0],)
        accept = Bernoulli("accept", call("min", 0.0, law(read("e.1")) - law(read("e.0"))))
        new = call("where", read("accept"), flipped[0], old(1)[0])
        body = (LocalEnergy("e", (old(1), flipped)), accept, Assign((new,)))
        return SitePass("flip", variable, body)

    flip = planted(monkeypatch, "flip", build)
    model = small_models(DISCRETE[0])["pairs"]
    with pytest.raises(ValidationError, match="eigenvalues of modulus 1: not ergodic"):
        check_transition_matrix(model, flip, beta=0.0)
    check_transition_matrix(model, flip, beta=0.9)


def test_moves_that_cost_nothing_do_not_trap_a_sweep():
    """A frustrated ring has moves of energy difference 0 at any temperature."""
    i = np.arange(4)
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("exchange", np.array([-1.0, -1.0, -1.0, 1.0]) * s[i] * s[(i + 1) % 4])
    for name in legal_updates(model):
        check_transition_matrix(model, name, beta=1.0)


def test_a_wrong_weight_is_seen(monkeypatch):
    def build(variable, domain):
        right = UPDATES["heat_bath"].build(variable, domain)
        energy, draw, assign = right.body
        assert isinstance(energy, LocalEnergy)
        wrong = Let("e.1", read("e.1") * 1.01)
        return SitePass("warm", variable, (energy, wrong, draw, assign))

    warm = planted(monkeypatch, "warm", build)
    with pytest.raises(ValidationError, match="pi P - pi"):
        check_transition_matrix(small_models(DISCRETE[0])["pairs"], warm)


def test_a_biased_proposal_is_seen(monkeypatch):
    def build(variable, domain):
        proposed = read("old.0") * (0.5 + read("u"))  # not symmetric
        log_p = call("min", 0.0, law(read("e.1")) - law(read("e.0")))
        new = call("where", read("accept"), read("new"), read("old.0"))
        body = (
            Uniform("u"),
            Let("new", proposed),
            LocalEnergy("e", (old(1), (read("new"),))),
            Bernoulli("accept", log_p),
            Assign((new,)),
        )
        return SitePass("scale", variable, body)

    scale = planted(monkeypatch, "scale", build)
    field = next(d for d in CONTINUOUS if d.label == "Field")
    with pytest.raises(ValidationError, match="standard errors"):
        check_geweke(small_models(field, 2)["pairs"], scale, backend="numba")
    with pytest.raises(ValidationError, match="against quadrature"):
        check_conditional(small_models(field, n_free=1)["pairs"], scale, sweeps=50)

"""The shipped checks themselves: what they build, what they let pass, what they find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from scipy.special import iv

import statmech_dsl as sm
from statmech_dsl.backends.enumeration import Enumeration
from statmech_dsl.errors import ValidationError
from statmech_dsl.ir import domains
from statmech_dsl.ir.domains.base import Finite
from statmech_dsl.lang import variables
from statmech_dsl.testing import (
    KINDS,
    check_backend,
    check_conditional,
    check_geweke,
    check_transition_matrix,
    declarations,
    differences,
    distributions,
    energy_differences,
    legal_updates,
    small_models,
)
from statmech_dsl.testing.distributions import exact_states
from statmech_dsl.testing.models import EXAMPLES
from statmech_dsl.testing.quadrature import nodes
from statmech_dsl.testing.setup import begin, build, copies, random_law, take
from statmech_dsl.testing.strategies import couplings, models

BY_NAME = {str(d): d for d in declarations()}
SPIN = BY_NAME["Spin()"]


def test_every_variable_type_is_tried():
    assert {d.label for d in declarations()} == set(domains.DOMAINS)
    assert [dict(d.arguments) for d in declarations() if d.label == "Potts"] == [{"q": 2}, {"q": 3}]


@dataclass(frozen=True)
class Halves(Finite):
    """A new variable type: a number of levels, and a switch with a default."""

    kind = "halves"
    label = "Halves"
    levels: int
    signed: bool = False

    @property
    def values(self):
        return tuple(float(k) for k in range(self.levels))


def test_a_new_variable_type_is_tried_without_an_edit(monkeypatch):
    def declare(name, sites, *, observed, levels):
        return variables._declare(Halves(levels), name, sites, observed, None)

    monkeypatch.setitem(domains.DOMAINS, "Halves", Halves)
    monkeypatch.setattr(variables, "Halves", declare, raising=False)
    new = [d for d in declarations() if d.label == "Halves"]
    assert [str(d) for d in new] == [f"Halves(levels={n})" for n in EXAMPLES[int]]
    check_transition_matrix(small_models(new[1])["local"])
    assert Sequence[int] in EXAMPLES


@pytest.mark.parametrize("kind", KINDS)
def test_clamped_sites_of_small_models(kind):
    for name in ("Levels(values=(-2, 0, 1))", "UnitVector(n=3)"):
        sampler = build(small_models(BY_NAME[name], n_free=1)[kind])
        free = [len(sampler.tables[v.free]) for v in sampler.program.model.variables]
        assert free[0] == 1
        x = begin(sampler, [1.0], seed=3).values["x"]
        again = begin(sampler, [1.0], seed=4).values["x"]
        n = sampler.program.model.variables[0].domain.components
        assert np.array_equal(x[0, n:], again[0, n:])


@settings(max_examples=15)
@given(models())
def test_some_update_is_legal_for_every_small_model(model):
    assert legal_updates(model)


@given(couplings(5, scale=2.0))
def test_couplings_are_bounded(J):
    assert J.shape == (5,)
    assert (np.abs(J) <= 2.0).all()


# ---- quadrature and exact states --------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_quadrature_has_the_volume_of_the_base_measure(name):
    domain = BY_NAME[name].domain
    points, log_measure = nodes(domain, 60)
    assert points.shape == (len(log_measure), domain.components)
    assert domain.contains(points if domain.components > 1 else points[:, 0]).all()
    if np.isfinite(domain.log_volume):
        assert np.logaddexp.reduce(log_measure) == pytest.approx(domain.log_volume, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_quadrature_on_spheres(n):
    points, log_measure = nodes(domains.UnitVector(n), 24)
    weights = np.exp(log_measure - np.logaddexp.reduce(log_measure))
    covariance = (points * weights[:, None]).T @ points
    assert covariance == pytest.approx(np.eye(n) / n, abs=0.01)


def test_quadrature_on_the_line():
    points, log_measure = nodes(domains.Field(), 60)
    weights = np.exp(log_measure - 0.5 * points[:, 0] ** 2)
    assert weights.sum() == pytest.approx(np.sqrt(2 * np.pi), abs=1e-9)


def test_exact_states_of_a_discrete_model():
    sampler = build(small_models(SPIN)["local"])
    states = exact_states(sampler, 0.7, 40_000, seed=1)
    enumeration = Enumeration(sampler.kernels, take(states, [0]))
    assert np.array_equal(states.replicas, np.arange(40_000))
    free = states.values["x"][:, sampler.tables["x.free"]]
    number = [enumeration.number[tuple(map(float, x))] for x in free]
    found = np.bincount(number, minlength=len(enumeration.configurations)) / 40_000
    expected = enumeration.stationary()
    z = (found - expected) / np.sqrt(expected * (1 - expected) / 40_000)
    assert np.abs(z).max() < 4.5


def test_exact_states_of_angles():
    """Two angles: <cos(a - b)> is I_1(K) / I_0(K)."""
    with sm.Model() as model:
        a = sm.Angle("a", 2)
        sm.Energy("exchange", -np.cos(a[0] - a[1]))
    x = exact_states(build(model), 1.5, 40_000, seed=2).values["a"]
    cosine = np.cos(x[:, 0] - x[:, 1])
    expected = iv(1, 1.5) / iv(0, 1.5)
    assert abs(cosine.mean() - expected) < 4.5 * cosine.std() / 200


def test_exact_states_refuse_what_rejection_cannot_do():
    with sm.Model() as model:
        x = sm.Spin("x", 40)
        sm.Energy("field", -3.0 * x)
    with pytest.raises(ValidationError, match="use weaker couplings"):
        exact_states(build(model), 1.0, 100, seed=1)


# ---- states -----------------------------------------------------------------------------------------


def test_copies_and_parts_of_states():
    state = begin(build(small_models(SPIN)["pairs"], 3), [0.1, 0.2, 0.3], seed=1)
    part = take(state, [2, 0, 2])
    assert list(part.beta) == [0.3, 0.1, 0.3]
    assert list(part.replicas) == [2, 0, 2]
    assert np.array_equal(part.values["x"][0], state.values["x"][2])
    many = copies(part, 5)
    assert list(many.replicas) == [0, 1, 2, 3, 4]
    assert (many.values["x"] == state.values["x"][2]).all()
    assert np.array_equal(random_law(state, 1).law_table, random_law(state, 1).law_table)


# ---- what is wrong is found -------------------------------------------------------------------------


def test_wrong_factors_are_found(monkeypatch):
    model = small_models(SPIN)["pairs"]
    assert energy_differences(model) < 1e-12

    def wrong(model):
        r = recover(model)
        tables = {k: 1.001 * v if v.dtype == float else v for k, v in r.tables.items()}
        return replace(r, tables=tables)

    recover = differences.recover
    monkeypatch.setattr(differences, "recover", wrong)
    assert energy_differences(model) > 1e-4


def test_an_energy_difference_counts_terms_that_T_does_not_divide():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("field", 0.3 * s)
        pm.Potential("prior", (s[0] * s[1]).sum())
        pm.Normal("pixel", mu=s, sigma=0.5, observed=np.linspace(-1, 1, 4))
    assert energy_differences(model) < 1e-12


def test_sweeps_at_another_temperature_move_the_joint_distribution(monkeypatch):
    right = distributions.exact_states

    def warmer(sampler, beta, n, seed):
        states = right(sampler, beta, n, seed)
        return replace(states, beta=1.1 * states.beta)

    model = small_models(BY_NAME["Angle()"])["mixed"]
    assert check_geweke(model) < 5
    monkeypatch.setattr(distributions, "exact_states", warmer)
    with pytest.raises(ValidationError, match="standard errors"):
        check_geweke(model)


def test_the_wrong_temperature_is_found_in_a_conditional(monkeypatch):
    model = small_models(BY_NAME["Field()"], n_free=1)["pairs"]
    assert check_conditional(model) > 1e-4
    begin_right = distributions.begin
    monkeypatch.setattr(
        distributions,
        "begin",
        lambda sampler, beta, seed: begin_right(sampler, 1.1 * beta, seed=seed),
    )
    with pytest.raises(ValidationError, match="against quadrature"):
        check_conditional(model)


def test_a_backend_is_compared_as_often_as_told():
    model = small_models(SPIN)["pairs"]
    assert check_backend(model, replicas=(1, 9), threads=(1, 2), sweeps=2) == 8
    assert check_backend(model, "reference", replicas=(2,), threads=(1,), sweeps=2) == 2

"""`validate`: what it compares, what it finds, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, InfeasibleError, ModelError, ValidationError
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.kernel import SitePass
from statmech_dsl.testing.report import Check, Comparison, Report
from statmech_dsl.updates import UPDATES, Update


def ising(n=6):
    i, j = sm.lattices.chain(n).bonds
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
        sm.Observable("m2", s.mean() ** 2)
        sm.Observable("pair", s[:2] * s[1:3])
        sm.Observable("n", (s**2).sum())
    return model


def test_a_small_discrete_model_is_compared_with_enumeration():
    report = sm.validate(ising(), T=2.0, seed=3)
    names = [c.name for c in report.comparisons]
    assert names == ["energy", "heat_capacity", "m2", "pair[0]", "pair[1]", "n"]
    assert report.failures == ()
    assert 0 < report.worst_z < 5
    energy = report.comparisons[0]
    t = np.tanh(0.5)
    assert energy.exact == pytest.approx(-6 * (t + t**5) / (1 + t**6), abs=1e-12)
    assert energy.error < 0.05
    assert [c.name for c in report.checks][0] == "energy differences"
    assert len(report.checks) == 4
    text = str(report)
    assert "s, 64 states, T = 2: passed" in text
    assert "follow the reference bit for bit" in text


def test_beta_and_another_update():
    report = sm.validate(ising(4), beta=0.0, updates="metropolis", draws=500)
    assert report.comparisons[1].exact == 0.0
    assert "T = inf" in report.title


def test_a_model_of_many_states_has_no_matrix():
    report = sm.validate(ising(12), T=2.0, draws=500)
    assert [c.name for c in report.checks] == ["energy differences"]
    assert any("no transition matrix" in note for note in report.notes)


def test_a_continuous_model_is_held_against_its_definition_only():
    i, j = sm.lattices.chain(4).bonds
    with sm.Model() as model:
        a = sm.Angle("a", 4)
        sm.Energy("exchange", -np.cos(a[i] - a[j]))
    report = sm.validate(model, T=0.5)
    assert report.comparisons == ()
    assert report.worst_z == 0.0
    assert any("a is continuous" in note for note in report.notes)


def test_clamped_sites_and_several_variables():
    with sm.Model() as model:
        s = sm.Spin("s", 4, observed=np.ma.masked_array([1, -1, 1, 1], [0, 1, 1, 1]))
        p = sm.Potts("p", 2, q=3)
        sm.Energy("exchange", -0.5 * s[:-1] * s[1:])
        sm.Energy("mixed", -0.7 * s[1] * (p > 1))
    report = sm.validate(model)
    assert "72 states" in report.title


def test_a_wrong_update_fails_with_its_report(monkeypatch):
    def build(variable, domain):
        energy, draw, assign = UPDATES["heat_bath"].build(variable, domain).body
        warm = (energy, Let("e.1", read("e.1") * 1.3), draw, assign)
        return SitePass("warm", variable, warm)

    monkeypatch.setitem(UPDATES, "warm", Update("warm", lambda _: None, build))
    with pytest.raises(ValidationError, match="FAILED: energy.*pi P - pi") as raised:
        sm.validate(ising(), T=2.0, updates="warm")
    assert "quantity" in str(raised.value)


def test_what_is_refused():
    with pytest.raises(InfeasibleError, match=r"2\^16 states, the model has 2\^20.*smaller size"):
        sm.validate(ising(20))
    with sm.Model() as large:
        x = sm.Field("x", 1001)
        sm.Energy("binding", x**2)
    with pytest.raises(InfeasibleError, match="at most 1000 free sites"):
        sm.validate(large)
    with pytest.raises(ArgumentError, match="one temperature"):
        sm.validate(ising(), T=[1.0, 2.0])
    with pytest.raises(ModelError, match="expected a model"):
        sm.validate("ising")


def test_a_report_finds_its_failures():
    good = Comparison("a", 1.0, 1.01, 0.01)
    same = Comparison("b", 1.0, 1.0 + 1e-12, 0.0)
    off = Comparison("c", 1.0, 2.0, 0.1)
    stuck = Comparison("d", 1.0, 2.0, 0.0)
    assert good.z == pytest.approx(1.0)
    assert same.z == 0.0
    report = Report(
        "x", (good, same, off, stuck), (Check("e", 2.0, 1.0), Check("f", float("nan"), 1))
    )
    assert report.failures == ("c", "d", "e", "f")
    assert report.worst_z == np.inf
    assert "FAILED: c, d, e, f" in str(report)
    assert Report("x", (), ()).failures == ()

"""`updates="tuned"`: which compositions are tried, which one is taken, and that it can be repeated."""

from __future__ import annotations

import json

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.candidates import candidates
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import ArgumentError
from statmech_dsl.runs import choosing
from statmech_dsl.runs.choosing import Trial, choose
from statmech_dsl.updates import UPDATES, Update

OPTIONS = {"T": 2.5, "seed": 1, "draws": 20, "progressbar": False}


def two_variables():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        t = sm.Potts("t", 4, q=3)
        sm.Energy("bonds", -s[:-1] * s[1:])
        sm.Energy("coupling", -0.5 * s * t)
        sm.Observable("m", s.mean())
    return model


def only(monkeypatch, *names):
    for name in set(UPDATES) - set(names):
        monkeypatch.delitem(UPDATES, name)


def test_every_legal_update_is_tried_alone_or_beside_the_automatic_one(monkeypatch):
    only(monkeypatch, "heat_bath", "metropolis", "kawasaki")
    right = UPDATES["metropolis"]
    partial = Update("partial", right.refuse, right.build, automatic=False, ergodic=False)
    never = Update("never", lambda _: "it is not", right.build)
    build = UPDATES["kawasaki"].build
    clusters = Update("clusters", lambda _: None, build, automatic=False)
    for update in (partial, never, clusters):
        monkeypatch.setitem(UPDATES, update.name, update)
    expected = [
        "heat_bath",
        "metropolis",
        [("heat_bath", 1), ("partial", 1)],
        [("heat_bath", 1), ("partial", 5)],
        "clusters",
        [("heat_bath", 1), ("clusters", 1)],
        [("heat_bath", 1), ("clusters", 5)],
    ]
    assert candidates(lower_model(two_variables())) == {"s": expected, "t": expected}


def test_the_most_effective_samples_a_second_win():
    """Variable s is decided first; t is tried beside what was best for s."""
    speeds = {("a", "x"): (10.0, 1.0), ("b", "x"): (4.0, 2.0), ("c", "x"): (1.0, 11.0)}
    speeds |= {("b", "y"): (1.0, 1.0)}
    bests = []

    def measure(updates, best):
        bests.append(best)
        tau, seconds = speeds[updates["s"], updates["t"]]
        return Trial(updates, "m", tau, seconds, 100, 1)

    trials = choose({"s": ["a", "b", "c"], "t": ["x", "y"]}, measure)
    assert [dict(x.updates) for x in trials] == [
        {"s": "b", "t": "y"},
        {"s": "a", "t": "x"},
        {"s": "b", "t": "x"},
        {"s": "c", "t": "x"},
    ]
    assert bests == [0.0, 0.05, 0.0625, 0.0625]


def test_of_equals_the_automatic_one_stays():
    trials = choose({"s": ["auto", "other"]}, lambda u, _: Trial(u, "m", 2.0, 1.0, 100, 4))
    assert trials[0].updates == {"s": "auto"}
    assert trials[0].rate == 1.0


@pytest.fixture
def slow(monkeypatch):
    """A clock by which all draws of a trial take a second, or a thousand where it is Metropolis's turn."""
    only(monkeypatch, "heat_bath", "metropolis")
    now = [0.0]
    compile_model = choosing.compile_model

    def compiled(model, n, *, updates, **options):
        now[0], slow.step = 0.0, 1e3 if updates["s"] == slow.name else 1.0
        return compile_model(model, n, updates=updates, **options)

    def clock():
        now[0] += slow.step
        return now[0]

    monkeypatch.setattr(choosing, "compile_model", compiled)
    monkeypatch.setattr(choosing, "clock", clock)
    return slow


@pytest.mark.parametrize(
    ("name", "other"), [("metropolis", "heat_bath"), ("heat_bath", "metropolis")]
)
def test_the_clock_decides_and_hopeless_trials_end_early(slow, name, other):
    slow.name = name
    data = sm.sample(sm.models.ising(L=4), updates="tuned", tune=4000, **OPTIONS)
    best, worst = json.loads(data.attrs["tuned"])
    assert best["updates"] == {"s": other}
    assert json.loads(data.attrs["updates"]) == {"s": other}
    assert best["slowest"] == "m"
    if name == "metropolis":  # which comes second
        assert worst["draws"] == choosing.SHORTEST
        assert worst["draws"] < choosing.RESOLVED * worst["tau"]


def test_a_real_run_can_be_repeated():
    model = sm.models.xy(L=4)
    options = OPTIONS | {"T": [1.0, 2.0], "tune": 200, "chains": 2}
    data = sm.sample(model, updates="tuned", **options)
    rows = json.loads(data.attrs["tuned"])
    rates = [row["effective_samples_per_second"] for row in rows]
    assert len(rows) == len(candidates(lower_model(model))["theta"])
    assert rates[0] == max(rates) > 0
    again = sm.sample(model, updates=json.loads(data.attrs["updates"]), **options)
    assert np.array_equal(data.posterior.energy, again.posterior.energy)


def test_ladders_choose_too(slow):
    slow.name = "heat_bath"
    options = OPTIONS | {"T": (2.0, 4.0), "tune": 200, "chains": 2}
    data = sm.temper(sm.models.ising(L=4), updates="tuned", **options)
    assert json.loads(data.attrs["updates"]) == {"s": "metropolis"}
    assert "tuned" in data.attrs


def test_a_short_tune_is_refused():
    with pytest.raises(ArgumentError, match="too short to measure updates .* tune=256 at least"):
        sm.sample(sm.models.ising(L=4), updates="tuned", tune=255, thin=2, **OPTIONS)


def test_explain_says_what_would_be_measured(monkeypatch):
    only(monkeypatch, "heat_bath", "metropolis")
    text = str(sm.explain(sm.models.ising(L=4), updates="tuned"))
    assert 's: updates="tuned" measures heat_bath, metropolis' in text
    assert "heat_bath   chosen, the first that is legal" in text

"""Collective moves beside passes over sites, by a move that turns all spins around at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl import rng
from statmech_dsl.backends.collective import KINDS, Kind
from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.collective import Collective
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.testing import check_backend, check_transition_matrix
from statmech_dsl.updates import UPDATES, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Collective):
    """All spins change their sign with a probability that does not depend on the state."""


@dataclass(frozen=True, slots=True)
class TurnSpec(CollectiveSpec):
    def lower(self, at):
        return Turn(
            update=self.update,
            variable=self.variable,
            stream=at.stream,
            times=at.times,
            tallied=True,
        )


class Turner:
    def __init__(self, seat):
        self.seat = seat

    def move(self, state, n):
        x = state.values[self.seat.move.variable]
        for t in range(state.sweep, state.sweep + n):
            for r, number in enumerate(state.replicas):
                for k in range(self.seat.move.times):
                    word = rng.philox(k, number, t, self.seat.move.stream, state.seed)[0]
                    if rng.uniform(int(word)) < 0.25:
                        x[r] *= -1
                        state.accepted[self.seat.row, r] += 1

    def source(self):
        return "turns all spins"

    def branches(self, state, x):
        name = self.seat.move.variable
        yield x, 0.75
        yield x | {name: -x[name]}, 0.25


@pytest.fixture
def turn(monkeypatch):
    monkeypatch.setitem(KINDS, Turn, Kind(Turner, lambda seat, threads: Turner(seat)))
    update = Update(
        "turn",
        lambda _: None,
        lambda variable, _: TurnSpec("turn", variable),
        automatic=False,
        ergodic=False,
    )
    monkeypatch.setitem(UPDATES, "turn", update)


def ring(n=4, h=0.0):
    i = np.arange(n)
    with sm.Model() as model:
        s = sm.Spin("s", n)
        sm.Energy("exchange", -1.0 * s[i] * s[(i + 1) % n])
        sm.Observable("m", s.mean())
        if h:
            sm.Energy("field", -h * s)
    return model


def test_a_sweep_with_a_collective_move_keeps_the_distribution(turn):
    found = check_transition_matrix(ring(), ["heat_bath", ("turn", 3)], beta=0.7)
    assert found.n_states == 16


def test_a_move_that_breaks_the_symmetry_of_the_model_is_seen(turn):
    with pytest.raises(sm.errors.ValidationError, match="pi P - pi"):
        check_transition_matrix(ring(h=0.3), ["heat_bath", "turn"])


@pytest.mark.parametrize("recipe", [["heat_bath", ("turn", 2)], [("metropolis", 2), "turn"]])
def test_every_layout_of_the_passes_follows_the_reference(turn, recipe):
    assert check_backend(ring(70), updates=recipe, replicas=(1, 3, 70), threads=(1, 2)) >= 6


def test_alone_it_is_refused(turn):
    with pytest.raises(IllegalUpdateError, match="turn alone would not reach all states of 's'"):
        sm.sample(ring(), updates="turn", progressbar=False)


def test_what_was_made_is_recorded_and_can_be_asked_for_again(turn):
    recipe = [["heat_bath", 2], ["turn", 3]]
    options = {"draws": 50, "tune": 0, "seed": 1, "progressbar": False}
    data = sm.sample(ring(), updates=recipe, **options)
    assert data.attrs["updates"] == '{"s": [["heat_bath", 2], ["turn", 3]]}'
    assert abs(float(data.sample_stats.s_turn_acceptance.mean()) - 0.25) < 0.05
    again = sm.sample(ring(), updates={"s": recipe}, **options)
    assert np.array_equal(data.posterior.m, again.posterior.m)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ([], "updates= is empty"),
        ([("heat_bath", 0)], "updates= holds"),
        ([("heat_bath", 1, 2)], "updates= holds"),
        ([3], "updates= holds 3"),
        (7, "updates= is 7"),
        ([("glauber", 1)], "no update 'glauber'"),
    ],
)
def test_what_is_no_recipe_is_refused(recipe, message):
    with pytest.raises(IllegalUpdateError, match=message):
        sm.sample(ring(), updates=recipe, progressbar=False)

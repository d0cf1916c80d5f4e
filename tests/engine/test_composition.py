"""Sweeps of several updates: palindromes, what they are made of, and how they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.cli.arguments import read_updates, write_recipe
from statmech_dsl.errors import ArgumentError, IllegalUpdateError
from statmech_dsl.testing import check_backend, check_transition_matrix, declarations, small_models
from statmech_dsl.testing.conformance import enumeration
from statmech_dsl.testing.setup import begin, build

PALINDROME = ["heat_bath", "reversed heat_bath"]
LEVELS = next(d for d in declarations() if d.label == "Levels")
ANGLE = next(d for d in declarations() if d.label == "Angle")
QUIET = {"draws": 20, "tune": 10, "seed": 1, "progressbar": False}


def asymmetry(model, updates, **options):
    """Largest difference between the flow from a state to another and that back."""
    sampler = build(model, updates=updates, **options)
    exact = enumeration(sampler, begin(sampler, 0.9, seed=1))
    flow = exact.stationary()[:, None] * exact.matrix()
    return np.abs(flow - flow.T).max()


@pytest.mark.parametrize("kind", ["pairs", "local", "sum"])
def test_a_palindrome_satisfies_detailed_balance(kind):
    """Colors in turn, and one site after the other."""
    model = small_models(LEVELS)[kind]
    assert asymmetry(model, PALINDROME) < 1e-12
    assert asymmetry(model, ["metropolis", *PALINDROME, "reversed metropolis"]) < 1e-12
    assert asymmetry(model, "heat_bath") > 1e-10
    assert asymmetry(model, ["heat_bath"] * 2) > 1e-10
    assert asymmetry(model, "reversed heat_bath") > 1e-10
    assert check_transition_matrix(model, PALINDROME).n_unit == 1


def test_a_palindrome_under_a_tabulated_law():
    model = small_models(LEVELS)["pairs"]
    assert asymmetry(model, PALINDROME, law="tabulated") < 1e-12
    assert asymmetry(model, "heat_bath", law="tabulated") > 1e-10


def test_reversed_passes_with_replicas_as_lanes():
    """Of the field tier and of the generic one, with random words and without."""
    recipe = ["heat_bath", ("overrelaxation", 2), "reversed overrelaxation", "reversed heat_bath"]
    for declaration, updates in ((LEVELS, PALINDROME), (ANGLE, recipe)):
        model = small_models(declaration)["pairs"]
        check_backend(model, updates=updates, replicas=(9,), threads=(1,), sweeps=2)


def test_reversed_passes_with_sites_as_lanes():
    model = small_models(LEVELS, 40)["pairs"]
    check_backend(model, updates=PALINDROME, replicas=(3,), threads=(1,), sweeps=2)


def test_one_site_after_the_other_from_both_ends():
    model = small_models(LEVELS)["sum"]
    check_backend(model, updates=PALINDROME, replicas=(3,), threads=(1,), sweeps=2)


def test_fast_kernels_that_take_no_reversed_pass_say_so():
    ising = str(sm.explain(sm.models.ising(L=8), updates=PALINDROME))
    assert "reversed heat_bath visits its sites in the opposite order" in ising
    glass = str(sm.explain(sm.models.sherrington_kirkpatrick(N=32), updates=PALINDROME))
    assert "not the dense field tier: it visits its sites in the opposite order" in glass


def test_what_a_sweep_is_made_of_is_recorded_and_explained():
    recipe = {"theta": [["overrelaxation", 5], ["reversed heat_bath", 2]]}
    data = sm.sample(sm.models.xy(L=4), updates=recipe, **QUIET)
    assert data.attrs["updates"] == (
        '{"theta": [["overrelaxation", 5], ["reversed heat_bath", 2]]}'
    )
    assert set(data.sample_stats) == {
        "theta_overrelaxation_acceptance",
        "theta_heat_bath_acceptance",
    }
    text = str(sm.explain(sm.models.xy(L=4), updates=recipe, source=True))
    assert "theta: overrelaxation, 5 times a sweep, no random words" in text
    assert "theta: reversed heat_bath, 2 times a sweep, random words" in text
    assert text.count("# overrelaxation of theta") == 1


def test_a_step_of_pymc_takes_a_recipe():
    with sm.Model():
        phi = sm.Field("phi", 8)
        sm.Energy("binding", 0.5 * phi**2)
        step = sm.LocalGibbs([phi], updates=["heat_bath", ("overrelaxation", 2)], rng=1)
    point, stats = step.step({"phi": np.ones(8)})
    assert stats[0]["changed"] == 8


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("auto", "auto"),
        ("heat_bath+overrelaxation*5", [("heat_bath", 1), ("overrelaxation", 5)]),
        ("heat_bath + reversed heat_bath", [("heat_bath", 1), ("reversed heat_bath", 1)]),
        (
            "a=overrelaxation*5+auto,b=metropolis",
            {"a": [("overrelaxation", 5), ("auto", 1)], "b": "metropolis"},
        ),
    ],
)
def test_recipes_as_text(text, recipe):
    assert read_updates(text) == recipe
    if not isinstance(recipe, dict):
        assert read_updates(write_recipe(recipe)) == recipe


@pytest.mark.parametrize("text", ["heat_bath*x", "heat_bath+", "5*heat_bath", "heat_bath*2*2"])
def test_what_is_no_recipe_as_text(text):
    with pytest.raises(ArgumentError, match="cannot read the updates"):
        read_updates(text)


def test_only_what_is_known_can_be_reversed():
    with pytest.raises(IllegalUpdateError, match="no update 'glauber'"):
        sm.sample(sm.models.ising(L=2), updates="reversed glauber", **QUIET)

"""Requests for updates that would be wrong, each refused by name, with the reason."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, IllegalUpdateError, ModelError
from statmech_dsl.updates import UPDATES, Update

QUIET = {"progressbar": False, "seed": 1}


def ising():
    return sm.models.ising(L=4)


def saturated():
    """An energy of an angle that is no first harmonic."""
    with sm.Model() as model:
        theta = sm.Angle("theta", 4)
        sm.Energy("saturated", -pm.math.tanh(pm.math.cos(theta[:-1] - theta[1:])))
    return model


def compass():
    """Directions of more values than are worth a look at each."""
    with sm.Model() as model:
        k = sm.Clock("k", 4, q=100)
        sm.Energy("field", -pm.math.cos(k.angle))
    return model


def dimers():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("bonds", s[:2] * s[2:])
    return model


def sample(model, updates):
    return sm.sample(model(), updates=updates, **QUIET)


def local_gibbs(updates):
    with ising() as model:
        sm.LocalGibbs([model["s"]], updates=updates)


def partial():
    """An update that asks for another one beside it."""
    right = UPDATES["metropolis"]
    return Update("partial", right.refuse, right.build, automatic=False, ergodic=False)


# What is asked for, what the message says, and the error's class.
REQUESTS = {
    "a name that does not exist": (
        lambda: sample(ising, "glauber"),
        "no update 'glauber'.*heat_bath",
    ),
    "a variable that does not exist": (
        lambda: sample(ising, {"t": "heat_bath"}),
        "names t, which the model does not have.*s",
    ),
    "nothing": (lambda: sample(ising, []), "updates= is empty"),
    "a number of times that is none": (
        lambda: sample(ising, [("heat_bath", 0)]),
        r"updates= holds \('heat_bath', 0\)",
    ),
    "what is no recipe": (lambda: sample(ising, 7), "updates= is 7"),
    "an update that does not reach all states, alone": (
        lambda: sample(ising, [("partial", 3)]),
        "partial alone would not reach all states of 's'",
    ),
    "one that does not, beside one that conserves": (
        lambda: sample(ising, ["partial", "kawasaki"]),
        "partial and kawasaki alone would not reach all states of 's'",
    ),
    "an exact draw from an energy of another form": (
        lambda: sample(saturated, "heat_bath"),
        "heat_bath is not legal for 'theta': the energy is not a first harmonic function",
    ),
    "an exact draw among many values": (
        lambda: sample(compass, "heat_bath"),
        "heat_bath is not legal for 'k': 100 values are more than 64",
    ),
    "Metropolis under weights from a table": (
        lambda: sm.flat_histogram(ising(), updates="metropolis", **QUIET),
        "metropolis is not legal for 's': in a fixed order it need not be ergodic",
    ),
    "exchanges under weights of all states": (
        lambda: sm.flat_histogram(ising(), updates="kawasaki", **QUIET),
        "kawasaki is not legal for 's': a flat histogram is one of all states",
    ),
    "exchanges without pairs": (
        lambda: sample(lambda: sm.models.curie_weiss(N=100), "kawasaki"),
        "kawasaki is not legal for 's': no two of its free sites share a term",
    ),
    "exchanges between parts that do not meet": (
        lambda: sample(dimers, "kawasaki"),
        "kawasaki is not legal for 's': its free sites fall into 2 parts",
    ),
    "exchanges in a population of all states": (
        lambda: sm.population_anneal(ising(), T=2.0, population=9, updates="kawasaki", **QUIET),
        "population annealing .* updates of 's' keep to those states",
        ArgumentError,
    ),
    "exchanges in a ladder of different sectors": (
        lambda: sm.temper(ising(), T=[2.0, 2.5], updates="kawasaki", **QUIET),
        "hold other values of 's', which its updates conserve",
        ArgumentError,
    ),
    "moves of many sites in a step of pm.sample": (
        lambda: local_gibbs("kawasaki"),
        "sm.LocalGibbs makes local updates only, not kawasaki",
        ModelError,
    ),
    "measured speeds where nothing measures": (
        lambda: sm.anneal(ising(), reads=2, sweeps=9, updates="tuned", **QUIET),
        "updates='tuned' measures .* only sample and temper",
    ),
    "measured speeds in a step of pm.sample": (
        lambda: local_gibbs("tuned"),
        "updates='tuned' measures .* only sample and temper",
    ),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_it_is_refused_by_name(request_, monkeypatch):
    monkeypatch.setitem(UPDATES, "partial", partial())
    ask, message, *error = request_
    with pytest.raises(*error or [IllegalUpdateError], match=message):
        ask()


def test_what_is_refused_is_legal_elsewhere():
    """The refusals are not of everything."""
    half = {"s": np.where(np.arange(16) % 2, 1, -1)}
    options = QUIET | {"draws": 5, "tune": 5, "init": half, "updates": "kawasaki"}
    assert (sm.sample(ising(), T=2.0, **options).posterior.m == 0).all()
    assert (sm.temper(ising(), T=[2.0, 2.5], **options).posterior.m == 0).all()

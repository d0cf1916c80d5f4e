"""Values that a log-density forbids: which terms can be infinite, and that they are never taken."""

import itertools

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.lower.infinities import may_be_infinite
from statmech_dsl.lower.recovery import recover


@pytest.mark.parametrize("update", ["heat_bath", "metropolis"])
def test_forbidden_values_are_never_taken(update):
    """No two neighbors have color 0, the first one that is weighed."""
    with sm.Model() as model:
        n = sm.Potts("n", 5, q=3)
        both = pt.eq(n[1:], 0) & pt.eq(n[:-1], 0)
        pm.Potential("hard", pt.switch(both, -np.inf, 0.5 * pt.eq(n[1:], 0)))
    data = sm.sample(
        model, chains=4, seed=1, updates=update, store="n", init="cold", progressbar=False
    )
    n = data.posterior.n.values.reshape(-1, 5) == 0
    assert not (n[:, 1:] & n[:, :-1]).any()
    states = np.array(list(itertools.product(range(3), repeat=5))) == 0
    weight = np.exp(0.5 * states[:, 1:].sum(axis=1)) * ~(states[:, 1:] & states[:, :-1]).any(axis=1)
    batches = np.stack([b.mean(axis=0) for b in np.array_split(n, 25)])
    error = batches.std(axis=0, ddof=1) / 5
    assert (abs(n.mean(axis=0) - np.average(states, axis=0, weights=weight)) < 4 * error).all()


FINITE = {
    "polynomial": lambda n: -(n**2),
    "log of what is positive": lambda n: pt.log(1 + n),
    "log of an exponential": lambda n: pt.log1p(pt.exp(n)),
    "division by what is positive": lambda n: 1 / (n**2 + 1),
    "log of a positive choice": lambda n: pt.log(pt.switch(n > 1, 0.3, 0.7)),
}
INFINITE = {
    "constant": lambda n: pt.switch(n > 1, -np.inf, 0.0),
    "log of zero": lambda n: pt.log(n),
    "log of a choice": lambda n: pt.log(pt.constant([0.5, 0.5, 0.0])[n]),
    "division by zero": lambda n: 1 / n,
}


@pytest.mark.parametrize("name", [*FINITE, *INFINITE])
def test_which_terms_may_be_infinite(name):
    with pm.Model() as model:
        n = sm.Levels("n", 4, values=[0, 1, 2])
        pm.Potential("e", (FINITE | INFINITE)[name](n))
    recovered = recover(model)
    found = [may_be_infinite(f, recovered.ir, recovered.tables) for f in recovered.ir.families]
    assert any(found) == (name in INFINITE)

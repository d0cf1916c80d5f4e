"""Improved estimators: exact means on small models, agreement with plain estimators, and what they gain."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.collective import Seat
from statmech_dsl.backends.collective.clusters import ClusterDefinition
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import ArgumentError, IllegalUpdateError
from statmech_dsl.ir.clusters import GHOST
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.testing import check_backend

ALL, ONE = sm.SwendsenWang(improved=True), sm.Wolff(improved=True)
FIRST, SECOND = np.array([0, 1, 2, 0, 0]), np.array([1, 2, 3, 2, 1])
"""A triangle with a tail, and a double bond."""
BETA = 0.7


def random(n, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def spins(declare=sm.Spin, field=0.0, **arguments):
    with sm.Model() as model:
        x = declare("x", 4, **arguments)
        s = 2 * x - 1 if declare is sm.Occupation else x
        sm.Energy("exchange", random(5) * s[FIRST] * s[SECOND])
        if field:
            sm.Energy("field", field * random(4, 1) * s)
    return model


def clamped(declare=sm.Spin, **arguments):
    known = np.ma.masked_array([1, 1, 0, 1], [True, True, False, True])
    return spins(declare, observed=known, **arguments)


def potts(q, coupling, field=0.0):
    with sm.Model() as model:
        x = sm.Potts("x", 4, q=q)
        sm.Energy("exchange", coupling * pt.eq(x[FIRST], x[SECOND]))
        if field:
            sm.Energy("field", field * pt.eq(x, 1))
    return model


def clock(q, field=0.0):
    with sm.Model() as model:
        x = sm.Clock("x", 3, q=q)
        sm.Energy("exchange", random(2) * pt.cos(x.angle[:2] - x.angle[1:]))
        if field:
            sm.Energy("field", field * pt.cos(x.angle + 0.3))
    return model


def half_a_clock():
    """Even under reflections about directions, not under those between them."""
    with sm.Model() as model:
        x = sm.Clock("x", 3, q=4)
        sm.Energy("odd", -0.8 * pt.cos(x.angle[:2] + x.angle[1:]))
    return model


# ---- exact means ------------------------------------------------------------------------------------------


def means_of(model, updates):
    """The mean of what a move reports over all states and clusters, and |m|^2 from the states."""
    lowered = lower_model(model, [updates, "auto"]).lowered
    program, tables = lowered.program, lowered.tables
    (move,) = program.collective
    definition = ClusterDefinition(Seat(move, program, tables, 0, slice(0), slice(0)))
    variable = program.model.variable("x")
    domain, free = variable.domain, tables[variable.free]
    states = np.ones((len(domain.values) ** len(free), variable.n_sites), np.int64)  # as clamped
    states[:, free] = list(product(domain.values, repeat=len(free)))
    (tempered, _) = energies(program.model, tables, {"x": states.T})
    weights = np.exp(-BETA * tempered)
    found, plain = 0.0, 0.0
    for state, weight in zip(states, weights / weights.sum(), strict=True):
        x = {"x": state}
        plain += weight * (domain.vectors(state[None])[0].mean(axis=0) ** 2).sum()
        seeds = free if move.one else [GHOST]
        for seed in seeds:
            rows = definition._rows(x, seed)
            for row in rows:
                image = definition._mirror(row)
                share = weight / len(rows) / (len(seeds) + move.one)
                for label, p in definition._partitions(x, BETA, image).items():
                    report = definition._report(x, label, image, row, seed)
                    found = found + p * share * report
    return found, plain


BOTH = {
    "spins": spins,
    "occupations": lambda: spins(sm.Occupation),
    "levels": lambda: spins(sm.Levels, values=[-2, 0, 2]),
    "ferromagnetic Potts": lambda: potts(3, -1.1),
    "random Potts": lambda: potts(3, random(5)),
    "two colors": lambda: potts(2, -0.8),
    **{f"clock {q}": lambda q=q: clock(q) for q in (2, 3, 4, 5)},
}
HELD = {
    "spins in a field": lambda: spins(field=0.8),
    "clamped": clamped,
    "clamped levels in a field": lambda: clamped(sm.Levels, values=[-1, 0, 1], field=0.8),
    "Potts in a field": lambda: potts(3, -1.1, field=-0.5),
    "clock in a field": lambda: clock(5, field=0.7),
}


@pytest.mark.parametrize(
    ("case", "move"), [(c, m) for c in BOTH for m in (ALL, ONE)] + [(c, ALL) for c in HELD]
)
def test_the_mean_is_exact(case, move):
    (found,), plain = means_of((BOTH | HELD)[case](), move)
    assert abs(found - plain) < 1e-12

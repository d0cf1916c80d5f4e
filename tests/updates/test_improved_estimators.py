"""Improved estimators: exact means on small models, agreement with plain estimators, and what they gain."""

from __future__ import annotations

import json
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

ALL, ONE = sm.SwendsenWang(improved=True), sm.Wolff(improved=True)
FIRST, SECOND = np.array([0, 1, 2, 0, 0]), np.array([1, 2, 3, 2, 1])
"""A triangle with a tail, and a double bond."""
BETA = 0.7


def random(n, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def spins(declare=sm.Spin, field=0.0, **arguments):
    with sm.Model() as model:
        x = declare("x", 4, **arguments)
        sm.Energy("exchange", random(5) * x[FIRST] * x[SECOND])
        if field:
            sm.Energy("field", field * random(4, 1) * x)
    return model


def clamped(declare=sm.Spin, **arguments):
    known = np.ma.masked_array([1, 1, -1, 1], [True, True, False, True])
    return spins(declare, observed=known, **arguments)


def equal(declare, coupling, field=0.0, **arguments):
    with sm.Model() as model:
        x = declare("x", 4, **arguments)
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


def part_of_a_clock(energy):
    with sm.Model() as model:
        x = sm.Clock("x", 3, q=4)
        sm.Energy("exchange", -0.8 * energy(x.angle[:2], x.angle[1:]))
    return model


def continuous(kind, field=0.0):
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        if kind == "phi4":
            x = sm.Field("x", lattice)
            sm.Energy("exchange", 0.5 * (x[i] - x[j]) ** 2)
            sm.Energy("well", -0.75 * x**2 + 0.25 * x**4)
            sm.Energy("field", -field * x)
            sm.Observable("m2", x.mean() ** 2)
        elif kind == "xy":
            x = sm.Angle("x", lattice)
            sm.Energy("exchange", -pt.cos(x[i] - x[j]))
            sm.Energy("field", -field * pt.cos(x))
            sm.Observable("m2", pt.cos(x).mean() ** 2 + pt.sin(x).mean() ** 2)
        else:
            x = sm.UnitVector("x", lattice)
            sm.Energy("exchange", -(x[i] * x[j]).sum(axis=-1))
            sm.Energy("field", -field * x[:, 0])
            sm.Observable("m2", (x.mean(axis=0) ** 2).sum())
    return model


# ---- exact means ------------------------------------------------------------------------------------------


def means_of(model, updates):
    """The mean of what a move reports over all states and clusters, and |m|^2 from the states."""
    lowered = lower_model(model, [updates, "metropolis"]).lowered
    program, tables = lowered.program, lowered.tables
    (move,) = program.collective
    definition = ClusterDefinition(Seat(move, program, tables, 0, slice(0), slice(0), 1))
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
    "occupations": lambda: equal(sm.Occupation, random(5)),
    "levels": lambda: spins(sm.Levels, values=[-2, 0, 2]),
    "ferromagnetic Potts": lambda: equal(sm.Potts, -1.1, q=3),
    "random Potts": lambda: equal(sm.Potts, random(5), q=3),
    "half of the reflections of a clock": lambda: part_of_a_clock(lambda a, b: pt.cos(a + b)),
    "two colors": lambda: equal(sm.Potts, -0.8, q=2),
    **{f"clock {q}": lambda q=q: clock(q) for q in (2, 3, 4, 5)},
}
HELD = {
    "spins in a field": lambda: spins(field=0.8),
    "clamped": clamped,
    "clamped levels in a field": lambda: clamped(sm.Levels, values=[-1, 0, 1], field=0.8),
    "Potts in a field": lambda: equal(sm.Potts, -1.1, field=-0.5, q=3),
    "clock in a field": lambda: clock(5, field=0.7),
}


@pytest.mark.parametrize(
    ("case", "move"), [(c, m) for c in BOTH for m in (ALL, ONE)] + [(c, ALL) for c in HELD]
)
def test_the_mean_is_exact(case, move):
    (found,), plain = means_of((BOTH | HELD)[case](), move)
    assert abs(found - plain) < 1e-12


# ---- runs -------------------------------------------------------------------------------------------------


def run(model, updates, **more):
    options = {"T": 1.3, "draws": 200, "tune": 100, "chains": 8, "seed": 1, "progressbar": False}
    return sm.sample(model, updates=updates, **(options | more))


def mean_of(x):
    """Mean over independent chains, and its standard error."""
    chains = x.values.mean(axis=1)
    return chains.mean(axis=0), chains.std(axis=0, ddof=1) / len(chains) ** 0.5


def test_random_bonds_against_enumeration():
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    J = np.random.default_rng(1).uniform(0.2, 1.5, len(i.data))
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    states = 1.0 - 2 * (np.arange(1 << 16)[:, None] >> np.arange(16) & 1)
    weights = np.exp((states[:, i.data] * states[:, j.data]) @ J / 2.5)
    products = (states * weights[:, None]).T @ states / weights.sum()
    steps = np.arange(16).reshape(4, 4)
    exact = {"m2": products.mean()}
    for r in (1, 2):
        pairs = [products[steps, np.roll(steps, -r, axis)].mean() for axis in (0, 1)]
        exact[f"g{r}"] = np.mean(pairs)
    data = run(model, [sm.SwendsenWang(correlation=lattice.lengths), ONE], T=2.5, draws=400)
    stats = data.sample_stats
    assert stats.s_improved_correlation.dims[:2] == ("chain", "draw")
    found = {"m2": stats.s_improved_m2}
    found |= {f"g{r}": stats.s_improved_correlation[..., r] for r in (1, 2)}
    assert np.allclose(stats.s_improved_correlation[..., 0], 1.0)
    for name, x in found.items():
        value, error = mean_of(x)
        assert abs(value - exact[name]) < 4 * error
        assert error < 0.02


@pytest.mark.parametrize(("kind", "move", "field"), [
    ("phi4", ONE, 0.0), ("xy", ALL, 0.3), ("heisenberg", ALL, 0.3), ("heisenberg", ONE, 0.0),
])  # fmt: skip
def test_real_variables_against_the_plain_estimator(kind, move, field):
    data = run(continuous(kind, field), ["metropolis", move], T=0.9, chains=32, thin=2)
    difference, error = mean_of(data.sample_stats.x_improved_m2 - data.posterior.m2)
    assert abs(difference) < 4 * error
    assert error < 0.03 * float(data.posterior.m2.mean())


@pytest.mark.parametrize("move", [ALL, ONE], ids=str)
def test_errors_are_smaller_than_those_of_the_plain_estimator(move):
    data = run(sm.models.ising(L=16), move, T=3.5, draws=400, chains=4)
    plain, found = data.posterior.m**2, data.sample_stats.s_improved_m2
    value, error = mean_of(plain)
    assert abs(float(found.mean()) - value) < 4 * error
    if move is ALL:
        assert float(plain.var()) > 3 * float(found.var())


@pytest.mark.parametrize("thin", [1, 3])
def test_a_draw_has_the_mean_over_the_moves_that_led_to_it(thin):
    options = {"updates": [("metropolis", 1), (ALL, 2)], "tune": 4, "chains": 2, "T": [1.5, 2.5]}
    one = run(equal(sm.Potts, -1.0, q=3), draws=6, **options)
    some = run(equal(sm.Potts, -1.0, q=3), draws=6 // thin, thin=thin, **options)
    grouped = one.sample_stats.x_improved_m2.values.reshape(2, 6 // thin, thin, 2).mean(axis=2)
    assert some.sample_stats.x_improved_m2.dims == ("chain", "draw", "T")
    assert np.allclose(some.sample_stats.x_improved_m2, grouped, rtol=1e-12)


@pytest.mark.parametrize("build", [
    clamped, lambda: clock(3, 0.5), lambda: continuous("xy"), lambda: equal(sm.Potts, -1.0, q=3),
], ids=["clamped", "clock", "xy", "Potts"])  # fmt: skip
def test_compiled_moves_report_what_their_definition_does(build):
    model = build()
    moves = [sm.SwendsenWang(correlation=(model["x"].type.shape[0],))]
    if build is not clamped and "field" not in model.named_vars:
        moves.append(ONE)
    for move in moves:
        slow, fast = (
            run(model, move, draws=4, tune=1, chains=3, backend=backend).sample_stats
            for backend in ("reference", "numba")
        )
        for name in slow:
            assert np.allclose(slow[name], fast[name], rtol=1e-12), name


def test_the_ladder_keeps_reports_by_temperature():
    data = sm.temper(
        sm.models.ising(L=4), T=[2.0, 2.6, 9.0], updates=ALL, draws=200, tune=50, chains=2, seed=1,
        progressbar=False,
    )  # fmt: skip
    found = data.sample_stats.s_improved_m2.mean(("chain", "draw"))
    plain = (data.posterior.m**2).mean(("chain", "draw"))
    assert np.allclose(found, plain, atol=0.04)


# ---- what is refused, and records ---------------------------------------------------------------------------


def test_directions_that_are_not_all_there_are_no_average():
    model = part_of_a_clock(lambda a, b: pt.sin(a) * pt.sin(b) + pt.cos(a) * pt.cos(b) ** 2)
    with pytest.raises(IllegalUpdateError, match="do not go through all of them alike"):
        lower_model(model, [ALL, "metropolis"])


@pytest.mark.parametrize("build", [lambda: spins(field=0.5), clamped])
def test_one_cluster_tells_nothing_of_sites_that_are_held(build):
    with pytest.raises(IllegalUpdateError, match="swendsen_wang has improved estimators then"):
        lower_model(build(), ONE)
    lower_model(build(), sm.Wolff())


def test_lengths_have_to_fit():
    with pytest.raises(IllegalUpdateError, match="a torus of 4 x 2 has not its 4 sites"):
        lower_model(spins(), sm.SwendsenWang(correlation=(4, 2)))
    for wrong in ((), (4, 0), "ab", 3):
        with pytest.raises(ArgumentError, match="takes the lengths of a torus"):
            sm.SwendsenWang(correlation=wrong)


def test_the_record_repeats_the_run():
    options = {"draws": 5, "tune": 1, "chains": 1}
    first = run(sm.models.ising(L=4), sm.SwendsenWang(correlation=[4, 4]), **options)
    assert first.attrs["updates"] == '{"s": "swendsen_wang(correlation=(4, 4))"}'
    again = run(sm.models.ising(L=4), json.loads(first.attrs["updates"]), **options)
    assert np.array_equal(
        first.sample_stats.s_improved_correlation, again.sample_stats.s_improved_correlation
    )

"""Kawasaki dynamics: exact in every sector, conserved values, bonds that do not see each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.numba_cpu.layouts import SiteLanes
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import ArgumentError, IllegalUpdateError
from statmech_dsl.lower.bonds import Bonds, color_bonds, prove
from statmech_dsl.lower.recovery import recover
from statmech_dsl.testing import (
    check_backend,
    check_geweke,
    check_transition_matrix,
    declarations,
    small_models,
)
from statmech_dsl.testing.setup import begin, build

QUIET = {"progressbar": False, "seed": 1}


def gas(n=8, penalty=0.0, known=None):
    """Particles on a ring with random bonds and fields."""
    rng, i = np.random.default_rng(0), np.arange(n)
    J, h = rng.normal(size=(2, n))
    with sm.Model() as model:
        x = sm.Occupation("n", n, observed=known)
        sm.Energy("attraction", -J * x[i] * x[(i + 1) % n])
        sm.Energy("field", -h * x)
        if penalty:
            sm.Energy("penalty", penalty * abs((x * h).sum() - 1.0))
    return model, J, h


def canonical_energy(J, h, n_particles, beta):
    """Mean energy over all states of a number of particles."""
    n = len(J)
    energies = []
    for occupied in combinations(range(n), n_particles):
        x = np.isin(np.arange(n), occupied)
        energies.append(-J @ (x * np.roll(x, -1)) - h @ x)
    weights = np.exp(-beta * np.array(energies))
    return weights @ energies / weights.sum()


def first_state(n=8, n_particles=3):
    return {"n": np.arange(n) < n_particles}


def test_the_matrix_has_one_sector_for_each_number_of_particles():
    found = check_transition_matrix(gas(5)[0], "kawasaki", beta=0.8)
    assert (found.n_states, found.n_sectors, found.leaving) == (32, 6, 0.0)


@pytest.mark.parametrize("q", [4, 5, 6])
def test_clocks_of_many_directions(q):
    clock = next(d for d in declarations() if d.label == "Clock")
    model = small_models(replace(clock, arguments=(("q", q),)), 3)["pairs"]
    found = check_transition_matrix(model, "kawasaki", beta=0.9)
    assert found.n_sectors == q * (q + 1) * (q + 2) // 6


def test_exchanges_in_between_do_not_disturb_other_updates():
    found = check_transition_matrix(gas(4)[0], [("heat_bath", 1), ("kawasaki", 2)], beta=0.8)
    assert found.n_sectors == 1


def test_a_function_of_a_sum_over_all_sites():
    known = np.ma.masked_array(np.arange(9) % 2, np.arange(9) < 5)
    model, *_ = gas(9, penalty=0.7, known=known)
    assert build(model, updates="kawasaki").program.collective[0].bonds.exclusive
    check_transition_matrix(model, "kawasaki")
    check_backend(model, updates="kawasaki", replicas=(1, 9), threads=(1,))


def test_a_wrong_weight_is_seen(monkeypatch):
    from statmech_dsl.lower.collective import exchange

    right = exchange.bond_occurrences
    monkeypatch.setattr(exchange, "bond_occurrences", lambda *a: right(*a)[1:])
    with pytest.raises(sm.errors.ValidationError, match="pi P - pi"):
        check_transition_matrix(gas(4)[0], "kawasaki")


@pytest.mark.parametrize("declaration", declarations(), ids=str)
def test_values_change_places_only(declaration):
    sampler = build(small_models(declaration)["pairs"], updates="kawasaki")
    state = begin(sampler, np.full(8, 0.5), seed=1)
    packed = sampler.kernels.pack(state)
    sampler.kernels.sweep(packed, 1)
    shape = (8, -1, declaration.domain.components)
    before, after = (v.values["x"].reshape(shape) for v in (state, sampler.kernels.unpack(packed)))
    assert not np.array_equal(before, after)
    for x, y in zip(before, after, strict=True):
        assert sorted(map(tuple, x)) == sorted(map(tuple, y))


def test_joint_distribution_with_an_exact_draw():
    angle = next(d for d in declarations() if d.label == "Angle")
    check_geweke(small_models(angle, 3)["pairs"], ["heat_bath", "kawasaki"], replicas=5000)


@pytest.mark.parametrize("recipe", ["kawasaki", [("heat_bath", 1), ("kawasaki", 2)]])
def test_sites_as_lanes_and_clamped_sites(recipe):
    rng, n = np.random.default_rng(1), 150
    i, j = np.arange(n - 1), np.minimum(np.arange(n - 1) + rng.integers(1, 4, n - 1), n - 1)
    known = np.ma.masked_array(np.ones(n, int), np.arange(n) >= 4)
    with sm.Model() as model:
        s = sm.Spin("s", n, observed=known)
        sm.Energy("exchange", rng.normal(size=n - 1) * s[i] * s[j])
        sm.Energy("field", rng.normal(size=n) * s)
    kernels: Any = build(model, 2, updates=recipe, backend="numba").kernels
    assert isinstance(kernels.movers[0].kernels(2).layout, SiteLanes)
    check_backend(model, updates=recipe, replicas=(2,), threads=(2,), sweeps=1)


def test_sample_and_temper_agree_with_the_canonical_ensemble():
    model, J, h = gas()
    options = QUIET | {"updates": "kawasaki", "init": first_state(), "draws": 2000}
    betas = [0.4, 1.0]
    sampled = sm.sample(model, beta=betas, **options)
    tempered = sm.temper(model, beta=betas, tune=100, **options)
    for data in (sampled, tempered):
        for beta in betas:
            energy = data.posterior.energy.sel(T=1 / beta).transpose("chain", "draw").to_numpy()
            found = sm.tau_int(energy)
            assert abs(found.value - canonical_energy(J, h, 3, beta)) < 4 * found.error
    assert tempered.sample_stats.log_partition.attrs["reference"] == "the highest temperature"


def test_a_hot_start_draws_what_is_conserved():
    data = sm.sample(gas()[0], updates="kawasaki", store="n", draws=5, **QUIET)
    number = data.posterior.n.sum("n_site").to_numpy()
    assert (number == number[:, :1]).all()
    assert len(np.unique(number)) > 1


# ---- bonds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lattice", [sm.lattices.square(6), sm.lattices.triangular(5)], ids=str)
def test_bonds_of_a_color_do_not_see_each_other(lattice):
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", s[i] * s[j])
    tables = lower_model(model, "kawasaki").lowered.tables
    first, second, segments = (tables[f"s.bonds.{x}"] for x in ("order", "partner", "segments"))
    assert len(first) == len(i)
    near = np.eye(s.type.shape[0], dtype=int)
    near[i, j] = near[j, i] = 1
    for a, b in zip(segments[:-1], segments[1:], strict=True):
        for p, q in combinations(range(a, b), 2):
            mine, other = [first[p], second[p]], [first[q], second[q]]
            assert not near[np.ix_(mine, other)].any()


def test_a_wrong_color_is_seen():
    chain = Bonds(np.array([0, 1, 2, 3], np.uint32), np.array([1, 2, 3, 4], np.uint32))
    assert color_bonds(chain, 5).n_colors == 3
    for wrong in ([0, 1, 0, 1], [0, 0, 1, 2]):
        with pytest.raises(AssertionError, match="share a site or a term"):
            prove(np.array(wrong), chain, 5)


def test_double_bonds_are_one_pair():
    lattice = sm.lattices.square(2)
    model = sm.models.ising(L=2)
    assert len(lattice.bonds[0]) == 8
    assert build(model, updates="kawasaki").program.collective[0].moves == 4
    check_transition_matrix(model, "kawasaki", beta=0.4)


# ---- refusals ------------------------------------------------------------------------------------


def two_dimers():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("bonds", s[:2] * s[2:])
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: sm.models.curie_weiss(N=100), "no two of its free sites share a term"),
        (two_dimers, "fall into 2 parts"),
        (lambda: sm.models.sherrington_kirkpatrick(N=600), "179700 pairs meet .* more than"),
    ],
)
def test_what_has_no_pairs_to_exchange_is_refused(model, reason):
    with pytest.raises(IllegalUpdateError, match=f"kawasaki is not legal for 's': .*{reason}"):
        sm.sample(model(), updates="kawasaki", progressbar=False)


def test_a_pair_that_enters_one_of_many_sums_twice_is_refused():
    rng = np.random.default_rng(0)
    with sm.Model() as model:
        s = sm.Spin("s", 80)
        sm.Energy("bonds", s[:-1] * s[1:])
        sm.Energy("patterns", -((rng.normal(size=(3, 80)) @ s) ** 4))
    assert recover(model).ir.sums
    with pytest.raises(IllegalUpdateError, match="a pair of sites enters one of them twice"):
        sm.sample(model, updates="kawasaki", progressbar=False)


@pytest.mark.parametrize(
    "run",
    [
        lambda m: sm.temper(m, T=[2.0, 2.5], updates="kawasaki", **QUIET),
        lambda m: sm.temper(m, T=(2.0, 2.5), updates="kawasaki", **QUIET),
        lambda m: sm.temper(
            m, T=[2.0, 3.0], houdayer=True, replicas_per_T=2, updates="kawasaki", **QUIET
        ),
        lambda m: sm.population_anneal(m, T=2.0, population=10, updates="kawasaki", **QUIET),
        lambda m: sm.validate(m, T=2.0, updates="kawasaki"),
    ],
    ids=["ladder", "range", "houdayer", "population", "validate"],
)
def test_runs_that_mix_sectors_are_refused(run):
    with pytest.raises(ArgumentError, match="'n'"):
        run(gas()[0])

"""Observables as functions of sums: which are, and that both ways of measuring give the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor
import pytest

import statmech_dsl as sm
from statmech_dsl.lower.observables import Observables
from statmech_dsl.testing.setup import begin, build

pt: Any = pytensor.tensor  # whose functions have no types

L = 10
N = L * L
LATTICE = sm.lattices.square(L)
FROM, TO = LATTICE.bonds
PATTERNS = np.random.default_rng(1).choice([-1, 1], (3, N))
WAVE = 2 * np.pi * np.arange(N) / L

# The declaration, the observable, and the sizes of the sums that it needs.
SUMS = {
    "magnetization": ("Spin", lambda s: s.mean(), [1]),
    "its modulus": ("Spin", lambda s: abs(s.mean()), [1]),
    "its square": ("Spin", lambda s: s.mean() ** 2, [1]),
    "staggered": ("Spin", lambda s: ((-1) ** (np.arange(N) // L + np.arange(N)) * s).mean(), [1]),
    "bonds": ("Spin", lambda s: (s[FROM] * s[TO]).mean(), [1]),
    "weighted bonds": ("Spin", lambda s: (0.37 * s[FROM] * s[TO]).sum(), [1]),
    "overlaps": ("Spin", lambda s: PATTERNS @ s / N, [3]),
    "einsum": ("Spin", lambda s: pt.einsum("pi,i->p", PATTERNS, s), [3]),
    "structure factor": (
        "Spin",
        lambda s: ((np.cos(WAVE) @ s) ** 2 + (np.sin(WAVE) @ s) ** 2) / N,
        [1, 1],
    ),
    "profile": ("Spin", lambda s: s.reshape((L, L)).mean(axis=0), [L]),
    "square of a profile": ("Spin", lambda s: (s.reshape((L, L)).mean(axis=0) ** 2).sum(), [L]),
    "two sums": ("Spin", lambda s: pt.stack([s.sum(), (s[FROM] * s[TO]).sum()]), [1, 1]),
    "two sites": ("Spin", lambda s: s[0] * s[5], [1]),
    "sign": ("Spin", lambda s: s.sum() > 0, [1]),
    "one color": ("Potts", lambda s: pt.eq(s, 1).mean(), [1]),
    "order parameter": (
        "Potts",
        lambda s: pt.max(pt.stack([pt.eq(s, k).mean() for k in range(3)])),
        [1, 1, 1],
    ),
    "angles": ("Angle", lambda t: pt.cos(t).sum(), [1]),
    "rotor": ("Angle", lambda t: pt.cos(t).mean() ** 2 + pt.sin(t).mean() ** 2, [1, 1]),
    "vector": ("UnitVector", lambda s: s.mean(axis=0), [3]),
    "length": ("UnitVector", lambda s: pt.linalg.norm(s.mean(axis=0)), [3]),
    "moments": ("Field", lambda x: (x**4).mean() / (x**2).mean() ** 2, [1, 1]),
}
UNPACKED = {
    "largest": ("Field", lambda x: x.max(), "maximum"),
    "all sites": ("Spin", lambda s: 1.0 * s, "100 numbers"),
    "all distances": ("Spin", lambda s: s[0] * s, "100 numbers"),
    "variance": ("Field", lambda x: x.var(), "nonlinear function of a sum"),
    "many profiles": (
        "Spin",
        lambda s: pt.stack([(s * np.roll(WAVE, k)).sum() for k in range(70)]),
        "70",
    ),
}
OPTIONS = {"Potts": {"q": 3}, "UnitVector": {"n": 3}}


def declare(kind, observables):
    with sm.Model() as model:
        x = getattr(sm, kind)("x", LATTICE, **OPTIONS.get(kind, {}))
        sm.Energy("binding", 0.1 * x**2)
        for name, f in observables.items():
            sm.Observable(name, f(x))
    return model


def measured_both_ways(model):
    """Observables as functions of sums, and on states: of three random states."""
    sampler = build(model)
    state = begin(sampler, np.ones(3), seed=1)
    sums = sampler.kernels.measure(sampler.kernels.pack(state))[2]
    return sampler.measured, sampler.measured(sums), Observables(model)(state.values)


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_found(name):
    kind, f, sizes = SUMS[name]
    measured = build(declare(kind, {name: f})).measured
    assert measured.unpacked == {}
    assert [s.size for s in measured.ir.sums] == sizes


@pytest.mark.parametrize("kind", sorted({kind for kind, *_ in SUMS.values()}))
def test_both_ways_agree(kind):
    chosen = {name: f for name, (k, f, _) in SUMS.items() if k == kind}
    measured, fast, slow = measured_both_ways(declare(kind, chosen))
    assert tuple(fast) == measured.names == tuple(chosen)
    for name, x in fast.items():
        assert x.dtype == slow[name].dtype
        np.testing.assert_allclose(x, slow[name], rtol=1e-12, atol=1e-12, err_msg=name)
    assert any(np.ptp(x) > 0 for x in fast.values())


@pytest.mark.parametrize("name", UNPACKED)
def test_what_is_no_function_of_few_sums_is_unpacked(name):
    kind, f, reason = UNPACKED[name]
    measured = build(declare(kind, {name: f})).measured
    assert measured.sums == {}
    assert measured.ir.sums == ()
    assert reason in measured.unpacked[name]


def test_equal_sums_are_measured_once():
    chosen = ("magnetization", "its modulus", "its square", "bonds")
    measured = build(declare("Spin", {n: SUMS[n][1] for n in chosen})).measured
    assert len(measured.ir.sums) == 2
    assert measured.sums["magnetization"] == measured.sums["its square"]


def test_spins_count_in_whole_numbers():
    """So their sums are exact, and the same whatever adds them up."""
    for name in ("magnetization", "weighted bonds"):
        sampler = build(declare("Spin", {name: SUMS[name][1]}))
        packed = sampler.kernels.pack(begin(sampler, [0.3], seed=2))
        (total,) = sampler.kernels.measure(packed)[2].ravel()
        assert total == int(total)


def test_index_tables_of_the_energy_are_shared():
    with sm.Model() as model:
        s = sm.Spin("s", LATTICE)
        sm.Energy("exchange", -0.3 * s[FROM] * s[TO])
        sm.Observable("bonds", (s[FROM] * s[TO]).mean())
    sampler = build(model)
    (family,) = sampler.measured.ir.families
    assert {c.index for c in family.columns} <= {
        c.index for f in sampler.program.model.families for c in f.columns
    }


def test_data_that_can_be_set_weigh_sums():
    with sm.Model() as model:
        s = sm.Spin("s", 100)
        h: Any = pm.Data("h", np.linspace(-1, 1, 100))
        sm.Energy("field", -h * s)
        sm.Observable("aligned", (h * s).sum())
    for shift in (0.0, 0.5):
        pm.set_data({"h": np.linspace(-1, 1, 100) + shift}, model=model)
        measured, fast, slow = measured_both_ways(model)
        assert measured.unpacked == {}
        np.testing.assert_allclose(fast["aligned"], slow["aligned"], rtol=1e-12)


def test_clamped_sites_count():
    known = np.ma.masked_array(np.ones(100, int), np.arange(100) % 2 == 0)
    with sm.Model() as model:
        s = sm.Spin("s", 100, observed=known)
        sm.Energy("field", -0.1 * s)
        sm.Observable("m", s.mean())
    _, fast, slow = measured_both_ways(model)
    assert np.array_equal(fast["m"], slow["m"])


def test_a_run_mixes_both_ways_in_the_order_of_declaration():
    model = declare("Field", {"top": lambda x: x.max(), "mean": lambda x: x.mean()})
    data = sm.sample(
        model, draws=7, tune=1, chains=2, store="x", seed=1, progressbar=False
    ).posterior
    assert [n for n in data.data_vars if n in ("top", "mean")] == ["top", "mean"]
    np.testing.assert_array_equal(data.top, data.x.max("x_site"))
    np.testing.assert_allclose(data["mean"], data.x.mean("x_site"), rtol=1e-12, atol=1e-12)

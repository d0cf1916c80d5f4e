"""Cluster moves: exact transition matrices, trajectories, what is refused, and agreement with local updates."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.collective.clusters import limits
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import IllegalUpdateError, ModelError, ValidationError
from statmech_dsl.lower import symmetry
from statmech_dsl.testing import (
    check_backend,
    check_conditional,
    check_geweke,
    check_transition_matrix,
)

BOTH = pytest.mark.parametrize("update", ["swendsen_wang", "wolff"])
FIRST, SECOND = np.array([0, 1, 2, 0, 0]), np.array([1, 2, 3, 2, 1])
"""A triangle with a tail, and a double bond."""


def model_of(declare, n, energies):
    with sm.Model() as model:
        x = declare("x", n)
        for name, energy in energies(x).items():
            sm.Energy(name, energy)
    return model


def random(n, scale=1.0, seed=0):
    return np.random.default_rng(seed).normal(scale=scale, size=n)


def glass(fields=True, observed=None):
    n = 4 if observed is None else 5
    with sm.Model() as model:
        s = sm.Spin("s", n, observed=observed)
        i, j = (FIRST, SECOND) if observed is None else (np.r_[FIRST, 4, 4], np.r_[SECOND, 0, 2])
        sm.Energy("exchange", random(len(i)) * s[i] * s[j])
        if fields:
            sm.Energy("field", random(n, 0.5, 1) * s)
        sm.Observable("m", s.mean())
    return model


def clamped_glass():
    return glass(observed=np.ma.masked_array([1, 1, 1, 1, -1], [True] * 4 + [False]))


def ashkin_teller():
    with sm.Model() as model:
        s, t = sm.Spin("s", 3), sm.Spin("t", 2)
        sm.Energy("exchange", -0.7 * s[:2] * s[1:])
        sm.Energy("four spins", np.array([-0.5, 0.8]) * s[:2] * s[1:] * t)
        sm.Energy("both", 0.3 * s[:2] * t)
    return model


def potts(q, couplings, n=3, field=None):
    i = np.arange(n - 1)

    def energies(s):
        out = {"exchange": couplings * pt.eq(s[i], s[i + 1])}
        return out if field is None else out | {"field": field * pt.eq(s, 0)}

    return model_of(lambda name, n: sm.Potts(name, n, q=q), n, energies)


def clock(q, n=2, field=0.0):
    with sm.Model() as model:
        k = sm.Clock("k", n, q=q)
        i = np.arange(n - 1)
        sm.Energy("exchange", random(n - 1) * pt.cos(k.angle[i] - k.angle[i + 1]))
        if field:
            sm.Energy("field", field * pt.cos(k.angle + 0.3))
    return model


def untempered():
    with sm.Model() as model:
        s = sm.Spin("s", 3)
        sm.Energy("exchange", -0.6 * s[:2] * s[1:])
        pm.Potential("prior", 0.4 * s[0] * s[1] + 0.3 * s[2])
    return model


# ---- transition matrices --------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "build",
    [
        lambda: glass(fields=False),
        glass,
        clamped_glass,
        ashkin_teller,
        untempered,
        *(lambda q=q: potts(q, -0.9) for q in (2, 3, 4)),
        lambda: potts(3, 0.9),
        lambda: potts(3, random(2), field=0.4),
        lambda: potts(4, np.array([-0.7, 0.5]), field=-0.3),
        *(lambda q=q: clock(q, 3 if q < 4 else 2, 0.4) for q in range(2, 7)),
        lambda: clock(4, 3),
    ],
)
def test_transition_matrix(build, update):
    model = build()
    for beta in (0.0, 0.8):
        check_transition_matrix(model, update, beta=beta)


def test_where_only_equality_counts_clusters_get_any_color():
    (move,) = lower_model(potts(4, -0.9), "swendsen_wang").lowered.program.collective
    assert move.recolor
    for model in (potts(4, 0.9), potts(4, -0.9, field=0.1)):
        (move,) = lower_model(model, "swendsen_wang").lowered.program.collective
        assert not move.recolor


def test_without_fields_no_site_is_tied_to_the_ghost():
    """Terms of one site that a reflection leaves as they are take no part."""
    with sm.Model() as model:
        s = sm.Levels("s", 4, values=[-1, 0, 1])
        sm.Energy("exchange", -1.0 * s[:3] * s[1:])
        sm.Energy("crystal field", 0.5 * s**2)
    (move,) = lower_model(model, ["wolff", "auto"]).lowered.program.collective
    assert [len(t.sites) for t in move.ties] == [2]


def test_a_clock_with_half_of_its_reflections():
    """The energy is even under reflections about directions, not under those between them."""
    with sm.Model() as model:
        k = sm.Clock("k", 3, q=4)
        sm.Energy("odd", -0.8 * pt.cos(k.angle[:2] + k.angle[1:]))
    with pytest.raises(IllegalUpdateError, match="wolff alone would not reach all states"):
        lower_model(model, "wolff")
    check_transition_matrix(model, ["wolff", "auto"], beta=0.7)
    (move,) = lower_model(model, ["wolff", "auto"]).lowered.program.collective
    tables = lower_model(model, ["wolff", "auto"]).lowered.tables
    assert tables[move.mirrors].tolist() == [[0, 3, 2, 1], [2, 1, 0, 3]]


@BOTH
def test_a_symmetry_that_is_not_there_is_seen(update, monkeypatch):
    monkeypatch.setattr(symmetry, "_alike", lambda f, g: True)
    with pytest.raises(ValidationError, match="pi P - pi"):
        check_transition_matrix(glass(), update)


# ---- trajectories -----------------------------------------------------------------------------------------


def xy():
    def energies(x):
        return {
            "exchange": random(5) * pt.cos(x[FIRST] - x[SECOND]),
            "field": 0.4 * pt.cos(x) + 0.2 * pt.sin(x),
        }

    return model_of(lambda name, n: sm.Angle(name, n, dtype="float32"), 4, energies)


@BOTH
@pytest.mark.parametrize("build", [glass, clamped_glass, ashkin_teller, lambda: potts(3, -0.9), xy])
def test_compiled_moves_follow_their_definition(build, update):
    updates = {"t": "heat_bath", "s": [(update, 2)]} if build is ashkin_teller else [(update, 2)]
    check_backend(build(), updates=updates, replicas=(1, 9), threads=(1, 2))


@BOTH
def test_limits_decide_as_exponentials_do(update, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LIMITS", 0)
    check_backend(glass(), updates=update, replicas=(9,), threads=(1,))


def test_states_are_measured_as_bits_and_together():
    i = np.arange(66)
    with sm.Model() as model:
        s = sm.Spin("s", 66)
        sm.Energy("exchange", -1.0 * s[i] * s[(i + 1) % 66])
        sm.Observable("m", s.mean())
    check_backend(model, updates="swendsen_wang", replicas=(2,), threads=(1,), sweeps=1)
    one_by_one, together = (
        sm.sample(model, draws=70, tune=0, chains=1, updates="wolff", seed=1, **more)
        for more in ({"store": ["s"], "progressbar": False}, {"progressbar": False})
    )
    for name in ("m", "energy"):
        assert np.array_equal(one_by_one.posterior[name], together.posterior[name])


# ---- real variables ---------------------------------------------------------------------------------------


def heisenberg(h=0.4):
    with sm.Model() as model:
        s = sm.UnitVector("s", 3)
        sm.Energy("exchange", -0.6 * (s[:2] * s[1:]).sum(axis=-1))
        sm.Energy("field", -h * s[:, 2])
    return model


@BOTH
def test_joint_distribution_of_angles(update):
    check_geweke(xy(), update, backend="numba", replicas=20_000)


@BOTH
def test_joint_distribution_of_vectors(update):
    check_geweke(heisenberg(), update, backend="numba", replicas=20_000)


@BOTH
@pytest.mark.parametrize("declare", [sm.Angle, sm.UnitVector])
def test_one_site_among_clamped_ones(declare, update):
    n = 3
    shape = (n,) if declare is sm.Angle else (n, 3)
    known = np.zeros(shape)
    if declare is sm.UnitVector:
        known[1], known[2] = (0.6, 0.8, 0.0), (0.0, 0.0, 1.0)
    else:
        known[:] = (0.0, 0.7, -2.0)
    mask = np.broadcast_to((np.arange(n) == 0).reshape(-1, *[1] * (len(shape) - 1)), shape)
    with sm.Model() as model:
        x = declare("x", n, observed=np.ma.masked_array(known, mask))
        if declare is sm.Angle:
            sm.Energy("exchange", -1.1 * pt.cos(x[0] - x[1:]))
        else:
            sm.Energy("exchange", -1.1 * (x[0] * x[1:]).sum(axis=-1))
    check_conditional(model, update, sweeps=60, backend="numba", replicas=4000)


def lattice_model(kind):
    lattice = sm.lattices.square(6)
    i, j = lattice.bonds
    with sm.Model() as model:
        if kind == "phi4":
            x = sm.Field("x", lattice)
            sm.Energy("gradient", 0.5 * (x[i] - x[j]) ** 2)
            sm.Energy("well", -0.75 * x**2 + 0.25 * x**4)
            sm.Observable("m2", x.mean() ** 2)
        elif kind == "xy":
            x = sm.Angle("x", lattice)
            sm.Energy("exchange", -pt.cos(x[i] - x[j]))
            sm.Observable("m2", pt.cos(x).mean() ** 2 + pt.sin(x).mean() ** 2)
        else:
            x = sm.UnitVector("x", lattice)
            sm.Energy("exchange", -(x[i] * x[j]).sum(axis=-1))
            sm.Observable("m2", (x.mean(axis=0) ** 2).sum())
    return model


@pytest.mark.parametrize("kind", ["phi4", "xy", "heisenberg"])
def test_clusters_agree_with_local_updates(kind):
    model, means = lattice_model(kind), {}
    for updates in ("auto", [("wolff", 3), "auto"], ["swendsen_wang", "auto"]):
        data = sm.sample(
            model,
            T=0.8,
            draws=150,
            tune=100,
            thin=3,
            chains=32,
            updates=updates,
            seed=3,
            progressbar=False,
        )
        series = [data.posterior.m2.values, data.posterior.energy.values]
        means[str(updates)] = [_mean(x) for x in series]
    (local, *others) = means.values()
    for other in others:
        for (a, da), (b, db) in zip(local, other, strict=True):
            assert abs(a - b) < 4.5 * np.hypot(da, db)


def _mean(x):
    """Mean over independent chains, and its standard error."""
    chains = x.mean(axis=1)
    return chains.mean(), chains.std(ddof=1) / len(chains) ** 0.5


# ---- what is refused --------------------------------------------------------------------------------------


def spins(energy, declare=sm.Spin, n=4, **arguments):
    with sm.Model() as model:
        x = declare("x", n, **arguments)
        sm.Energy("odd term", energy(x))
    return model


REFUSED = {
    "three sites": (
        lambda: spins(lambda s: s[0] * s[1] * s[2]),
        "'odd term' joins more than two of its sites",
    ),
    "a mean field": (
        lambda: spins(lambda s: -0.1 * s.sum() ** 2, n=100),
        "'odd term' is a function of a sum over many sites",
    ),
    "a lattice gas": (
        lambda: spins(lambda n: -n[:3] * n[1:], sm.Occupation),
        "no reflection leaves the term 'odd term' as it is",
    ),
    "a pair that is odd": (
        lambda: spins(lambda s: pt.exp(s[:3] + s[1:]), sm.Spin),
        "no reflection leaves the term 'odd term' as it is",
    ),
    "values without a symmetry": (
        lambda: spins(lambda s: -s[:3] * s[1:], sm.Levels, values=[-2, 0, 1]),
        r"the values of Levels\(levels=\(-2.0, 0.0, 1.0\)\) have no reflection",
    ),
    "too many values": (
        lambda: spins(lambda s: -1.0 * pt.eq(s[:3], s[1:]), sm.Potts, q=65),
        "65 values are more than 64",
    ),
    "colors that are no names": (
        lambda: spins(lambda s: -1.0 * s[:3] * s[1:], sm.Potts, q=3),
        "no reflection leaves the term 'odd term' as it is",
    ),
    "an easy axis in the exchange": (
        lambda: spins(lambda a: -pt.cos(a[:3]) * pt.cos(a[1:]), sm.Angle),
        "a reflection changes the term 'odd term'",
    ),
    "a handed exchange": (
        lambda: spins(lambda a: pt.sin(a[:3] - a[1:]), sm.Angle),
        "a reflection changes the term 'odd term'",
    ),
    "a cubic coupling": (
        lambda: spins(lambda x: x[:3] ** 2 * x[1:] + x[:3] ** 4 + x[1:] ** 4, sm.Field),
        "a reflection changes the term 'odd term'",
    ),
    "vectors of which one component interacts": (
        lambda: spins(lambda s: -s[:3, 2] * s[1:, 2], sm.UnitVector),
        "a reflection changes the term 'odd term'",
    ),
}


@BOTH
@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case, update):
    build, reason = REFUSED[case]
    with pytest.raises(IllegalUpdateError, match=f"{update} is not legal for 'x': .*{reason}"):
        lower_model(build(), [update, "metropolis"])


@BOTH
def test_signs_alone_do_not_move_sizes(update):
    model = spins(lambda x: x**2, sm.Field)
    with pytest.raises(IllegalUpdateError, match=f"{update} alone would not reach all states"):
        lower_model(model, update)


def test_a_tabulated_law_ties_nothing_together():
    with pytest.raises(IllegalUpdateError, match="tied together by Boltzmann weights"):
        lower_model(glass(), "wolff", law="tabulated")


def test_pm_sample_takes_local_updates_only():
    with glass(), pytest.raises(ModelError, match="local updates only, not wolff"):
        sm.LocalGibbs(pm.modelcontext(None).free_RVs, updates="wolff")

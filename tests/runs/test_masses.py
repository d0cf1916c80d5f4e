"""Masses of sites that tuning estimates: what they are, what they gain, and that a run can go on with them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.candidates import candidates
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import ArgumentError, IllegalUpdateError
from statmech_dsl.ir.params import Param
from statmech_dsl.runs.masses import Masses, masses_of, window_edges
from statmech_dsl.runs.tuning import Tuner
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.setup import begin, build

OPTIONS = {"seed": 1, "progressbar": False, "threads": 1}
MOVE = "hmc(mass='diagonal')"


def springs(n=20, stiffest=1e4, shape=None):
    """Sites of very different stiffness, weakly coupled on a ring, and their exact covariance at T = 1."""
    k, i = np.random.default_rng(1).permutation(np.geomspace(1.0, stiffest, n)), np.arange(n)
    after = (i + 1) % n
    weak = 0.1 * np.sqrt(k * k[after])
    with sm.Model() as model:
        x = sm.Field("x", shape or n)
        flat = x.reshape((n,))
        sm.Energy("springs", 0.5 * k * flat**2)
        sm.Energy("coupling", weak * flat[i] * flat[after])
        sm.Observable("scaled", flat * np.sqrt(k))
        sm.Observable("x2", flat**2)
    stiffness = np.diag(k)
    stiffness[i, after] += weak
    stiffness[after, i] += weak
    return model, np.linalg.inv(stiffness).diagonal()


# ---- estimates -----------------------------------------------------------------------------------


def test_windows_double_and_leave_a_fifth_of_tuning_to_the_step():
    assert window_edges(1000) == [25, 50, 100, 200, 400, 800]
    assert window_edges(63) == [25, 50]
    assert window_edges(60) == [48]  # no window


def test_masses_are_those_of_the_states_of_the_last_window():
    sampler = SimpleNamespace(program=SimpleNamespace(mass_rows={"x": slice(1, 4)}))
    masses, params = Masses(sampler, 250), np.ones((4, 2))
    x = np.random.default_rng(1).normal(3.0, [1.0, 10.0, 0.1], (250, 2, 3))
    changed = []
    for t, state in enumerate(x, 1):
        masses.observe({"x": state})
        if masses.update(params):
            changed.append(t)
            last = x[t // 2 : t].var(axis=0, ddof=1)
            floor = 5 * 1e-3 * last.mean(axis=1, keepdims=True)
            expected = (t - t // 2 + 5) / ((t - t // 2) * last + floor)
            assert params[1:].T == pytest.approx(expected, rel=1e-9)
    assert changed == [50, 100, 200]
    assert (params[0] == 1).all()


def test_masses_do_not_depend_on_units_and_are_one_where_nothing_moved():
    variance = np.array([[1.0, 4.0, 1e-6]])
    assert masses_of(1e-8 * variance, 30) == pytest.approx(1e8 * masses_of(variance, 30))
    assert (masses_of(np.zeros((1, 3)), 30) == 1).all()


def test_steps_are_tuned_anew_with_new_masses():
    program = SimpleNamespace(mass_rows={"x": slice(1, 3)})
    params = ((0, Param("step", 0.5, 0.8, averaged=True)),)
    tuner = Tuner(SimpleNamespace(program=program, params=params, moves=np.ones(1)), 63)
    values, x = np.ones((3, 1)), np.random.default_rng(1).normal(size=(63, 1, 2))
    values[0], steps = 0.5, []
    for state in x:
        tuner.masses.observe({"x": state})
        tuner.adapt(values, np.ones((1, 1), np.int64), 1)
        steps.append(values[0, 0])
    assert steps[49] == 0.5  # where the window ends
    assert steps[48] > 10 > steps[50] > 0.5
    tuner.finish(values)
    assert 0.5 < values[0, 0] < steps[-1]


# ---- moves ---------------------------------------------------------------------------------------


def test_estimated_masses_move_sites_as_given_ones_do():
    model, _ = springs(5, 10.0)
    mass, betas, step = np.array([0.5, 2.0, 4.0, 1.0, 3.0]), np.array([0.7, 1.3]), np.full(2, 0.1)
    ends = []
    for move in (sm.HMC(mass="diagonal"), sm.HMC(mass=mass)):
        sampler = build(model, updates=move)
        (mover,), state = sampler.kernels.movers, begin(sampler, betas, seed=3)
        if move.mass == "diagonal":
            state.params[1:, 1] = mass
        start = mover.start(state, 0)
        _, motion = mover.kernels(2)
        packed, error = mover.follow(motion.pack(start), betas, step)
        ends.append((motion.values(packed, "x").copy(), error))
    assert np.array_equal(ends[0][0][1], ends[1][0][1])
    assert ends[0][1][1] == ends[1][1][1]
    assert not np.array_equal(ends[0][0][0], ends[1][0][0])  # unit masses


def test_backends_agree():
    check_backend(springs(8, 10.0)[0], updates=MOVE, replicas=(1, 9), threads=(2,), sweeps=2)


def test_sites_of_all_scales_move_alike_and_have_their_variances():
    model, variance = springs()
    options = OPTIONS | {"T": 0.25, "draws": 800}
    data = sm.sample(model, updates=MOVE, **options)
    ratio = data.final_state["x.mass"] * variance * 0.25
    assert (abs(np.log(ratio)) < np.log(2)).all()
    assert (abs(data.sample_stats.x_hmc_acceptance - 0.85) < 0.1).all()
    assert not data.sample_stats.x_hmc_divergences.any()
    squares = [sm.tau_int(x) for x in np.moveaxis(data.posterior.x2.values, -1, 0)]
    assert all(
        abs(s.value - 0.25 * v) < 4 * s.error for s, v in zip(squares, variance, strict=True)
    )
    slowest = sm.tau_int(data, "scaled").scaled.max()
    assert slowest < 1.5
    plain = sm.sample(model, updates="hmc", **options | {"draws": 200, "tune": 500})
    with pytest.warns(sm.errors.ShortChainWarning):
        assert sm.tau_int(plain, "scaled").scaled.max() > 20 * slowest


def test_fields_in_single_precision_and_clamped_sites_have_masses():
    known = np.ma.masked_array([0.3, 0.0, 0.0], [False, True, True])
    with sm.Model() as model:
        x = sm.Field("x", 3, observed=known, dtype="float32")
        sm.Energy("springs", 0.5 * np.array([1.0, 1.0, 100.0]) * (x - x[0]) ** 2)
    data = sm.sample(model, updates=MOVE, draws=20, tune=500, **OPTIONS)
    mass = data.final_state["x.mass"]
    assert (abs(mass[:, 2] / mass[:, 1] / 100 - 1) < 0.4).all()
    assert np.isfinite(mass).all()


# ---- runs ----------------------------------------------------------------------------------------


def test_a_run_goes_on_with_its_masses_and_does_not_depend_on_other_chains():
    model, _ = springs(6, 100.0, shape=(2, 3))
    options = OPTIONS | {"T": [0.5, 2.0], "updates": MOVE, "draws": 20, "tune": 150}
    first = sm.sample(model, **options)
    assert first.final_state["x.mass"].shape == (4, 2, 2, 3)
    assert not (first.final_state["x.mass"] == 1).any()
    more = sm.sample(model, init=first, **options | {"tune": 0})
    whole = sm.sample(model, **options | {"draws": 40})
    assert np.array_equal(whole.posterior.scaled[:, 20:], more.posterior.scaled)
    one = sm.sample(model, **options | {"chains": 1})
    assert np.array_equal(one.posterior.scaled[0], first.posterior.scaled[0])


def test_each_temperature_of_a_ladder_has_its_masses():
    model, variance = springs(6, 100.0)
    options = OPTIONS | {"T": [0.25, 0.5, 1.0], "updates": MOVE, "draws": 20, "tune": 500}
    first = sm.temper(model, **options)
    ratio = first.final_state["x.mass"] * variance * first.posterior["T"]
    assert (abs(np.log(ratio)) < np.log(2)).all()
    more = sm.temper(model, init=first, **options | {"tune": 0})
    whole = sm.temper(model, **options | {"draws": 40})
    assert np.array_equal(whole.posterior.scaled[:, 20:], more.posterior.scaled)


def test_a_ladder_that_tunes_itself_hands_masses_on():
    model, variance = springs(6, 100.0)
    data = sm.temper(model, T=(0.5, 1.0), updates=MOVE, draws=10, tune=400, **OPTIONS)
    ratio = data.final_state["x.mass"] * variance * data.posterior["T"]
    assert (abs(np.log(ratio)) < np.log(3)).all()


def test_going_on_with_other_updates_is_refused():
    model, _ = springs(6)
    plain = sm.sample(model, draws=2, tune=0, **OPTIONS)
    with pytest.raises(ArgumentError, match="it has no x.step, x.mass"):
        sm.sample(model, updates=MOVE, init=plain, draws=2, tune=0, **OPTIONS)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda move: sm.sample(sm.models.xy(L=4), updates=move), "sites of Angle go around"),
        (lambda move: sm.sample(sm.models.heisenberg(L=4), updates=move), "UnitVector go around"),
        (lambda move: sm.anneal(springs(4)[0], T=(1, 0.1), updates=move), "of 'x' are estimated"),
        (
            lambda move: sm.population_anneal(springs(4)[0], T=(2, 1), population=4, updates=move),
            r"here it changes .*final_state\['x.mass'\]",
        ),
    ],
)
def test_masses_that_cannot_be_estimated_are_refused(run, message):
    with pytest.raises(IllegalUpdateError, match=message):
        run(MOVE)


def test_a_given_step_does_not_go_with_estimated_masses():
    with pytest.raises(ArgumentError, match="has to be tuned with them"):
        sm.HMC(step=0.1, mass="diagonal")


# ---- choice --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "mass"),
    [
        (lambda: springs(4)[0], "diagonal"),
        (lambda: sm.models.phi4(L=4), "fourier"),
        (lambda: sm.models.xy(L=4), None),
    ],
)
def test_tuned_tries_the_masses_that_suit_a_model(model, mass):
    (recipes,) = candidates(lower_model(model())).values()
    found = [x for x in recipes if isinstance(x, str) and x.startswith("hmc")]
    assert found == ["hmc"] + [f"hmc(mass={mass!r})"] * (mass is not None)


def test_explain_says_that_masses_are_tuned():
    assert "masses of sites are tuned" in str(sm.explain(springs(4)[0], updates=MOVE))
    assert "masses" not in str(sm.explain(springs(4)[0], updates="hmc"))

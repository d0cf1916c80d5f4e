"""Models with data: what is observed, what is hidden, which couplings are random."""

import numpy as np
import pymc as pm
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import ArgumentError, DomainError, ModelError
from statmech_dsl.inference.problem.parameter_model import (
    coefficients,
    linear_energy,
    parameter_model,
)
from statmech_dsl.inference.problem.posed import pose
from statmech_dsl.solvers.slopes import is_linear, slopes


def build():
    lattice = sm.lattices.square(3)
    i, j = lattice.bonds
    with sm.Model() as model:
        J = pm.Normal("J", 0.3, 1)
        w = pm.Normal("w", 0, 1, shape=len(i))
        mu = pm.Normal("mu", 0, 1)
        s, t = sm.Spin("s", lattice), sm.Spin("t", 4)
        sm.Energy("exchange", -(J + 0.1 * w) * s[i] * s[j])
        sm.Energy("mean_field", -(J**2) / 18 * s.sum() ** 2)
        sm.Energy("hidden", -0.5 * t)
        sm.Observable("m", s.mean())
        pm.Normal("y", mu * t, 1, observed=np.zeros(4))
    return model


STATES = np.random.default_rng(1).choice([-1, 1], size=(5, 9))


def test_parts_of_a_problem():
    posed = pose(build(), {"s": STATES})
    assert posed.n_states == 5
    assert [v.name for v in posed.parameters] == ["J", "w", "mu"]
    assert {v.name for v in posed.of_couplings} == {"J", "w"}
    assert posed.hidden == ("t",)
    assert is_linear(posed.recovered.ir, posed.couplings)
    assert not is_linear(posed.recovered.ir, posed.recovered.random)  # (y - mu t)^2


def test_initial_values_are_kept():
    with sm.Model() as model:
        J = pm.HalfNormal("J", 1, initval=0.7)
        s = sm.Spin("s", 4)
        sm.Energy("field", -J * s)
    only = parameter_model(pose(model, {"s": np.ones(4)}))
    assert only.initial_point()["J_log__"] == pytest.approx(np.log(0.7))
    assert model.rvs_to_initial_values[J] == 0.7


def test_missing_sites_are_hidden():
    states = STATES.astype(float)
    states[2, 4] = np.nan
    assert pose(build(), {"s": states, "t": np.ones((5, 4))}).hidden == ("s",)


def test_statistics_are_the_slopes_of_the_energy():
    model = build()
    posed = pose(model, {"s": STATES, "t": np.ones((5, 4))})
    found = slopes(posed.recovered.ir, posed.recovered.tables, posed.states(), posed.couplings)
    only = parameter_model(posed)
    assert {v.name for v in only.basic_RVs} == {"J", "w", "mu"}
    total = {name: x.sum(axis=0) for name, x in found.items()}
    with only:
        pm.Potential("log_likelihood", -linear_energy(total, coefficients(posed, found, only)))
    point = {"J": np.array(0.7), "w": np.linspace(-1, 1, 18), "mu": np.array(0.0)}
    i, j = sm.lattices.square(3).bonds
    bonds = STATES[:, i] * STATES[:, j]
    energy = -((0.7 + 0.1 * point["w"]) * bonds).sum() - 0.49 / 18 * (STATES.sum(axis=1) ** 2).sum()
    priors = only.compile_logp(vars=only.basic_RVs)(point)
    assert only.compile_logp()(point) - priors == pytest.approx(-energy, abs=1e-12)


BAD = {
    "nothing": ({}, ArgumentError, "no data"),
    "unknown name": ({"x": STATES}, ArgumentError, "no variable of the model"),
    "shape": ({"s": STATES[:, :8]}, ArgumentError, "has shape"),
    "no state": ({"s": STATES[:0]}, ArgumentError, "has shape"),
    "type": ({"s": STATES.astype(str)}, ArgumentError, "of type"),
    "value": ({"s": 2 * STATES}, DomainError, "no value of Spin"),
    "numbers": ({"s": STATES, "t": np.ones((4, 4))}, ArgumentError, "different numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_that_do_not_fit(case):
    data, error, words = BAD[case]
    with pytest.raises(error, match=words):
        pose(build(), data)


def test_nothing_to_infer():
    with pytest.raises(ModelError, match="nothing to infer"):
        pose(sm.models.ising(L=3), {"s": STATES})


def test_discrete_parameters():
    with sm.Model() as model:
        k = pm.Poisson("k", 2)
        s = sm.Spin("s", 4)
        sm.Energy("field", -k * s)
    with pytest.raises(ModelError, match="k is discrete"):
        pose(model, {"s": np.ones(4)})

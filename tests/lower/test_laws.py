"""Laws: Boltzmann weights, and weights that are a table of the energy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.backends.enumeration import Enumeration
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.draws import Bernoulli, old
from statmech_dsl.ir.expr import call, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass
from statmech_dsl.testing import check_backend, check_transition_matrix
from statmech_dsl.testing.conformance import transitions
from statmech_dsl.testing.setup import begin, build
from statmech_dsl.updates import UPDATES, Update


def ring():
    """Energies -6, -2, 2 and 6."""
    i, j = sm.lattices.chain(6).bonds
    with sm.Model() as model:
        s = sm.Spin("s", 6)
        sm.Energy("exchange", -1.0 * s[i] * s[j])
    return model


def potts():
    i, j = sm.lattices.chain(3).bonds
    with sm.Model() as model:
        s = sm.Potts("s", 3, q=3)
        sm.Energy("exchange", np.array([-1.0, -0.7, 0.4]) * pt.eq(s[i], s[j]))
    return model


def curie_weiss():
    with sm.Model() as model:
        s = sm.Spin("s", 5)
        sm.Energy("mean field", -0.3 * s.sum() ** 2)
        sm.Energy("field", 0.2 * s)
    return model


def two_variables():
    with sm.Model() as model:
        s, n = sm.Spin("s", 2), sm.Occupation("n", 2)
        sm.Energy("coupling", -0.8 * s * n)
        sm.Energy("spins", 0.3 * s[0] * s[1])
    return model


def with_prior():
    """A term that T does not divide, which no table sees."""
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("exchange", -s[:-1] * s[1:])
        pm.Potential("prior", (np.array([0.3, -0.2, 0.5, 0.1]) * s).sum())
    return model


MODELS = {f.__name__: f for f in (ring, potts, curie_weiss, two_variables, with_prior)}


@pytest.mark.parametrize("name", MODELS)
def test_heat_bath(name):
    check_transition_matrix(MODELS[name](), "heat_bath")
    check_transition_matrix(MODELS[name](), "heat_bath", law="tabulated")


@pytest.mark.parametrize("name", ["potts", "curie_weiss", "two_variables"])
def test_trajectories_under_a_table(name):
    check_backend(MODELS[name](), law="tabulated", replicas=(1, 9), threads=(1, 2))


def under_table(model, updates, table):
    """Exact kernels of the ring with log weights for its four energies."""
    sampler = build(model, updates=updates, law="tabulated")
    state = replace(begin(sampler, 1.0, seed=1), law_table=np.asarray(table), law_range=(-6.0, 4.0))
    return Enumeration(sampler.kernels, state)


def test_a_table_of_boltzmann_weights_is_the_boltzmann_law():
    beta, energies = 0.3, np.array([-6.0, -2.0, 2.0, 6.0])
    tabulated = under_table(ring(), "heat_bath", -beta * energies)
    sampler = build(ring(), updates="heat_bath")
    boltzmann = Enumeration(sampler.kernels, begin(sampler, beta, seed=1))
    assert np.allclose(tabulated.stationary(), boltzmann.stationary(), atol=1e-14)
    # Ranks differ (a tabulated pass has no colors), so the matrices are compared by what they keep.
    pi = boltzmann.stationary()
    assert np.abs(pi @ tabulated.matrix() - pi).max() < 1e-14


def test_weights_of_the_density_of_states_make_the_energy_flat():
    energies, count = np.unique(under_table(ring(), "heat_bath", [0.0]).energy, return_counts=True)
    flat = under_table(ring(), "heat_bath", -np.log(count))
    occupied = [flat.stationary()[flat.energy == e].sum() for e in energies]
    assert occupied == pytest.approx([0.25] * 4, abs=1e-14)
    found = transitions(flat)
    assert found.deviation < 1e-12
    assert found.n_unit == 1


def test_energies_beyond_the_table_have_the_weight_of_its_ends():
    short = under_table(ring(), "heat_bath", [0.0, 0.7])
    assert np.unique(short.log_weights()) == pytest.approx([0.0, 0.7])
    assert (short.log_weights()[short.energy > 0] == 0.7).all()
    assert transitions(short).n_unit == 1


def test_metropolis_is_refused_under_a_table():
    with pytest.raises(IllegalUpdateError, match="need not be ergodic under a tabulated law"):
        lower_model(ring(), "metropolis", "tabulated")


def test_exact_draws_of_continuous_variables_are_refused_under_a_table():
    with sm.Model() as model:
        x = sm.Field("x", 3)
        sm.Energy("binding", x**2)
    with pytest.raises(IllegalUpdateError, match="Boltzmann weights only"):
        lower_model(model, "heat_bath", "tabulated")


@pytest.mark.parametrize(
    ("table", "n_unit"),
    [([0.0, 0.0, 0.0, 0.0], 64), ([-0.7, -3.4, -3.4, -0.7], 42), ([3.0, 1.0, -1.0, -3.0], 3)],
    ids=["even", "flat histogram", "boltzmann"],
)
def test_metropolis_flips_in_fixed_order_are_not_ergodic(table, n_unit, monkeypatch):
    """Why: the distribution is stationary all right, but the sweep cycles through few states."""

    def flip(variable, domain):
        accept = Bernoulli("accept", call("min", 0.0, law(read("e.1")) - law(read("e.0"))))
        new = call("where", read("accept"), -old(1)[0], old(1)[0])
        body = (LocalEnergy("e", (old(1), (-old(1)[0],))), accept, Assign((new,)))
        return SitePass("flip", variable, body)

    monkeypatch.setitem(UPDATES, "flip", Update("flip", lambda _: None, flip))
    found = transitions(under_table(ring(), "flip", table))
    assert found.deviation < 1e-12
    assert found.n_unit == n_unit


def test_a_pass_under_a_table_is_exclusive():
    """The running energy ties all sites of a replica together: one sequence, no colors."""
    program = lower_model(ring(), "heat_bath", "tabulated").lowered.program
    assert program.exclusive
    assert program.needs_energy
    boltzmann = lower_model(ring(), "heat_bath").lowered.program
    assert not boltzmann.exclusive
    assert not boltzmann.needs_energy

"""The kernels written by hand are right: mean energies of small systems against exact values."""

import numpy as np
import pytest

import statmech_dsl as sm
from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.timing import mean_and_error
from benchmarks.yardsticks import clock, heisenberg, lanes, phi4, potts, products, xy


def mean(contender: Contender):
    """Mean energy per site and its standard error."""
    contender.warm(100)
    energies = []
    for _ in range(200):
        contender.sweep(2)
        energies.append(contender.energy())
    return mean_and_error(np.array(energies))


def exact(model, T: float, n_sites: int) -> float:
    """Exact mean energy per site."""
    return float(sm.exact(model, T=T).energy) / n_sites


def triples() -> tuple[sm.Model, np.ndarray, np.ndarray]:
    """Ten spins with random three-body couplings."""
    generator = np.random.default_rng(1)
    groups = np.array([generator.choice(10, 3, replace=False) for _ in range(20)])
    J = generator.choice([-1.0, 1.0], 20)
    with sm.Model() as model:
        s = sm.Spin("s", 10)
        sm.Energy("triples", -J * s[groups].prod(axis=1))
    return model, groups, J


def test_heat_baths_of_discrete_models_are_exact():
    model, groups, J = triples()
    plaquettes = np.asarray(sm.lattices.square(3).plaquette_links)
    ones = np.ones(len(plaquettes))
    for contender, expected in (
        (potts.contender(4, 1.0), exact(sm.models.potts(L=4, q=3), 1.0, 16)),
        (products.contender(10, groups, J, 1.5), exact(model, 1.5, 10)),
        (
            products.contender(18, plaquettes, ones, 1.5),
            exact(sm.models.z2_gauge(L=3, d=2), 1.5, 18),
        ),
    ):
        value, error = mean(contender)
        assert abs(value - expected) < 4 * error
        assert error < 0.02


@pytest.mark.parametrize(
    ("contender", "model", "T", "updates"),
    [
        (clock.contender(4, 1.0), sm.models.clock(L=4, q=6), 1.0, "heat_bath"),
        (phi4.contender(4, -1.0, 1.0), sm.models.phi4(L=4), 1.0, "metropolis"),
        (xy.contender(4, 1.0, xy.metropolis), sm.models.xy(L=4), 1.0, "heat_bath"),
        (xy.contender(4, 1.0, xy.heat_bath), sm.models.xy(L=4), 1.0, "heat_bath"),
        (heisenberg.contender(4, 1.5), sm.models.heisenberg(L=4), 1.5, "heat_bath"),
    ],
    ids=["clock", "phi4", "XY Metropolis", "XY heat bath", "Heisenberg"],
)
def test_others_agree_with_this_library(contender, model, T, updates):
    value, error = mean(contender)
    other, other_error = mean(ours.chains(model, T, 64, updates=updates))
    assert abs(value - other) < 4 * np.hypot(error, other_error)
    assert np.hypot(error, other_error) < 0.02


def test_elementary_functions():
    @lanes.kernel
    def apply(x, out):
        for k in range(len(x)):
            out[0, k] = lanes.exp(x[k])
            out[1, k] = lanes.log(lanes.exp(x[k]))
            out[2, k] = lanes.sin_pi(x[k] / lanes.f4(40))

    x = np.linspace(-20, 20, 10_001).astype(np.float32)
    out = np.empty((3, len(x)), np.float32)
    apply(x, out)
    np.testing.assert_allclose(out[0], np.exp(x.astype(float)), rtol=3e-6)
    np.testing.assert_allclose(out[1], x, atol=1e-5)
    np.testing.assert_allclose(out[2], np.sin(np.pi * x.astype(float) / 40), atol=1e-5)


def test_random_numbers_are_uniform_and_lanes_differ():
    words, row = lanes.words(1), lanes.rows(1)[0]
    numbers = np.empty((4000, lanes.LANES), np.float32)
    for k in range(len(numbers)):
        lanes.uniform(words, row)
        numbers[k] = row
    assert 0 < numbers.min()
    assert numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(0), 0.5, atol=5 / np.sqrt(12 * 4000))
    assert np.abs(np.corrcoef(numbers.T) - np.eye(lanes.LANES)).max() < 5 / np.sqrt(4000)

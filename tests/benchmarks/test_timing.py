"""Who is compared with whom, what a duel says, and what the peers see."""

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import benchmarks.peers
import benchmarks.works
from benchmarks import ours, systems
from benchmarks.contender import Contender
from benchmarks.peers import PEERS
from benchmarks.rows import against, compare, tried
from benchmarks.timing import Duel, Side, Spread, duel, mean_and_error
from benchmarks.works import WORKS
from statmech_dsl.engine.compile import compile_model


def modules(package) -> set[str]:
    """Names of the files in the folder of a package."""
    return {path.stem for path in Path(package.__file__).parent.glob("*.py")} - {"__init__"}


def test_every_file_is_registered():
    assert set(PEERS.values()) == modules(benchmarks.peers)
    assert set(WORKS) == modules(benchmarks.works)


@pytest.mark.parametrize("name", WORKS)
def test_every_work_has_a_title_and_measures(name):
    work = importlib.import_module(f"benchmarks.works.{name}")
    assert work.__doc__
    assert callable(work.measure)


@pytest.mark.parametrize(
    "system", [systems.square(4), systems.spin_glass(3), systems.regular_graph(12, 3)]
)
def test_the_system_of_the_peers_is_the_model_of_this_library(system):
    sampler = compile_model(system.model(), 3, threads=1)
    state = sampler.start(1, np.arange(3), np.zeros(3, int), np.ones(3), "hot")
    own = sum(sampler.kernels.energy(sampler.kernels.pack(state))) / system.n_sites
    np.testing.assert_allclose(system.energy(state.values["s"]), own)


def fixed(name: str, seconds: float, energies: np.ndarray) -> Contender:
    """A contender that takes a given time for a sweep of 10 updates."""
    return Contender(name, lambda n: n * seconds, 10, lambda: energies)


def test_a_duel_gives_times_and_their_ratio():
    energies = np.linspace(-1.01, -0.99, 16)
    found = duel(fixed("a", 1e-3, energies), fixed("b", 4e-3, energies), repeats=3, seconds=0.02)
    assert found.ours.ns.median == pytest.approx(1e5)
    assert found.ratio == Spread(4.0, 4.0, 4.0)
    assert found.agree


@pytest.mark.parametrize(
    ("a", "b", "error", "minimizing", "agree"),
    [
        (-1.0, -1.003, 0.001, False, True),
        (-1.0, -1.01, 0.001, False, False),
        (-1.0, -1.0, 0.1, False, False),  # says nothing
        (-1.01, -1.0, 0.001, True, True),
        (-1.0, -1.01, 0.001, True, False),
    ],
)
def test_energies_must_agree_within_their_errors(a, b, error, minimizing, agree):
    one = Spread(1.0, 1.0, 1.0)
    assert Duel(Side("a", one, a, error), Side("b", one, b, error), one, minimizing).agree is agree


def test_a_comparison_whose_energies_differ_is_not_published():
    low, high = np.linspace(-1.01, -0.99, 16), np.linspace(-0.91, -0.89, 16)
    row = compare("x", "b", fixed("a", 1e-3, low), fixed("b", 1e-3, high), repeats=3, seconds=0.01)
    assert row.status == "the energies do not agree"


def test_a_side_that_samples_nothing_has_no_energy():
    nothing = fixed("b", 1e-3, np.empty(0))
    row = compare("x", "b", fixed("a", 1e-3, np.ones(16)), nothing, repeats=3, seconds=0.01)
    assert row.status == "measured"
    assert row.duel is not None
    assert row.duel.theirs.energy is None


def test_what_is_not_there_and_what_fails_is_reported(monkeypatch):
    contender = fixed("a", 1e-3, np.ones(16))
    monkeypatch.setattr(benchmarks.peers, "version", lambda name: None)
    row = against("x", "mcising", contender, lambda peer: contender)
    assert (row.status, row.duel) == ("not installed", None)

    def fail():
        raise ValueError("no such lattice\nat all")

    assert tried("x", "y", fail).status == "failed: ValueError: no such lattice"


def test_errors_of_correlated_energies_cover():
    generator = np.random.default_rng(1)
    noise = generator.normal(size=(2000, 64))
    chains = np.empty_like(noise)
    chains[0] = noise[0]
    for k in range(1, len(noise)):  # tau = 1/2 + 0.8 / 0.2 = 4.5
        chains[k] = 0.8 * chains[k - 1] + 0.6 * noise[k]
    exact = np.sqrt(2 * 4.5 / chains.size)
    assert mean_and_error(chains)[1] == pytest.approx(exact, rel=0.3)
    assert mean_and_error(chains[:, :1])[1] == pytest.approx(8 * exact, rel=0.4)


def test_this_library_anneals():
    reads = ours.annealed(systems.square(4).model(), (0.05, 5.0), 8)
    assert reads.sweep(40) > 0
    assert reads.energy().min() == -2.0  # the ground state
    assert reads.energy().shape == (8,)


def test_a_ladder_gives_the_mean_over_temperatures():
    ladder = ours.chains(systems.square(4).model(), np.array([1.0, 4.0]), 8).warm(200)
    cold, hot = (ours.chains(systems.square(4).model(), T, 8).warm(200) for T in (1.0, 4.0))
    assert ladder.updates == 2 * 8 * 16
    between = (cold.energy().mean() + hot.energy().mean()) / 2
    assert ladder.energy().shape == (8,)
    assert ladder.energy().mean() == pytest.approx(between, abs=0.3)

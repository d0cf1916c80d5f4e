"""Bins of the energy, and the estimate that walkers share."""

import numpy as np
import pytest

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.runs.energy_bins import Bins, choose_bins, spacing, window_of
from statmech_dsl.runs.exploring import Explored
from statmech_dsl.runs.wang_landau import WALL, WangLandau


@pytest.mark.parametrize("unit", [1.0, 4.0, 0.1, 1e-7, 3e5 / 7])
def test_spacing(unit):
    k = np.random.default_rng(1).choice(400, 60)
    assert spacing(unit * np.array([3, 9, -6])) == pytest.approx(3 * unit)
    assert spacing(unit * (k - 0.3)) == pytest.approx(unit, rel=1e-6)


def test_what_has_no_spacing():
    with pytest.raises(ModelError, match="never changes"):
        spacing(np.full(5, -3.0))
    with pytest.raises(ModelError, match=r"common spacing.*energies=\(low, high, number\)"):
        spacing(np.random.default_rng(1).normal(size=50))


def test_bins_of_all_levels():
    bins = choose_bins(None, np.array([-8.0, 4.0, 0.0, -4.0]))
    assert list(bins.levels) == [-8, -4, 0, 4]
    assert list(bins.index(np.array([-12.0, -8.0, 4.0]))) == [-1, 0, 3]
    assert not bins.beyond.any()


def test_a_window_of_levels():
    bins = choose_bins((-4, 0.0), np.array([-8.0, 8.0, -4.0]))
    assert list(bins.beyond) == [1, 0, 0, 1, 2]


def test_bins_that_the_user_gave():
    bins = choose_bins((-1.0, 1.0, 4), np.array([-9.0, 0.1234]))
    assert list(bins.levels) == [-0.75, -0.25, 0.25, 0.75]
    wider, front = bins.covering(np.array([1.6, -1.2]))
    assert (front, wider.n) == (1, 7)
    assert list(wider.beyond) == [1, 0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    "energies", [(0,), (1, 0), (0, 1, 0), (0, 1, 2.5), (0, np.inf), (0, 1, 2, 3), (0, 1, 10**7)]
)
def test_bad_ranges(energies):
    with pytest.raises(ArgumentError, match=r"energies must be \(low, high\)"):
        window_of(energies)


def test_bins_hold_the_energies_of_their_window():
    bins, _ = choose_bins((-1.0, 1.0, 4), np.zeros(1)).covering(np.array([1.6]))
    for energy, held in (([-0.99, 0.99], True), ([0.0, 1.01], False), ([0.0, -1.01], False)):
        assert bins.holds(np.array(energy)) == held


def test_a_range_without_levels():
    with pytest.raises(ArgumentError, match="no energies there"):
        choose_bins((5, 9), np.array([0.0, 1.0]))


def test_a_new_level_begins_with_the_least_change():
    walk = WangLandau(Bins(0.0, 1.0, 3), np.array([0.0, 1.0, 2.0]), np.zeros(3))
    for _ in range(3):
        walk.visit(np.array([0.0, 1.0, 1.0, 2.0]))
    assert list(walk.change) == [3, 6, 3]
    walk.cover(np.array([-2.0]))
    assert list(walk.log_law) == [-3, -3, -3, -6, -3], "no hole that draws all walkers"
    walk.visit(np.array([-2.0]))
    assert list(walk.change) == [4, 0, 3, 6, 3]
    assert list(walk.known) == [True, False, True, True, True]


def test_the_step_is_halved_by_full_rounds_and_falls_as_1_over_t_then():
    walk = WangLandau(Bins(0.0, 1.0, 2), np.array([0.0, 1.0]), np.zeros(2))
    for _ in range(8):
        walk.visit(np.array([0.0]))
        walk.refine()
    assert walk.step == 1.0, "one level has not been visited"
    walk.visit(np.array([1.0]))
    walk.refine()
    assert walk.step == 0.5
    assert not walk.late
    steps = []
    for _ in range(40):
        walk.visit(np.array([0.0, 1.0]))
        walk.refine()
        steps.append(walk.step)
    assert walk.late
    assert steps[-1] == pytest.approx(2 / walk.total)
    assert (np.diff(steps[5:]) < 0).all()


def test_walls_are_steep_and_nothing_is_counted_beyond_them():
    walk = WangLandau(Bins(0.0, 1.0, 4, (1.0, 2.0)), np.arange(-1.0, 6.0), np.zeros(4))
    walk.visit(np.arange(4.0))
    assert list(walk.change) == [0, 1, 1, 0]
    assert list(walk.log_law) == [-1 - WALL, -1, -1, -1 - WALL]
    assert walk.total == 2


def test_a_rough_density_of_states_from_mean_energies():
    """Free spins in a field: E = -N tanh(beta), and ln g is the entropy."""
    beta = np.linspace(4.0, -4.0, 81)
    explored = Explored(np.zeros(1), beta, -100 * np.tanh(beta))
    levels = np.arange(-98.0, 99.0, 2.0)
    p = (1 + levels / 100) / 2
    entropy = -100 * (p * np.log(p) + (1 - p) * np.log(1 - p))
    np.testing.assert_allclose(explored.log_g(levels), entropy - entropy[0], atol=1.0)


def test_levels_that_the_short_run_has_missed_keep_their_first_estimate():
    first = np.array([0.0, 500.0, 900.0, 1200.0])
    walk = WangLandau(Bins(0.0, 1.0, 4, (1.0, 3.0)), np.array([0.0, 3.0]), first)
    for _ in range(5):
        walk.visit(np.array([3.0, 3.0]))
    law = walk.log_law
    assert list(law[1:]) == [-510, -910, -1210]
    assert law[0] == law[1] - walk.wall, "it follows the end of the window"
    assert walk.wall > WALL + 499, "steeper than ln g itself"

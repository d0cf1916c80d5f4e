"""Where temperatures go, and who swaps with whom."""

import numpy as np
import pytest

from statmech_dsl.errors import ArgumentError
from statmech_dsl.rng import swap_words, uniform
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.ladder import equal_rejections, first_ladder, read_ladder


def test_a_tuple_of_two_is_a_range():
    assert read_ladder((1.0, 2.0), None, True)[1]
    assert not read_ladder([1.0, 2.0], None, True)[1]
    assert not read_ladder((1.0, 2.0, 3.0), None, True)[1]
    beta, is_range = read_ladder(1.0, (0.0, 2.0), True)
    assert list(beta) == [2.0, 0.0]
    assert is_range


@pytest.mark.parametrize("low", [0.0, 0.3])
def test_the_first_ladder_has_the_given_ends(low):
    beta = first_ladder(2.0, low)
    assert beta[0] == 2.0
    assert beta[-1] == low
    assert (np.diff(beta) < 0).all()


def test_equal_rejections_are_a_fixed_point():
    """For a barrier of constant slope the ladder is even, with half of all swaps rejected."""
    beta = np.array([3.0, 2.9, 2.0, 1.0, 0.0])
    for _ in range(3):
        beta = equal_rejections(beta, np.minimum(-1.7 * np.diff(beta), 1.0))
    assert len(beta) == 12  # a barrier of 5.1 in 11 steps
    np.testing.assert_allclose(np.diff(beta), -3.0 / 11, rtol=1e-4)


def test_a_ladder_where_all_swap_keeps_its_two_ends():
    np.testing.assert_array_equal(equal_rejections(np.array([1.0, 0.5, 0.0]), np.zeros(2)), [1, 0])


def test_a_ladder_without_end_is_refused():
    with pytest.raises(ArgumentError, match="too little in common"):
        equal_rejections(np.linspace(1, 0, 2500), np.ones(2499))


def plain_swaps(beta, energies, chains, seed):
    """Swaps written out one by one."""
    rows = np.arange(len(beta) * chains).reshape(len(beta), chains)
    for number, energy in enumerate(energies):
        for c in range(chains):
            for k in range(number % 2, len(beta) - 1, 2):
                gain = (beta[k] - beta[k + 1]) * (energy[rows[k, c]] - energy[rows[k + 1, c]])
                if float(uniform(swap_words(k, c, 0, number, seed)[0])) < np.exp(min(0.0, gain)):
                    rows[[k, k + 1], c] = rows[[k + 1, k], c]
    return rows


@pytest.mark.parametrize("n_T", [2, 3, 6])
def test_swaps_against_a_plain_loop(n_T):
    rng = np.random.default_rng(1)
    beta, chains = np.linspace(1.0, 0.2, n_T), 3
    energies = rng.normal(0, 2, (30, n_T * chains))
    exchange = Exchange(beta, np.arange(chains), 1, seed=7)
    for number, energy in enumerate(energies):
        chance = exchange.swap(energy[exchange.rows], number)
        assert chance.shape == (n_T - 1, chains)
    np.testing.assert_array_equal(exchange.rows, plain_swaps(beta, energies, chains, 7))


def test_certain_swaps_carry_a_replica_straight_up():
    """With the order of even and odd pairs nothing turns a replica around but a rejection."""
    exchange = Exchange(np.linspace(1.0, 0.2, 5), np.arange(1), 1, seed=1)
    path = []
    for number in range(10):
        path.append(int(exchange.levels[0]))
        exchange.count_round_trips()
        exchange.swap(np.zeros((5, 1)), number)
    assert path == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]

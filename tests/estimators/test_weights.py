import numpy as np
import pytest

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import Multihistogram, bar, tau_int

BETA = np.array([4.0, 1.0, 2.0])
SHAPE = 5.0
"""Energies with density E^(SHAPE - 1): log Z = -SHAPE log(beta) + const, <E> = SHAPE / beta."""


def energies(seed, draws=300, copies=1):
    scale = np.repeat(1 / BETA, copies)
    return np.random.default_rng(seed).gamma(SHAPE, scale, (4, draws, len(scale)))


def test_every_temperature_has_its_share_of_the_pool():
    pool = Multihistogram(energies(1), BETA)
    shares = pool.average_shares(np.ones(pool.energy.size))
    np.testing.assert_allclose(shares, 1 / 3, atol=1e-9)
    assert pool.log_partition[1] == 0, "relative to the highest temperature"


def test_two_temperatures_are_bennetts_acceptance_ratio():
    beta, x = np.array([2.0, 1.0]), energies(1)[..., [2, 1]]
    difference = bar(x[..., 1], -x[..., 0])
    pool = Multihistogram(x, beta)
    assert pool.log_partition[0] == pytest.approx(-difference.value, abs=1e-8)
    assert pool.at(2.0).log_partition == pytest.approx(-difference.value, abs=1e-8)
    np.testing.assert_allclose(
        pool.at(2.0).log_partition_influence, -difference.influence, atol=1e-8
    )


def test_a_shift_of_all_energies_is_exact():
    x = energies(1)
    plain, moved = Multihistogram(x, BETA), Multihistogram(x + 1e5, BETA)
    expected = plain.log_partition - 1e5 * (BETA - 1)
    np.testing.assert_allclose(moved.log_partition, expected, rtol=1e-10)
    assert moved.at(1.5).mean(x)[0] == pytest.approx(plain.at(1.5).mean(x)[0])


def test_at_its_own_temperatures_estimates_agree_with_plain_means():
    x = energies(1)
    pool = Multihistogram(x, BETA)
    for k, beta in enumerate(BETA):
        weights = pool.at(beta)
        assert weights.w.mean() == pytest.approx(1)
        assert weights.log_partition == pytest.approx(pool.log_partition[k], abs=1e-8)
        # Exactly so: it is the condition that log Z is stationary.
        assert weights.mean(x)[0] == pytest.approx(x[..., k].mean(), rel=0.05)


@pytest.mark.parametrize("copies", [1, 2])
def test_coverage_between_the_temperatures(copies):
    z = {"energy": [], "square": [], "log Z": []}
    for seed in range(200):
        x = energies(seed, copies=copies)
        weights = Multihistogram(x, BETA).at(2.7)
        mean, influence = weights.mean(np.stack([x, x**2], axis=-1))
        exact = np.array([SHAPE / 2.7, SHAPE * (SHAPE + 1) / 2.7**2])
        for k, name in enumerate(("energy", "square")):
            z[name].append((mean[k] - exact[k]) / tau_int(influence[..., k]).error)
        error = tau_int(weights.log_partition_influence).error
        z["log Z"].append((weights.log_partition + SHAPE * np.log(2.7)) / error)
    for name, scores in z.items():
        assert 0.75 < np.mean(np.square(scores)) < 1.3, name
        assert abs(np.mean(scores)) < 0.3, name


def test_effective_sizes_fall_outside():
    pool = Multihistogram(energies(1), BETA)
    assert pool.at(2.0).effective_size > 0.5 * pool.energy.size / 3
    assert pool.at(40.0).effective_size < 50


def test_large_pools_are_taken_in_pieces(monkeypatch):
    from statmech_dsl.estimators import weights

    x = energies(1)
    whole = Multihistogram(x, BETA).at(1.5).mean(x)
    monkeypatch.setattr(weights, "AT_ONCE", 100)
    pieces = Multihistogram(x, BETA).at(1.5).mean(x)
    np.testing.assert_allclose(pieces[0], whole[0], rtol=1e-9)
    np.testing.assert_allclose(pieces[1], whole[1], rtol=1e-6, atol=1e-9)


def test_draws_of_equal_energy_are_weighted_as_each_by_itself():
    rng, beta = np.random.default_rng(3), np.array([0.9, 0.5, 0.2])
    energy = rng.binomial(20, 1 / (1 + np.exp(beta)), size=(2, 150, 3)).astype(float)
    levels = Multihistogram(energy, beta)
    each = Multihistogram(energy + 1e-9 * rng.normal(size=energy.shape), beta)
    assert len(levels._levels.values) < 25
    assert len(each._levels.values) == energy.size
    np.testing.assert_allclose(levels.log_partition, each.log_partition, atol=1e-7)
    np.testing.assert_allclose(levels.overlap_matrix, each.overlap_matrix, atol=1e-7)
    np.testing.assert_allclose(levels.at(0.3).w, each.at(0.3).w, rtol=1e-7)
    columns = rng.normal(size=(energy.size, 2))
    np.testing.assert_allclose(levels.corrected(columns), each.corrected(columns), atol=1e-6)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(DiagnosticsError, match="as many draws"):
        Multihistogram(np.ones((2, 10, 4)), BETA)

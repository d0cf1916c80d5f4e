import matplotlib.pyplot as plt
import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import DiagnosticsError, DisagreementWarning, OverlapError
from statmech_dsl.estimators import MBAR, crossing


def test_a_ladder_shows_its_numbers():
    data = sm.temper(
        sm.models.ising(L=4), beta=[0.0, 0.3, 0.6], draws=30, seed=1, progressbar=False
    )
    figure = sm.plots.ladder(data)
    swaps, barrier, paths = figure.axes
    np.testing.assert_allclose(
        swaps.lines[0].get_ydata(), data.sample_stats.swap_acceptance.mean("chain")
    )
    np.testing.assert_allclose(barrier.lines[0].get_ydata(), data.sample_stats.barrier)
    assert len(paths.lines) == 3
    plt.close(figure)


def test_a_run_without_a_ladder_is_refused():
    data = sm.sample(sm.models.ising(L=4), T=2.0, draws=5, progressbar=False)
    with pytest.raises(DiagnosticsError, match="no ladder"):
        sm.plots.ladder(data)


def test_free_energies_are_drawn_as_they_are():
    data = sm.free_energy(
        sm.models.ising(L=2), T=[2.0, 4.0, 3.0], method="panel", draws=100, tune=100, seed=1,
        progressbar=False,
    )  # fmt: skip
    figure = sm.plots.free_energies(data)
    curve, _ = figure.axes
    drawn = [c.lines[0].get_ydata() for c in curve.containers]
    np.testing.assert_allclose(drawn, data.sortby("T").free_energy)
    plt.close(figure)
    with pytest.raises(DiagnosticsError, match="no free energy over T"):
        sm.plots.free_energies(data.isel(T=0))


def test_the_overlap_matrix_is_that_of_its_draws():
    data = sm.temper(
        sm.models.ising(L=4), beta=[0.0, 0.3, 0.6], draws=50, seed=1, progressbar=False
    )
    figure = sm.plots.overlap_matrix(data)
    shares = figure.axes[0].images[0].get_array()
    # The same by the estimator for any states: (states, draws), those of the first state first.
    beta = 1 / data.posterior["T"].values
    energy = data.posterior.energy.transpose("T", ...).values.ravel()
    pool = MBAR(beta[:, None] * energy, [200] * 3)
    np.testing.assert_allclose(shares, pool.overlap_matrix, atol=1e-6)
    plt.close(figure)
    with pytest.raises(DiagnosticsError, match="no energies at several temperatures"):
        sm.plots.overlap_matrix(sm.sample(sm.models.ising(L=4), T=2.0, draws=5, progressbar=False))


def test_works_cross_where_the_estimator_says():
    rng = np.random.default_rng(1)  # of a difference of 1
    forward, reverse = rng.normal(1.5, 1, 4000), rng.normal(-0.5, 1, 4000)
    found = crossing(forward, reverse)
    figure = sm.plots.works(forward, reverse)
    densities, ratio = figure.axes
    np.testing.assert_allclose(densities.lines[0].get_xdata(), found.value)
    fitted = next(line for line in ratio.lines if line.get_label() == "fitted")
    (x0, x1), (y0, y1) = fitted.get_data()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(found.slope)
    (points, *_) = ratio.containers[0]
    x, y = points.get_data()
    assert len(x) > 10
    middle = np.abs(x - 1) < 1  # elsewhere a bin holds few works
    np.testing.assert_allclose(y[middle], x[middle] - 1, atol=0.4)
    plt.close(figure)


def test_bins_of_works_hold_equally_many_levels():
    """Works of a model with levels: a comb would show where some bins hold one level more."""
    rng = np.random.default_rng(2)
    forward, reverse = 0.1 * rng.binomial(100, 0.6, 5000), -0.1 * rng.binomial(100, 0.5, 5000)
    with pytest.warns(DisagreementWarning):
        figure = sm.plots.works(forward, reverse)
    edges = np.unique([p.get_x() for p in figure.axes[0].patches[:-1]])
    np.testing.assert_allclose(np.diff(edges) / 0.1, round((edges[1] - edges[0]) / 0.1), atol=1e-6)
    assert (np.abs((edges / 0.1) % 1 - 0.5) < 1e-6).all()
    plt.close(figure)


def test_works_that_do_not_meet_are_refused():
    with pytest.raises(OverlapError, match="do not meet"):
        sm.plots.works([5.0, 6.0, 7.0], [1.0, 2.0, 3.0])

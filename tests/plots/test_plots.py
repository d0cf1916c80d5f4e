import matplotlib.pyplot as plt
import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import MBAR


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

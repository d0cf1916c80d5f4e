"""The examples run, in a small form, and their numbers agree with exact ones."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import statmech_dsl as sm

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, tmp_path):
    """Import an example as if it were run by its path, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    yield importlib.import_module
    for path in EXAMPLES.glob("*.py"):
        sys.modules.pop(path.stem, None)


def is_picture(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_every_example_has_a_test():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    assert scripts == {
        "boltzmann_machine_digits",
        "demo",
        "density_of_states",
        "encoder_4_2_4",
        "free_energy_panel",
        "hopfield_digits",
        "inverse_ising",
        "ising_transition",
        "kaufman",
        "maxcut_gset",
        "mixture_pymc",
        "population_annealing",
        "segmentation",
        "segmentation_pymc",
        "spinodal_decomposition",
        "tempering_spin_glass",
    }


def test_demo(example, tmp_path, capsys):
    table = example("demo").main(small=True)
    assert (abs(table.z) < 4).all()
    z = (
        table.heat_capacity_per_site - table.heat_capacity_exact
    ) / table.heat_capacity_per_site_error
    assert (abs(z) < 4).all()
    assert (table.r_hat < 1.1).all()
    assert (table.ess > 100).all()
    printed = capsys.readouterr().out
    assert 'sm.Energy("exchange", -1.0 * s[i] * s[j])' in printed
    assert all(f"{T:.2f}" in printed for T in table.T.values)
    data = xr.open_datatree(tmp_path / "demo_output" / "ising.nc")
    assert data.posterior.energy.dims == ("chain", "draw", "T")
    assert is_picture(tmp_path / "demo_output" / "ising.png")


def test_ising_transition(example, tmp_path):
    tables = example("ising_transition").main(small=True)
    for table in tables.values():
        assert (abs(table.z_energy) < 4).all()
        assert (abs(table.z_heat_capacity) < 4).all()
        assert (table.r_hat < 1.1).all()
    assert (abs(tables[4].z_abs_m) < 4).all()
    m = {L: table.abs_magnetization.sel(T=3.1) for L, table in tables.items()}
    assert m[16] < 0.5 * m[4], "what is left above T_c falls with the size"
    assert is_picture(tmp_path / "ising_transition.png")


def test_hopfield_digits(example, tmp_path):
    stored, corrupted, pairs, dense = example("hopfield_digits").main(small=True).values()
    assert (stored == 1).all()
    assert (corrupted < 0.85).all()
    assert (pairs < 0.8).all(), "ten digits are too many and too alike for a Hopfield network"
    assert (dense == 1).all()
    assert is_picture(tmp_path / "hopfield_digits.png")


def test_tempering_spin_glass(example, tmp_path):
    data, sides = example("tempering_spin_glass").main(small=True)
    acceptance = data.sample_stats.swap_acceptance.mean("chain")
    assert ((acceptance > 0.3) & (acceptance < 0.7)).all(), "the ladder is tuned"
    assert (data.sample_stats.round_trips > 0).all()
    q2 = (data.posterior.overlap**2).mean(("chain", "draw"))
    assert q2[0] > 5 * q2[-1], "it freezes"
    hot = sides.isel(T=-1)
    assert float(hot.energy) == pytest.approx(float(hot.links), rel=0.1)
    assert is_picture(tmp_path / "tempering_spin_glass.png")


def test_maxcut_gset(example, tmp_path):
    few, many = example("maxcut_gset").main(small=True).values()
    assert float(many.energy.mean()) < float(few.energy.mean()) - 5
    assert -564 <= float(many.energy.min()) <= -560
    assert is_picture(tmp_path / "maxcut_gset.png")


def test_population_annealing(example, tmp_path):
    averages, exact = example("population_annealing").main(small=True)
    for name in ("energy", "log_partition"):
        assert (abs(averages[name] - exact[name]) < 4 * averages[f"{name}_error"]).all()
    assert is_picture(tmp_path / "population_annealing.png")


def test_kaufman_against_enumeration(example):
    T = np.array([0.8, 1.5, 2.269, 3.0, 10.0])
    log_z, energy, heat_capacity = example("kaufman").kaufman(4, T)
    exact = sm.exact(sm.models.ising(L=4), T=T)
    np.testing.assert_allclose(log_z, exact.log_partition, rtol=1e-13)
    np.testing.assert_allclose(energy, exact.energy / 16, rtol=1e-12)
    np.testing.assert_allclose(heat_capacity, exact.heat_capacity / 16, rtol=1e-9)


def test_kaufman_at_the_limits(example):
    kaufman = example("kaufman")
    log_z, energy, heat_capacity = kaufman.kaufman(32, [0.3, kaufman.T_C, 1000.0])
    assert log_z[0] == pytest.approx(2 * 1024 / 0.3 + np.log(2))
    assert energy == pytest.approx([-2, -1.43365847, -0.002], abs=1e-6)
    # Known digits at T_c (Ferdinand and Fisher 1969): -sqrt 2 (1 + 0.43903 / L) for the energy.
    assert energy[1] == pytest.approx(-np.sqrt(2) * (1 + 0.43903 / 32), abs=1e-4)
    assert heat_capacity[0] < 1e-6
    m = kaufman.spontaneous_magnetization([0.5, 2.0, kaufman.T_C + 1e-9, 5.0])
    assert m == pytest.approx([1, 0.911319, 0, 0], abs=1e-6)


def test_density_of_states(example, tmp_path):
    table, (T, energy, p) = example("density_of_states").main(small=True)
    for name in ("energy_per_site", "heat_capacity_per_site", "log_partition"):
        assert (abs(table[f"{name}_z"]) < 4).all()
    assert 0.70 < T < 0.75, "above T_c = 0.7012, as small systems are"
    ordered = energy < -1.3
    assert p[ordered].max() == pytest.approx(p[~ordered].max())
    assert is_picture(tmp_path / "density_of_states.png")


def test_mixture_pymc(example, tmp_path):
    z = example("mixture_pymc").main(small=True)
    assert all((abs(z[name]) < 4).all() for name in ("w", "mu", "sigma"))
    assert is_picture(tmp_path / "mixture_pymc.png")


def test_segmentation(example, tmp_path):
    found = example("segmentation").main(small=True)
    J, mu = (found.posterior[name].mean(("chain", "draw")).values for name in ("J", "mu"))
    assert 0.7 < J < 1.8  # neighbors tell of each other
    assert (np.diff(mu) > 0.1).all()
    assert found["hidden"].z.sum("z_value").min() > 0.999
    assert is_picture(tmp_path / "segmentation.png")


def test_segmentation_pymc(example, tmp_path):
    posterior, rough, smooth = example("segmentation_pymc").main(small=True)
    mu = posterior.mu.mean(("chain", "draw"))
    assert ((mu.diff("mu_dim_0") > 0.05) & (mu[1:] < 1)).all()
    assert (posterior.mu.std(("chain", "draw")) < 0.02).all()
    assert smooth < 0.5 * rough
    assert is_picture(tmp_path / "segmentation_pymc.png")


def test_spinodal_decomposition(example, tmp_path):
    half, dilute = example("spinodal_decomposition").main(small=True)
    for q in (half, dilute):
        assert (q.n.sum(("y", "x")) == q.attrs["particles"]).all()
        assert float(q.length[-1] / q.length[0]) > 1.4
        assert (np.diff(q.length) > 0).all()
    # At infinite temperature half of the bonds are mixed, at a low one none.
    module = sys.modules["spinodal_decomposition"]
    module.T = 1e3
    assert abs(module.bulk_bonds() - 0.5) < 1e-3
    module.T = 0.1
    assert module.bulk_bonds() < 1e-3
    assert is_picture(tmp_path / "spinodal_decomposition.png")


def test_free_energy_panel(example, tmp_path):
    panel, exact = example("free_energy_panel").main(small=True)
    assert bool(panel.agreed)
    off = abs(panel.log_partition - exact.log_partition)
    assert (off < 4 * panel.log_partition_error).all()
    assert is_picture(tmp_path / "free_energy_panel.png")


def test_inverse_ising(example, tmp_path):
    table = example("inverse_ising").main(small=True)
    assert (table.auc > 0.99).all()
    assert float(table.rms_error.sel(fit="pseudolikelihood")) < 1.3 * table.predicted_error
    assert is_picture(tmp_path / "inverse_ising.png")


def test_boltzmann_machine_digits(example, tmp_path):
    fit = example("boltzmann_machine_digits").main(small=True)
    assert float(fit.history.test_log_likelihood[-1]) > fit.attrs["independent_pixels"] + 1
    assert fit.history.reconstruction_error[-1] < 0.7 * fit.history.reconstruction_error[0]
    assert is_picture(tmp_path / "boltzmann_machine_digits.png")


def test_encoder_4_2_4(example, tmp_path):
    assert example("encoder_4_2_4").main(small=True) == [True]
    assert is_picture(tmp_path / "encoder_4_2_4.png")

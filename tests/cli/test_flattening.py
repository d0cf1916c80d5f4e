"""`statmech flat-histogram`: the same results as the API, and what it prints."""

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import statmech_dsl as sm
from statmech_dsl.cli.app import app


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def statmech(*arguments):
    return CliRunner().invoke(app, ["flat-histogram", "ising", "-p", "L=4", *map(str, arguments)])


def test_the_density_of_states_from_a_shell():
    done = statmech("--tune", 1000, "--draws", 200, "--seed", 3, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    model = sm.models.ising(L=4)
    expected = sm.flat_histogram(model, tune=1000, draws=200, seed=3, progressbar=False)
    with xr.open_datatree("out.nc") as data:
        for group in ("posterior", "sample_stats", "density_of_states"):
            xr.testing.assert_equal(data[group].to_dataset(), expected[group].to_dataset())
        again = sm.reweight(data, T=2.0, quantities=["energy_per_site"])
    assert np.isfinite(again.log_partition)
    rows = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert len(rows) == 12
    states = expected.density_of_states
    assert float(rows[0][0]) == -32
    assert float(rows[0][1]) == pytest.approx(float(states.log_density_of_states[0]), abs=0.1)
    assert "15 levels, flatness" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_range_from_a_shell():
    done = statmech("--energies", "-20:0", "--tune", 1000, "--draws", 100, "--seed", 3)
    assert done.exit_code == 0, done.output
    assert "ln g, relative" in done.stdout
    assert "6 levels" in done.stdout
    done = statmech("--energies", "low")
    assert done.exit_code == 2
    assert "LOW:HIGH" in done.stderr

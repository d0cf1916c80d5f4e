"""`statmech anneal` and `statmech population-anneal` do what the API does."""

import inspect

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import statmech_dsl as sm
from statmech_dsl.cli.annealing import anneal, population_anneal
from statmech_dsl.cli.app import app


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def statmech(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize(
    ("command", "verb"), [(anneal, sm.anneal), (population_anneal, sm.population_anneal)]
)
def test_options_are_the_arguments_of_the_verb(command, verb):
    api = dict(list(inspect.signature(verb).parameters.items())[1:])
    cli = inspect.signature(command).parameters
    assert cli.keys() - api.keys() == {"model", "param", "output", "debug"}
    assert not api.keys() - cli.keys()
    options = statmech(command.__name__.replace("_", "-"), "--help").stdout
    for name, p in api.items():
        assert f"--{name} " in options
        assert cli[name].default in (p.default, str(p.default))


def test_anneal():
    options = ("--reads", 8, "--sweeps", 20, "--T", "3,0.2", "--schedule", "linear", "--seed", 1)
    done = statmech("anneal", "ising", "-p", "L=4", *options, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    expected = sm.anneal(
        sm.models.ising(L=4), reads=8, sweeps=20, T=(3, 0.2), schedule="linear", seed=1
    )
    with xr.open_dataset("out.nc") as data:
        xr.testing.assert_equal(data.load(), expected)
    assert "8 reads x 20 sweeps, linear, T from 3 to 0.2, seed 1" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("-")]
    energies, counts = np.unique(expected.energy, return_counts=True)
    assert rows == [[f"{e:g}", str(n)] for e, n in zip(energies, counts, strict=True)]


def test_population_anneal():
    options = ("--T", "4,1", "--population", 500, "--sweeps", 3, "--runs", 2, "--seed", 1)
    done = statmech("population-anneal", "ising", "-p", "L=4", *options, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    expected = sm.population_anneal(
        sm.models.ising(L=4), T=(4, 1), population=500, sweeps=3, runs=2, seed=1
    )
    with xr.open_datatree("out.nc") as data:
        for group in ("averages", "posterior", "sample_stats"):
            xr.testing.assert_equal(data[group].to_dataset().load(), expected[group].to_dataset())
    rows = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert len(rows) == expected.averages.sizes["T"]
    assert float(rows[-1][4]) == pytest.approx(float(expected.averages.log_partition[-1]), abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("anneal ising --schedule slow", "there is no schedule 'slow'"),
        ("anneal ising --T 2", "two different numbers"),
        ("anneal ising --T x", "cannot read the numbers"),
        ("population-anneal ising --T 1,1", "T= is the lowest temperature"),
        ("anneal ising -o out.txt", "cannot tell the format"),
    ],
)
def test_mistakes(arguments, message):
    done = statmech(*arguments.split())
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output

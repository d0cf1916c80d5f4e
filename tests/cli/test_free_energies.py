"""`statmech free-energy`: the same results as the API, and what it prints."""

import inspect

import pytest
import xarray as xr
from typer.testing import CliRunner

import statmech_dsl as sm
from statmech_dsl.cli.app import app, free_energy

SHORT = ("--draws", 60, "--tune", 40, "--chains", 2, "--seed", 3)
API = {"draws": 60, "tune": 40, "chains": 2, "seed": 3, "progressbar": False}
quiet = pytest.mark.filterwarnings("ignore::statmech_dsl.errors.OverlapWarning")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def statmech(*arguments):
    return CliRunner().invoke(app, ["free-energy", "ising", "-p", "L=2", *map(str, arguments)])


def written():
    with xr.open_dataset("out.nc") as data:
        return data.load()


def test_options_are_the_arguments_of_the_verb():
    api = dict(list(inspect.signature(sm.free_energy).parameters.items())[1:])
    cli = inspect.signature(free_energy).parameters
    assert cli.keys() - api.keys() == {"model", "param", "output", "debug"}
    assert not api.keys() - cli.keys()
    options = statmech("--help").stdout
    for name, p in api.items():
        assert f"--{name.replace('_', '-')} " in options
        assert cli[name].default in (p.default, str(p.default), ())


@quiet
def test_one_route():
    done = statmech("--T", "2,3", "--method", "tempering", *SHORT, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    model = sm.models.ising(L=2)
    expected = sm.free_energy(model, T=[2.0, 3.0], method="tempering", **API)
    xr.testing.assert_identical(written(), expected)
    head, *_ = done.stdout.splitlines()
    assert head.startswith("tempering, 2 chains x 60 draws, seed 3, ")
    rows = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert [float(row[0]) for row in rows] == [2.0, 3.0]
    columns = ("log_partition", "free_energy", "energy", "entropy", "heat_capacity")
    for k, row in enumerate(rows):
        for at, name in zip(range(1, 16, 3), columns, strict=True):
            value, error = (float(expected[n][k]) for n in (name, f"{name}_error"))
            assert float(row[at]) == pytest.approx(value, abs=error / 2)
            assert float(row[at + 2]) == pytest.approx(error, rel=0.06)


def test_the_exact_sum_has_no_errors():
    done = statmech("--T", 2, "--ground-state=-8,2")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("exact, ")
    assert "+-" not in done.stdout
    expected = sm.exact(sm.models.ising(L=2), T=2.0)
    (row,) = [x.split() for x in done.stdout.splitlines() if x.strip().startswith("2 ")]
    assert float(row[1]) == pytest.approx(float(expected.log_partition), rel=1e-9)


@quiet
def test_a_panel_says_which_route_is_in_trouble():
    options = ("--draws", 10, "--tune", 40, "--chains", 2, "--seed", 3)
    done = statmech("--T", 2, "--method", "panel", *options, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    data = written()
    assert "are not said to agree: they differ by" in done.stdout
    said = " ".join(done.stdout.split())
    for name, reason in zip(data["method"].values, data["trouble"].values, strict=True):
        assert (f"{name} is in trouble: {reason}" in said) == bool(reason)
    (row,) = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert len(row) == 1 + 3 * data.sizes["method"]


def test_from_the_same_model_with_another_parameter():
    options = ("-p", "h=0.5", "--T", 2, "--method", "exact", "--reference", "h=0")
    done = statmech(*options, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    models = [sm.models.ising(L=2, h=h) for h in (0.5, 0.0)]
    log_z = [float(sm.exact(m, T=2.0).log_partition) for m in models]
    assert float(written().log_partition_difference) == pytest.approx(log_z[0] - log_z[1])
    assert "relative" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--method wham", "there is no method 'wham'"),
        ("--T x", "cannot read the numbers"),
        ("--reference h", "--reference takes NAME=VALUE"),
        ("--reference H=1", "ising has no parameter 'H'"),
        ("--method tempering --ground-state=-8", "ground_state is (lowest energy"),
        ("-o out.txt", "cannot tell the format"),
    ],
)
def test_mistakes(options, message):
    done = statmech(*options.split())
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output

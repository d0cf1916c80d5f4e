"""The command line: the same results as the API, and messages instead of tracebacks."""

import inspect
import json
import os
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import statmech_dsl as sm
from statmech_dsl.cli.app import app, run, temper
from statmech_dsl.cli.flattening import flat_histogram
from statmech_dsl.cli.parameters import read_parameters
from statmech_dsl.errors import ArgumentError, ShortChainWarning
from statmech_dsl.runs.sample import Recorder

SMALL = ("--draws", "20", "--tune", "5", "--chains", "2", "--seed", "3", "--backend", "reference")
API = {"draws": 20, "tune": 5, "chains": 2, "seed": 3, "backend": "reference", "progressbar": False}

RING = """
import statmech_dsl as sm

def ring(N: int = 4, J=1.0):
    lattice = sm.lattices.chain(N)
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    return model
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def statmech(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def posterior(path):
    with xr.open_datatree(path) as data:
        return data["posterior"].to_dataset().load()


# ---- help ----------------------------------------------------------------------------------------


def test_help_is_quick():
    """CPU time, so that a busy machine does not matter."""
    command = [sys.executable, "-c", "from statmech_dsl.cli import main; main(['--help'])"]
    times = []
    for _ in range(3):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        times.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(times) < 0.5


def test_help_imports_nothing_heavy():
    code = """
import sys
from statmech_dsl.cli import main
try:
    main(["run", "--help"])
except SystemExit:
    print(sorted({"arviz", "numba", "numpy", "pymc", "rich", "xarray"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "--draws" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("verb", "command"),
    [(sm.sample, run), (sm.temper, temper), (sm.flat_histogram, flat_histogram)],
)
def test_options_are_the_arguments_of_the_verb(verb, command):
    api = dict(list(inspect.signature(verb).parameters.items())[1:])
    cli = inspect.signature(command).parameters
    assert cli.keys() - api.keys() == {"model", "param", "output", "debug"}
    assert not api.keys() - cli.keys()
    options = statmech(command.__name__.replace("_", "-"), "--help").stdout
    for name, p in api.items():
        assert f"--{name.replace('_', '-')} " in options
        assert cli[name].default == (p.default if name != "T" else str(p.default))


def test_version():
    assert statmech("--version").stdout.strip() == sm.__version__


# ---- temper ----------------------------------------------------------------------------------------


def test_tempering_from_a_shell():
    options = ("-p", "L=4", "--T", "1.5:4.0", "--replicas-per-T", "2", "-o", "out.nc")
    done = statmech("temper", "ising", *options, "--tune", "60", "--draws", "20", "--seed", "3")
    assert done.exit_code == 0, done.output
    expected = sm.temper(
        sm.models.ising(L=4), T=(1.5, 4.0), replicas_per_T=2, tune=60, draws=20, seed=3,
        progressbar=False,
    )  # fmt: skip
    with xr.open_datatree("out.nc") as data:
        for group in ("posterior", "sample_stats", "final_state"):
            xr.testing.assert_equal(data[group].to_dataset(), expected[group].to_dataset())
    rows = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert len(rows) == expected.posterior.sizes["T"]
    for k, row in enumerate(rows):
        assert float(row[0]) == pytest.approx(float(expected.posterior["T"][k]), rel=1e-5)
        log_z = float(expected.sample_stats.log_partition[k])
        assert float(row[4]) == pytest.approx(log_z, rel=0.1)
    trips = int(expected.sample_stats.round_trips.sum())
    assert f"{trips} round trips" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_ladder_from_a_shell():
    done = statmech("temper", "ising", "-p", "L=4", "--beta", "0,0.3,0.6", "--draws", "20")
    assert done.exit_code == 0, done.output
    assert "log Z  " in done.stdout, "absolute, as beta = 0 is there"
    assert "inf" in done.stdout
    done = statmech("temper", "ising", "--T", "2.0")
    assert done.exit_code == 2
    assert "two temperatures or more" in done.stderr


# ---- run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_results_are_those_of_the_api(suffix):
    out = Path(f"out{suffix}")
    for T in ("1.5", "2.0:3.0:3"):  # the second replaces the file of the first
        options = ("-p", "L=4", "-p", "J=1.5", "--T", T, "--store", "s", "-o", out)
        done = statmech("run", "ising", *options, *SMALL)
        assert done.exit_code == 0, done.output
        assert f"written to {out}" in done.stdout
    expected = sm.sample(sm.models.ising(L=4, J=1.5), T=np.linspace(2, 3, 3), store="s", **API)
    with xr.open_datatree(out) as data:
        assert set(data.groups) == set(expected.groups)
        for group in ("posterior", "sample_stats", "constant_data", "final_state"):
            xr.testing.assert_equal(data[group].to_dataset(), expected[group].to_dataset())
        assert {**data.attrs, "created_at": 0, "sampling_time": 0} == {
            **expected.attrs,
            "created_at": 0,
            "sampling_time": 0,
        }
    assert os.listdir() == [out.name]  # nothing is left behind


def test_the_table_shows_derived_quantities():
    done = statmech("run", "ising", "-p", "L=4", "--beta", "0.5,0.25", *SMALL)
    with pytest.warns(ShortChainWarning):
        expected = sm.derived(sm.sample(sm.models.ising(L=4), beta=[0.5, 0.25], **API))
    rows = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    for k, row in enumerate(rows):
        quantities = ("energy_per_site", "heat_capacity_per_site", "abs_magnetization")
        assert float(row[0]) == expected["T"][k]
        for column, name in zip((1, 4, 7), quantities, strict=True):
            assert float(row[column]) == pytest.approx(float(expected[name][k]), abs=5e-3)
            error = float(expected[f"{name}_error"][k])
            assert float(row[column + 2]) == pytest.approx(error, rel=0.06)
    assert len(rows) == 2
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "not written" in done.stdout


def test_totals_where_a_site_has_no_clear_meaning():
    done = statmech("run", "ashkin_teller", "-p", "L=2", "--updates", "s=metropolis", *SMALL)
    assert "per site" not in done.stdout
    assert "s: 4 sites, metropolis; t: 4 sites, heat_bath" in done.stdout


def test_a_system_that_never_changes_has_no_r_hat():
    done = statmech("run", "ising", "-p", "L=4", "--T", "0.01", "--init", "cold", *SMALL)
    (row,) = [line.split() for line in done.stdout.splitlines() if "+-" in line]
    assert row == ["0.01", "-2", "+-", "0", "0", "+-", "0", "1", "+-", "0", "-", "40"]
    assert "RuntimeWarning" not in done.stderr


def test_go_on_with_an_earlier_run():
    statmech("run", "ising", "-p", "L=4", *SMALL, "-o", "first.nc")
    later = ("--init", "first.nc", "--tune", "0", "-o", "second.nc")
    done = statmech("run", "ising", "-p", "L=4", *SMALL, *later)
    assert done.exit_code == 0, done.output
    whole = sm.sample(sm.models.ising(L=4), **API | {"draws": 40})["posterior"].to_dataset()
    halves = xr.concat([posterior("first.nc"), posterior("second.nc")], "draw")
    np.testing.assert_array_equal(halves["energy"], whole["energy"])


def interrupt(monkeypatch, after):
    record, calls = Recorder.record, []

    def impatient(self, *arguments):
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(1)
        record(self, *arguments)

    monkeypatch.setattr(Recorder, "record", impatient)
    monkeypatch.setattr(Recorder, "room", 1)


def test_an_interrupted_run_keeps_what_is_done(monkeypatch):
    interrupt(monkeypatch, after=7)
    done = statmech("run", "ising", "-p", "L=4", *SMALL, "-o", "out.nc")
    assert done.exit_code == 130
    assert "warning: interrupted after 7 of 20 draws" in done.stderr
    assert posterior("out.nc").sizes["draw"] == 7


def test_a_run_interrupted_too_early_says_so(monkeypatch):
    interrupt(monkeypatch, after=0)
    done = statmech("run", "ising", "-p", "L=4", *SMALL, "-o", "out.nc")
    assert done.exit_code == 130
    assert done.stderr == "error: interrupted\n"
    assert not os.listdir()


def test_numbers_are_shown_even_if_they_cannot_be_written(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", full)
    done = statmech("run", "ising", "-p", "L=4", *SMALL, "-o", "out.nc")
    assert done.exit_code == 1
    assert "No space left" in done.stderr
    assert "+-" in done.stdout


# ---- models of the user --------------------------------------------------------------------------

OBJECT = "model = ring(5)"
TWO = "a, b = ring(5), ring(6)"


@pytest.mark.parametrize(
    ("lines", "name", "param", "sites"),
    [
        ("", "", (), 4),
        ("", ":ring", ("-p", "N=6", "-p", "J=2"), 6),
        (OBJECT, "", (), 5),
        (f"{OBJECT}; other = ring(7)", "", (), 5),
        ("mine = ring(5); alias = mine", "", (), 5),
        (TWO, ":b", (), 6),
        ("from helper import N\nmine = ring(N)", "", (), 8),
    ],
)
def test_a_model_in_a_file(lines, name, param, sites):
    Path("helper.py").write_text("N = 8")
    Path("mine.py").write_text(f"{RING}\n{lines}\n")
    done = statmech("run", f"mine.py{name}", *param, *SMALL, "-o", "out.nc")
    assert done.exit_code == 0, done.output
    assert json.loads(xr.open_datatree("out.nc").attrs["n_sites"]) == {"s": sites}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("x = = 3", "", "mine.py:1: SyntaxError"),
        ("x = 1\n1 / 0", "", "mine.py:2: ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "", "mine.py:2: SystemExit: 3"),
        ("import statmech_dsl as sm\nsm.lattices.square(0)", "", "mine.py:2: "),
        ("def f():\n    return [][1]", "", "mine.py:2: IndexError"),
        ("def f():\n    pass", "", "returns NoneType, not a model"),
        ("def f(N):\n    pass", "", "f needs N"),
        ("x = 3", "", "has no model"),
        (f"{RING}\n{TWO}", "", "several models: a, b. To mend it: name one, as mine.py:a"),
        (RING, ":rink", "no model or function 'rink' (did you mean ring?)"),
    ],
)
def test_a_file_that_gives_no_model(text, name, expected):
    Path("mine.py").write_text(text)
    done = statmech("run", f"mine.py{name}")
    assert done.exit_code == 2
    assert expected in done.stderr
    assert "Traceback" not in done.output


def test_an_object_takes_no_parameters():
    Path("mine.py").write_text(f"{RING}\n{OBJECT}\n")
    done = statmech("run", "mine.py", "-p", "N=3")
    assert done.exit_code == 2
    assert "takes no parameters (-p N=3)" in done.stderr


@pytest.mark.parametrize(
    ("terms", "message", "files"),
    [
        ("sm.Energy('e', -1e307 * x**2)", "the energy became NaN or infinite", ["mine.py"]),
        (
            "sm.Energy('e', x**2); sm.Observable('m', pt.log(x.mean()))",
            "a draw is NaN or infinite",
            ["mine.py", "out.nc"],
        ),
    ],
)
def test_a_failure_after_the_start(terms, message, files):
    Path("mine.py").write_text(
        "import pytensor.tensor as pt, statmech_dsl as sm\n"
        "with sm.Model() as model:\n"
        "    x = sm.Field('x', 4)\n"
        f"    {terms}\n"
    )
    done = statmech("run", "mine.py", *SMALL, "-o", "out.nc")
    assert done.exit_code == 1
    assert message in done.stderr
    assert sorted(f for f in os.listdir() if f != "__pycache__") == files


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("isng", "no model 'isng' (did you mean ising?)"),
        ("nofile.py", "no file nofile.py"),
        (
            "ising -p LL=3",
            "no parameter 'LL' (did you mean L?). To mend it: its parameters are L=32",
        ),
        ("ising -p L", "--param takes NAME=VALUE (got 'L')"),
        ("ising -p L=3 -p L=4", "gives L twice"),
        ("ising -p L=3.5", "cannot read L=3.5 (-p). To mend it: give a whole number"),
        ("ising -p L=0", "length"),
        ("edwards_anderson -p couplings=odd", "give bimodal or gaussian"),
        ("ising --T 1:2", "cannot read the numbers (--T 1:2)"),
        ("ising --T x", "cannot read the numbers (--T x)"),
        ("ising --T=-1", "T must be finite and positive"),
        ("ising --T 2 --beta 1", "both given"),
        ("ising --draws 0", "draws must be"),
        ("ising --draws x", "--draws"),
        ("ising --updates wolf", "wolf"),
        ("ising --updates t=heat_bath", "updates= names t"),
        ("ising --backend cuda", "no backend 'cuda'"),
        ("ising --init warm", "'warm'"),
        ("ising --init gone.nc", "no file gone.nc"),
        ("ising --init broken.nc", "cannot read results from broken.nc"),
        ("ising --store q", "'q'"),
        ("ising --drws 3", "--draws"),
    ],
)
def test_mistakes_get_a_message(arguments, expected):
    Path("broken.nc").write_text("this is no netCDF")
    done = statmech("run", *arguments.split())
    assert done.exit_code == 2, done.output
    assert expected in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("out.csv", "end its name with .nc (netCDF) or .zarr"),
        ("out", "end its name with"),
        ("gone/out.nc", "folder gone: No such file or directory"),
        ("file/out.zarr", "folder file: Not a directory"),
        ("folder.nc", "folder.nc exists and is no .nc file"),
        ("folder.zarr", "folder.zarr exists and is no .zarr file"),
        ("locked/out.nc", "folder locked: Permission denied"),
    ],
)
def test_bad_outputs_are_refused_before_the_run(path, expected, monkeypatch):
    for name in ("folder.nc", "folder.zarr", "locked"):
        Path(name).mkdir()
    Path("file").touch()
    Path("locked").chmod(0o500)
    if path.startswith("locked") and os.access("locked", os.W_OK):
        pytest.skip("root may write everywhere")
    monkeypatch.setattr("statmech_dsl.cli.running.sm.sample", None)
    done = statmech("run", "ising", "-o", path)
    assert done.exit_code == 2, done.output
    assert expected in done.stderr


def test_debug_shows_the_traceback():
    done = CliRunner().invoke(app, ["explain", "isng", "--debug"])
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert "loading.py" in done.stderr


# ---- parameters ----------------------------------------------------------------------------------


def function(
    size: int = 1,
    mu: float | None = None,
    on: bool = True,
    kind: typing.Literal["a", 2] = "a",
    lattice: str | object = "square",
    weights: np.typing.ArrayLike = 0.0,
    bare=None,
    sized=2.0,
    **others,
):
    pass


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("size=1_000", 1000),
        ("mu=2", 2.0),
        ("mu=none", None),
        ("on=no", False),
        ("on=1", True),
        ("kind=2", 2),
        ("lattice=cubic", "cubic"),
        ("weights=[[0, 1], [1, 0]]", [[0, 1], [1, 0]]),
        ("weights=0.5", 0.5),
        ("bare=a=b", "a=b"),
        ("bare=[1, 2]", [1, 2]),
        ("sized=1e-3", 1e-3),
    ],
)
def test_parameters_are_read_by_the_signature(text, value):
    (read,) = read_parameters(function, [text]).values()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size=x", "a whole number"),
        ("mu=x", "none or a number"),
        ("on=maybe", "true or false"),
        ("kind=b", "a or 2"),
        ("weights=x", "give a Python list"),
        ("others=1", "no parameter 'others'"),
    ],
)
def test_parameters_that_cannot_be_read(text, expected):
    with pytest.raises(ArgumentError, match=expected):
        read_parameters(function, [text])


# ---- explain and models --------------------------------------------------------------------------


@pytest.mark.parametrize("source", [False, True])
def test_explain(source):
    done = statmech(
        *("explain", "ising", "-p", "L=4", "--updates", "metropolis", *["--source"] * source)
    )
    expected = sm.explain(sm.models.ising(L=4), updates="metropolis", source=source)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{expected}\n"


def test_models_are_listed():
    done = statmech("models")
    assert done.exit_code == 0, done.output
    for name in sm.models.MODELS:
        assert f"\n{name}(" in f"\n{done.stdout}"
    assert "ising(L=32, J=1.0, h=0.0, lattice=square, periodic=True)" in done.stdout
    one = statmech("models", "ising")
    assert inspect.getdoc(sm.models.ising) in one.stdout
    wrong = statmech("models", "isng")
    assert wrong.exit_code == 2
    assert "did you mean ising?" in wrong.stderr

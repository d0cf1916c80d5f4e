"""The repository keeps its own rules: nothing machine-bound, small files, light imports."""

import ast
import os
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "statmech_dsl").rglob("*.py"))
MODELS = sorted(p for p in (ROOT / "models").glob("*.py") if p.name != "__init__.py")
PUBLIC = {"statmech_dsl", "numpy", "scipy", "pymc", "pytensor.tensor"}

# The patterns are pieced together so that this file does not match them itself.
REGISTRIES = "|".join(
    ["pypi" + r"\.\w", "pythonhosted" + r"\.", "registry" + r"\.npmjs", "anaconda" + r"\.org/\w"]
    + ["index" + "-url", "find" + "-links"]
)
MACHINE_PATHS = r"(?<![\w.~})])/(?:" + "|".join(["root", "home", "tmp", "work", "Users"]) + ")/"


def repository_texts():
    """Every text file that git tracks or would add, by its path in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            yield name, content.decode(errors="replace")


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registry", "path"])
def test_no_file_is_bound_to_a_machine(pattern):
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in repository_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, "\n".join(found)


def imported(path):
    """The full names of the modules that a file imports, `from a import b` giving `a`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_are_short_and_use_the_public_api_only(path):
    stdlib = sys.stdlib_module_names
    foreign = {m for m in imported(path) if m not in PUBLIC and m.split(".")[0] not in stdlib}
    assert {m for m in foreign if not m.startswith("scipy.")} == set()
    assert len(path.read_text().splitlines()) <= 60


def test_the_files_of_the_package_are_small():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in PACKAGE}
    assert {name: length for name, length in lengths.items() if length > 500} == {}
    assert statistics.median(lengths.values()) <= 150


def test_every_package_says_what_it_is():
    folders = {path.parent for path in PACKAGE} | {ROOT / "models"}
    inits = [folder / "__init__.py" for folder in sorted(folders)]
    missing = [
        str(init.relative_to(ROOT))
        for init in inits
        if not init.is_file() or not ast.get_docstring(ast.parse(init.read_text()))
    ]
    assert missing == []


def test_every_dependency_is_pinned():
    lines = [li for li in (ROOT / "constraints.txt").read_text().splitlines() if li[:1] != "#"]
    pins = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r"==[\w.!+]+", str(pin.specifier)) for pin in pins)
    assert lines == sorted(lines, key=str.lower)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["test"] + extras["peers"]
    missing = {canonicalize_name(Requirement(line).name) for line in wanted}
    assert missing - {canonicalize_name(pin.name) for pin in pins} == set()


def run_python(code):
    """Run code in a fresh interpreter that may cache bytecode, as a user's does."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


# Processor time, so that the tests running beside these do not count.


def test_importing_the_package_adds_little_to_importing_pymc():
    code = (
        "import time, pymc\n"
        "start = time.process_time()\n"
        "import statmech_dsl as sm\n"
        "sm.Model\n"
        "print(time.process_time() - start)\n"
    )
    assert min(float(run_python(code)) for _ in range(3)) < 0.5


def test_the_command_line_answers_at_once():
    code = (
        "import atexit, sys, time\n"
        "atexit.register(lambda: print('seconds:', time.process_time()))\n"
        "from statmech_dsl.cli import main\n"
        "sys.argv = ['statmech', '--help']\n"
        "main()\n"
    )
    outputs = [run_python(code) for _ in range(3)]
    assert "Usage" in outputs[0]
    assert min(float(out.rpartition("seconds:")[2]) for out in outputs) < 0.5

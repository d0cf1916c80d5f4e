"""Tables of the documentation that are made from the code, or from what `make bench` measured.

They stand between ``<!-- NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import statmech_dsl as sm
from benchmarks.report import speeds
from statmech_dsl import estimators, testing
from statmech_dsl.models import MODELS

MARKED = re.compile(r"(?<=<!-- (?P<name>\w{6}) -->\n).*?(?=<!-- end -->)", re.DOTALL)
VARIABLES = ("Spin", "Occupation", "Levels", "Potts", "Clock", "Angle", "UnitVector", "Field")
DECLARE = ("Model", "Energy", "Observable")
RUN = (
    "sample", "temper", "anneal", "population_anneal", "flat_histogram", "free_energy",
    "free_energy_profile", "infer", "calibrate", "predictive_check", "learn", "exact", "exact_costs",
    "approximate", "explain", "validate", "HMC", "SwendsenWang", "Wolff",
    "LocalGibbs",
)  # fmt: skip
MEASURE = (
    "derived", "Derived", "reweight", "correlation", "correlation_length", "tau_int",
    "time_to_solution",
)  # fmt: skip
EXCHANGE = ("read_gset", "from_bqm", "to_bqm", "to_sampleset")


def first_line(thing: Any) -> str:
    """The first line of a docstring, as it stands in a table."""
    line = (inspect.getdoc(thing) or "").partition("\n")[0]
    return line.replace("``", "`").replace("|", "\\|").replace("<", "\\<")


def arguments(function: Callable) -> str:
    """Arguments with their defaults, as they are written in a call."""
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(f"{p.name}={p.default!r}" for p in parameters)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def models() -> str:
    """Name, Hamiltonian and arguments of every model."""
    rows = []
    for name, function in MODELS.items():
        doc = inspect.getdoc(function) or ""
        hamiltonian = re.search(r"::\n\n *(.*?)\n\n", doc, re.DOTALL)
        assert hamiltonian, f"the docstring of {name} states no Hamiltonian"
        what = first_line(function).removeprefix("Return ").rstrip(".")
        what = re.sub(r"^(a|an|the|compact|classical) ", "", what)
        rows.append((f"`{name}`", what, f"`{hamiltonian[1]}`", f"`{arguments(function)}`"))
    return table(("`sm.models.`", "what it is", "energy", "arguments"), rows)


def names(module: Any, prefix: str, which: Iterable[str]) -> str:
    """Public functions and classes of a module in one line each."""
    things = {name: getattr(module, name) for name in which}
    rows = [(f"`{prefix}{k}`", first_line(x)) for k, x in things.items() if callable(x)]
    return table(("name", "what it is"), rows)


def is_error(name: str) -> bool:
    """Whether a name of `sm.errors` is a class of errors or warnings."""
    return isinstance(getattr(sm.errors, name), type)


def public() -> str:
    """All public names, by what they are for."""
    listed = {"Model, energies, observables": DECLARE, "Variables": VARIABLES, "Verbs": RUN}
    listed |= {"Results": MEASURE, "Graph files and dimod": EXCHANGE}
    other = set(sm.__all__) - {x for group in listed.values() for x in group}
    assert other == {"__version__", "errors", "lattices", "models", "plots"}, other
    listed_plots = names(sm.plots, "sm.plots.", sm.plots.__all__)
    parts = [f"## {title}\n\n{names(sm, 'sm.', group)}" for title, group in listed.items()]
    lattices = names(sm.lattices, "sm.lattices.", sm.lattices.__all__)
    errors = names(sm.errors, "sm.errors.", filter(is_error, vars(sm.errors)))
    parts += [f"## Plots\n\n{listed_plots}"]
    parts += [f"## Lattices\n\n{lattices}", f"## Errors and warnings\n\n{errors}"]
    for title, module in (("Estimators", estimators), ("Conformance", testing)):
        listing = names(module, f"{module.__name__}.", module.__all__)
        parts.append(f"## {title}\n\n{listing}")
    return "\n" + "\n".join(parts) + "\n"


TABLES = {"models": models, "public": public, "speeds": speeds}


def fill(page: str) -> str:
    """The page with its tables as the code has them."""
    return MARKED.sub(lambda match: TABLES[match["name"]](), page)

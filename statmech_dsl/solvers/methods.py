"""Which exact method suits a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from statmech_dsl.errors import ArgumentError, InfeasibleError, ModelError
from statmech_dsl.ir.domains.field import Field
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.counting import counting
from statmech_dsl.solvers.elimination import elimination
from statmech_dsl.solvers.enumeration import MAX_STATES, enumeration
from statmech_dsl.solvers.gaussian import gaussian
from statmech_dsl.solvers.planar import planar
from statmech_dsl.solvers.system import SMALLER, System, discrete_system, power_of_two
from statmech_dsl.solvers.thermal import Thermal

FEW_STATES = 2**20
"""Number of states up to which "auto" enumerates in any case: a second or two."""
MANY_SITES = 2**10
"""Sites above which "auto" does not look for an order of elimination of a planar graph: it takes seconds."""


class Solution(Protocol):
    """A method prepared for a model. What costs time is done by `thermal`."""

    @property
    def cost(self) -> Cost:
        """What it takes."""
        ...

    def thermal(self, beta: float) -> Thermal:
        """Sum over all states."""
        ...


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, and whether means of observables are wanted, or required because the user named them."""

    recovered: Recovered
    measured: bool
    required: bool

    @cached_property
    def system(self) -> System:
        """The model, if it is discrete."""
        return discrete_system(self.recovered.ir, self.recovered.tables, self.recovered.clamped)

    @property
    def is_real(self) -> bool:
        """Whether sites are free, and all of them are real fields."""
        r = self.recovered
        free = [v for v in r.ir.variables if len(r.tables[v.free])]
        return bool(free) and all(isinstance(v.domain, Field) for v in free)


METHODS: dict[str, Callable[[Problem], Solution]] = {
    "enumeration": lambda p: enumeration(p.system),
    "counting": lambda p: counting(p.system),
    "planar": lambda p: planar(p.system),
    "elimination": lambda p: elimination(p.system),
    "gaussian": lambda p: gaussian(p.recovered.ir, p.recovered.tables, p.recovered.clamped),
}
"""All methods; each raises where it does not apply."""
WITH_MEANS = ("enumeration", "counting")
"""Methods that give means of observables."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A method, prepared, and why it was taken."""

    method: str
    solution: Solution
    reason: str


def choose(problem: Problem, method: str) -> Choice:
    """Prepare a method, or the one that suits the model best.

    Raises
    ------
    ArgumentError
        The method is unknown, or does not give the means that are required.
    InfeasibleError
        The method does not fit, or none does.
    """
    if method == "auto":
        return _suited(problem)
    if method not in METHODS:
        names = ", ".join(("auto", *METHODS))
        raise ArgumentError(f"unknown method {method!r}", mend=f"use one of {names}")
    return Choice(method, _prepared(problem, method), "as asked for")


def _prepared(problem: Problem, method: str) -> Solution:
    if problem.required and method not in WITH_MEANS:
        raise ArgumentError(
            f"{method} gives no means of observables",
            mend="use method='enumeration' or 'counting', or leave out observables=",
        )
    return METHODS[method](problem)


def _suited(problem: Problem) -> Choice:
    if problem.is_real:
        return Choice("gaussian", _prepared(problem, "gaussian"), "all free sites are real fields")
    n = problem.system.n_states
    states = f"{power_of_two(n)} states"
    if n <= (MAX_STATES if problem.measured else FEW_STATES):
        return Choice("enumeration", enumeration(problem.system), f"there are {states}")
    refused: dict[str, InfeasibleError] = {}

    def attempt(method: str) -> Solution | None:
        try:
            return METHODS[method](problem)
        except InfeasibleError as error:
            refused[method] = error
            return None

    if found := attempt("counting"):
        return Choice("counting", found, "the energy depends on sums over sites only")
    if problem.required:
        raise _nothing(problem, refused)
    graph = attempt("planar")
    if graph and len(problem.system.sites) > MANY_SITES:
        return Choice("planar", graph, "the couplings are a planar graph of many sites")
    found = attempt("elimination")
    if graph and (not found or graph.cost.operations < found.cost.operations):
        return Choice(
            "planar", graph, "the couplings are a planar graph, and elimination costs more"
        )
    if found:
        return Choice(
            "elimination", found, f"few sites hang together at a time, and there are {states}"
        )
    if n <= MAX_STATES:
        return Choice("enumeration", enumeration(problem.system), f"there are {states}")
    raise _nothing(problem, refused)


def _nothing(problem: Problem, refused: dict[str, InfeasibleError]) -> InfeasibleError:
    n = problem.system.n_states
    reasons = [
        f"enumeration would visit {power_of_two(n)} states, at most {power_of_two(MAX_STATES)} are allowed",
        *(
            error.what if error.what.startswith(method) else f"{method}: {error.what}"
            for method, error in refused.items()
        ),
    ]
    return InfeasibleError("; ".join(reasons), mend=SMALLER)


@dataclass(frozen=True)
class Costs:
    """What the exact methods would cost for a model, or why they do not apply.

    Attributes
    ----------
    costs : dict of str to Cost
        Operations for each temperature, and bytes of memory, of the methods that apply.
    refused : dict of str to str
        Why the others do not.
    chosen : str or None
        What ``method="auto"`` takes.
    reason : str
        Why.
    """

    costs: dict[str, Cost]
    refused: dict[str, str]
    chosen: str | None
    reason: str

    def __str__(self) -> str:
        """One line for each method."""
        lines = {m: str(c) for m, c in self.costs.items()} | self.refused
        text = [f"{'*' if m == self.chosen else ' '} {m:12} {lines[m]}" for m in METHODS]
        return "\n".join([*text, f"* {self.reason}" if self.chosen else self.reason])


def costs(problem: Problem) -> Costs:
    """Prepare all methods, without running them."""
    found, refused = {}, {}
    for method, prepare in METHODS.items():
        try:
            found[method] = prepare(problem).cost
        except (InfeasibleError, ModelError) as error:
            refused[method] = error.what
    try:
        choice = choose(problem, "auto")
    except (ArgumentError, InfeasibleError, ModelError):
        return Costs(found, refused, None, "no method fits")
    return Costs(found, refused, choice.method, choice.reason)

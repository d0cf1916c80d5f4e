"""What an update is: a name, when it is legal, and what happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from statmech_dsl.ir.domains.base import Domain, Form
from statmech_dsl.ir.kernel import SitePass
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.lower.collective.terms import Asymmetric
from statmech_dsl.lower.symmetry import Symmetry, symmetry


@dataclass(frozen=True, eq=False)
class Situation:
    """What legality may depend on: the variable, the forms its energy has, the law, the whole model."""

    variable: str
    domain: Domain
    forms: frozenset[Form]
    ir: ModelIR
    tables: Tables
    law: str = "boltzmann"

    @cached_property
    def symmetry(self) -> Symmetry | str:
        """The reflections of the variable, or why it has none."""
        try:
            return symmetry(self.ir, self.tables, self.variable)
        except Asymmetric as why:
            return str(why)


@dataclass(frozen=True)
class Update:
    """One way to move the sites of a variable.

    ``refuse`` gives the reason why the update is not valid in a situation, or None; ``build`` gives what
    happens at a site, or the collective move that is made. ``automatic`` says whether "auto" may choose it;
    one that is not ``ergodic``, always or in a situation, needs another one beside it. One that ``conserves``
    gives the sites each other's values only: alone, it reaches all states that hold the values of the first
    one in another order. ``options`` takes those of an update that has any; ``variant`` names it with options
    that are worth a trial in a situation.
    """

    name: str
    refuse: Callable[[Situation], str | None]
    build: Callable[[str, Domain], SitePass | CollectiveSpec]
    automatic: bool = True
    ergodic: bool | Callable[[Situation], bool] = True
    conserves: bool = False
    options: Callable[..., Optioned] | None = None
    variant: Callable[[Situation], str | None] = lambda _: None

    def ergodic_in(self, where: Situation) -> bool:
        """Whether it reaches all states by itself in a situation."""
        return self.ergodic if isinstance(self.ergodic, bool) else self.ergodic(where)


class Optioned(Protocol):
    """An update with options; its ``str`` is how ``updates=`` may name it as well."""

    def update(self) -> Update:
        """The update."""
        ...

"""What an update is: a name, when it is legal, and what happens at a site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statmech_dsl.ir.domains.base import Domain, Form
from statmech_dsl.ir.kernel import SitePass


@dataclass(frozen=True)
class Situation:
    """What legality may depend on: the variable's domain, the forms its energy has, the law."""

    variable: str
    domain: Domain
    forms: frozenset[Form]
    law: str = "boltzmann"


@dataclass(frozen=True)
class Update:
    """One way to move the sites of a variable.

    ``refuse`` gives the reason why the update is not valid in a situation, or None; ``build`` gives what
    happens at a site.
    """

    name: str
    refuse: Callable[[Situation], str | None]
    build: Callable[[str, Domain], SitePass]

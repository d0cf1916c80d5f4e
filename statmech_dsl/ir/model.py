"""A model as families of identical local terms over named arrays.

The energy is

    E(x) = sum over families F (without ``feeds``) sum over instances m of F.expr(slot_0, slot_1, ...)

where slot k of instance m reads column k: a site of a variable, a coefficient, or a running sum. A
family with ``feeds`` adds into an element of a running sum instead; a mean-field energy such as
``-J/(2N) (sum_i s_i)^2`` is one family that feeds a sum and one family that reads it. `ir.reduction`
says in which order instances are added.

The dataclasses hold names only; the arrays lie in ``Tables`` beside them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.expr import Expr

Tables = Mapping[str, np.ndarray]
"""Read-only arrays by name: index columns (uint32), coefficients (float64), lists of free sites."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable; ``shape`` as the user sees it, with the component axis if there is one."""

    name: str
    domain: Domain
    shape: tuple[int, ...]

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return math.prod(self.shape) // self.domain.components

    @property
    def free(self) -> str:
        """Name of the table (uint32) of the sites that are not clamped."""
        return f"{self.name}.free"


@dataclass(frozen=True, slots=True)
class Column:
    """What a slot reads in instance m.

    ``state``: component ``component`` of site ``tables[index][m]`` of variable ``array``;
    ``coefficient``: ``tables[array][tables[index][m]]``;
    ``sum``: element ``tables[index][m]`` of running sum ``array``.
    ``index`` is None where every instance reads element 0 (a scalar coefficient, a scalar sum).
    """

    kind: Literal["state", "coefficient", "sum"]
    array: str
    index: str | None
    component: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """Identical terms: ``expr`` over the columns, one instance for each row of the index tables.

    ``term`` names the energy term it came from. ``tempered`` is False for log-density terms that T
    does not divide. ``feeds`` names the running sum it adds into (None: the energy), ``element`` the
    table with the element of each instance, ascending (None: element 0). A family has at least one indexed
    column or exactly one instance.
    """

    name: str
    term: str
    expr: Expr
    columns: tuple[Column, ...]
    tempered: bool = True
    feeds: str | None = None
    element: str | None = None

    def reads(self, variable: str) -> bool:
        """Whether a slot reads the state of ``variable``."""
        return any(c.kind == "state" and c.array == variable for c in self.columns)

    def n_instances(self, tables: Tables) -> int:
        """Number of instances."""
        names = [c.index for c in self.columns if c.index] + (
            [self.element] if self.element else []
        )
        return len(tables[names[0]]) if names else 1


@dataclass(frozen=True, slots=True)
class Sum:
    """A vector of running sums that energy families read."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelIR:
    """Variables, families and running sums: all that the compiler knows of a model."""

    variables: tuple[Variable, ...]
    families: tuple[Family, ...]
    sums: tuple[Sum, ...] = ()

    def variable(self, name: str) -> Variable:
        """Variable of this name."""
        return next(v for v in self.variables if v.name == name)

    def family(self, name: str) -> Family:
        """Family of this name."""
        return next(f for f in self.families if f.name == name)

    @property
    def energy_families(self) -> tuple[Family, ...]:
        """Families that add to the energy."""
        return tuple(f for f in self.families if f.feeds is None)

    def feeding(self, sum_name: str) -> tuple[Family, ...]:
        """Families that add into a running sum."""
        return tuple(f for f in self.families if f.feeds == sum_name)


def content_hash(ir: ModelIR, tables: Tables) -> str:
    """Hash of a model with its couplings: the identity of what was sampled."""
    digest = hashlib.sha256(repr(ir).encode())
    for name in sorted(tables):
        table = np.ascontiguousarray(tables[name])
        digest.update(f"{name}:{table.dtype.str}:{table.shape}".encode())
        digest.update(table.data)
    return digest.hexdigest()[:16]

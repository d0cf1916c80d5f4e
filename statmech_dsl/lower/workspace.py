"""What lowering one pass works on: the occurrences of its sites, their order, the tables of its roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.expr import Expr, canonical, const, renumber
from statmech_dsl.ir.kernel import Role
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.lower.coloring import Order
from statmech_dsl.lower.incidence import Incidences, Occurrence, layout

Terms = tuple[tuple[str, Expr], ...]
"""For each accumulator the expression that an incidence adds to it."""
Own = dict[int, int]
"""The slots that the visited site fills, and which of its components each reads."""


@dataclass(eq=False)
class Workspace:
    """One pass in the making; ``tables`` receives the tables of its roles.

    ``ends`` is the number of sites that it visits at once: 2 in a pass over bonds.
    """

    ir: ModelIR
    source: Tables
    variable: str
    occurrences: list[Occurrence]
    order: Order
    tables: dict[str, np.ndarray]
    prefix: str
    n_places: int
    ends: int = 1
    n_roles: int = 0

    @property
    def components(self) -> int:
        """Numbers that a visit moves."""
        return self.ends * self.ir.variable(self.variable).domain.components

    @property
    def fed(self) -> tuple[str, ...]:
        """Running sums that the variable's free sites feed."""
        return tuple(sorted({o.family.feeds for o in self.occurrences if o.family.feeds}))

    @property
    def outer(self) -> tuple[Family, ...]:
        """Energy families that read a running sum which the sites feed."""
        return tuple(
            f
            for f in self.ir.energy_families
            if any(c.kind == "sum" and c.array in self.fed for c in f.columns)
        )

    @property
    def has_fixed(self) -> bool:
        """Whether T does not divide some of the energy that depends on the sites."""
        direct = [o.family for o in self.occurrences if o.family.feeds is None]
        return any(not f.tempered for f in (*direct, *self.outer))

    def entries(self, column: Column, instances: np.ndarray) -> np.ndarray | None:
        """What a column's index holds in some instances; None for a scalar."""
        return None if column.index is None else self.source[column.index][instances]

    def elements(self, o: Occurrence) -> np.ndarray | None:
        """The element of its running sum that each occurrence feeds; None for a scalar sum."""
        return None if o.family.element is None else self.source[o.family.element][o.instances]

    def role(self, parts: list[Incidences]) -> Role:
        """Lay out a new role."""
        self.n_roles += 1
        name = f"{self.prefix}.role{self.n_roles}"
        return layout(name, parts, self.order.sites, self.n_places, self.tables)


def own_slots(o: Occurrence) -> Own:
    """Slots that the visited site fills."""
    return dict(zip(o.own, o.components, strict=True))


def blank(column: Column) -> Column:
    """A column whose index table is still to be written."""
    return replace(column, index=None if column.index is None else "")


def other_columns(o: Occurrence) -> dict[int, Column]:
    """Columns that are not the visited site itself, by slot."""
    return {k: c for k, c in enumerate(o.family.columns) if k not in o.own}


class Gatherings(dict[tuple[Terms, tuple[Column, ...]], list[Incidences]]):
    """Incidences by what they add: equal terms of several occurrences share a role.

    So the two ends of a symmetric bond become one role, and every site of a regular graph has the same
    number of incidences.
    """

    def add(self, o: Occurrence, space: Workspace, terms: Callable[[Own], Terms]) -> None:
        """Add what an occurrence contributes; nothing where all differences vanish."""
        rest = other_columns(o)
        new_number = {k: n for n, k in enumerate(rest)}
        changed = tuple(
            (name, renumber(e, new_number)) for name, e in terms(own_slots(o)) if e != const(0.0)
        )
        if space.ends == 2:  # a term looks different from its two sides
            changed = tuple((name, canonical(e)) for name, e in changed)
        entries = tuple(space.entries(c, o.instances) for c in rest.values())
        self.put(changed, o.sites, tuple(rest.values()), entries)

    def put(
        self,
        terms: Terms,
        sites: np.ndarray,
        columns: tuple[Column, ...],
        entries: tuple[np.ndarray | None, ...],
    ) -> None:
        """Add incidences whose expressions are numbered like ``columns`` already."""
        if terms:
            blanks = tuple(blank(c) for c in columns)
            self.setdefault((terms, blanks), []).append(Incidences(sites, blanks, entries))

"""The language of updates and of lowered passes.

An update returns a `SitePass`: a short body of statements for one site. The names ``old.k`` (component
k of the present value) and the pass's parameters are bound; `LocalEnergy` binds ``name.c``. Lowering
turns the body into a `LoweredPass`, in which only `Accumulate`, `Let`, draws, `Tally`, `Assign` and
`Bump` occur: that is what a backend prints or interprets.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.bits import Bits
from statmech_dsl.ir.collective import Collective, Report
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.draws import Attempts, Draw, Let, Value
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Column, ModelIR
from statmech_dsl.ir.ops import Real
from statmech_dsl.ir.params import Param


@dataclass(frozen=True, slots=True)
class LocalEnergy:
    """Bind ``name.c`` to the energy of all that touches the site at ``at[c]``, minus that at ``at[0]``."""

    name: str
    at: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Add an expression (0 or 1) to the pass's acceptance count."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Assign:
    """Set the site."""

    value: Value


@dataclass(frozen=True, slots=True)
class SitePass:
    """What an update returns: visit every free site of ``variable`` once."""

    update: str
    variable: str
    body: tuple[LocalEnergy | Let | Draw | Attempts | Tally | Assign, ...]
    params: tuple[Param, ...] = ()

    @property
    def random(self) -> bool:
        """Whether it draws random numbers."""
        return any(isinstance(s, Draw | Attempts) for s in self.body)


@dataclass(frozen=True, slots=True)
class Role:
    """Incidences through which sites take part in a family's instances.

    Columns read tables in rank order: with a ``degree``, ``tables[column.index][d, rank]``; without
    (irregular), ``tables[column.index][m]`` for ``tables[pointer][rank] <= m < tables[pointer][rank + 1]``.
    """

    name: str
    columns: tuple[Column, ...]
    degree: int | None
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Gather:
    """Add, for every incidence of a role, an expression over its columns to each named accumulator."""

    role: Role
    terms: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Accumulate:
    """Bind names to sums over incidences, in the order of the gathers and of the incidences."""

    names: tuple[str, ...]
    gathers: tuple[Gather, ...]


@dataclass(frozen=True, slots=True)
class Bump:
    """For every incidence, add ``expr`` to the running-sum element that ``target`` points to."""

    role: Role
    target: Column
    expr: Expr


@dataclass(frozen=True, slots=True)
class Move:
    """Add to the running energy of the replica (under a law that reads it)."""

    change: Expr


Statement = Accumulate | Let | Draw | Attempts | Tally | Assign | Bump | Move


@dataclass(frozen=True, slots=True)
class FieldForm:
    """What a pass needs for the field tier, which decides in float32 and decides again what is close.

    ``accumulate`` binds, besides the names of the body's own, `SIZE`: a bound on the sum of what the
    incidences of a site add to any of them in absolute value. A log weight of the draw is at most
    ``growth * factor * SIZE``, with the factor |beta|, or 1 + |beta| if ``fixed``, and comes about in
    at most ``roundings`` roundings and one for each incidence.
    """

    accumulate: Accumulate
    growth: float
    roundings: int
    fixed: bool


SIZE = "size"
REVERSED = "reversed "
"""Begins the name of an update that visits its sites in the opposite order."""


@dataclass(frozen=True, slots=True)
class LoweredPass:
    """A pass that a backend can run.

    ``order`` names the table of sites by rank, ``segments`` that of the ranks where colors begin (and the
    end); ``words`` is the number of random words of a site. In an ``exclusive`` pass all sites of a replica
    hang together through running sums or the running energy: only replicas may run in parallel. ``real`` is
    the precision of all that happens at a site; what a pass in float32 reads is rounded to it. ``dense`` is set
    where a matrix gives the fields of all sites; ``field`` is what the field tier needs, or why it does
    not take the pass. It is made ``times`` times in a row; more than once only if it has no random words, as
    others have a stream each time. A ``reversed`` pass has the ranks of the plain one in the opposite order.
    A pass over bonds visits two sites at once: ``partner`` names the table of the second ones by rank, whose
    components follow those of the first in ``old.k`` and in what is assigned.
    """

    update: str
    variable: str
    body: tuple[Statement, ...]
    params: tuple[Param, ...]
    order: str
    segments: str
    stream: int
    words: int
    exclusive: bool
    real: Real = "float64"
    dense: DenseForm | None = None
    field: FieldForm | str = "not analyzed"
    times: int = 1
    reversed: bool = False
    partner: str | None = None

    @property
    def name(self) -> str:
        """How a recipe names it."""
        return f"{REVERSED}{self.update}" if self.reversed else self.update

    @property
    def ends(self) -> tuple[str, ...]:
        """Tables of the sites that are visited together, by rank."""
        return (self.order,) if self.partner is None else (self.order, self.partner)

    @property
    def tallied(self) -> bool:
        """Whether moves may be rejected, and are counted."""
        return any(isinstance(s, Tally) for s in self.body)


@dataclass(frozen=True, slots=True)
class Program:
    """One sweep: the passes in order, then the collective moves, over a model, under a law.

    ``measured`` is what observables ask of a state: the running sums of a model without an energy.
    """

    model: ModelIR
    passes: tuple[LoweredPass, ...]
    law: str
    measured: ModelIR
    bits: Bits | None = None
    """How to run it on bits: then draws and energies are those of `ir.bits`."""
    collective: tuple[Collective, ...] = ()

    @property
    def steps(self) -> tuple[LoweredPass | Collective, ...]:
        """All that a sweep does, numbered in this order."""
        return (*self.passes, *self.collective)

    @property
    def counts(self) -> tuple[tuple[Collective, str], ...]:
        """What is counted besides accepted moves; the rows of counts come after those of the steps."""
        return tuple((move, name) for move in self.collective for name in move.counts)

    @property
    def mass_rows(self) -> dict[str, slice]:
        """Variables with masses that tuning estimates, and their rows of `State.params`, after parameters."""
        last, rows = sum(len(p.params) for p in self.steps), {}
        for v in dict.fromkeys(move.variable for move in self.collective if move.masses):
            first, last = last, last + self.model.variable(v).n_sites
            rows[v] = slice(first, last)
        return rows

    @property
    def reports(self) -> tuple[tuple[str, Report], ...]:
        """What moves tell of the states that they meet, by the name of the statistic."""
        return tuple((f"{m.variable}_{r.name}", r) for m in self.collective for r in m.reports)

    @property
    def tiers(self) -> dict[str, str]:
        """The fastest kind of kernel that each variable has; the CPU backend takes it."""
        if self.bits is not None:
            where = "replicas" if self.bits.fold is None else f"{self.bits.fold} sites"
            return {p.variable: f"bit-sliced, {where} in a word" for p in self.passes}
        dense = all(p.dense for p in self.passes)
        field = {p.variable: isinstance(p.field, FieldForm) for p in self.passes}
        return {
            v: "dense field" if dense else "field" if f else "generic" for v, f in field.items()
        }

    @property
    def exclusive(self) -> bool:
        """Whether any pass ties all sites of a replica together."""
        return any(p.exclusive for p in self.passes)

    @property
    def needs_energy(self) -> bool:
        """Whether the law reads the running energy."""
        return any(isinstance(s, Move) for p in self.passes for s in p.body)

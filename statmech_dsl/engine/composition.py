"""Which updates a sweep is made of: what the user asked for if it is legal, else what analysis decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from statmech_dsl.errors import IllegalUpdateError
from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.lower.steps import Step
from statmech_dsl.updates import UPDATES, Situation, Update

Recipe = str | Sequence[str | tuple[str, int]]
"""An update's name, or a list of names, each by itself or with how often a sweep makes it."""
Updates = Recipe | Mapping[str, Recipe]
"""``"auto"``, a recipe for all variables, or one for each variable by name."""

GRAMMAR = 'give a name, a list such as [("heat_bath", 1), ("wolff", 5)], or {variable: either}'


def situation_of(ir: ModelIR, tables: Tables, analysis: SiteAnalysis, law: str) -> Situation:
    """What the legality of a variable's updates depends on."""
    domain = ir.variable(analysis.variable).domain
    return Situation(analysis.variable, domain, analysis.forms, ir, tables, law)


def choose_steps(where: Situation, updates: Updates) -> list[Step]:
    """The steps of a variable.

    Raises
    ------
    IllegalUpdateError
        An update is unknown or not legal here, or all of them together do not reach all states.
    """
    recipe = updates.get(where.variable, "auto") if isinstance(updates, Mapping) else updates
    chosen = [(_update(where, name), times) for name, times in parse(recipe)]
    if not any(update.ergodic_in(where) for update, _ in chosen):
        names = " and ".join(dict.fromkeys(update.name for update, _ in chosen))
        raise IllegalUpdateError(
            f"{names} alone would not reach all states of {where.variable!r}",
            mend=f'add an update that does: [("{chosen[0][0].name}", 1), ("auto", 1)]',
        )
    return [Step(update.build(where.variable, where.domain), times) for update, times in chosen]


def parse(recipe: Recipe) -> list[tuple[str, int]]:
    """A recipe as pairs of a name and a number of times.

    Examples
    --------
    >>> parse(["heat_bath", ("wolff", 5)])
    [('heat_bath', 1), ('wolff', 5)]
    """
    if isinstance(recipe, str):
        return [(recipe, 1)]
    pairs = [(x, 1) if isinstance(x, str) else x for x in recipe]
    for pair in pairs:
        if not _is_pair(pair):
            raise IllegalUpdateError(f"updates= holds {pair!r}", mend=GRAMMAR)
    if not pairs:
        raise IllegalUpdateError("updates= is empty", mend=GRAMMAR)
    return [(name, int(times)) for name, times in pairs]


def _is_pair(x: object) -> bool:
    if not (isinstance(x, Sequence) and len(x) == 2 and isinstance(x[0], str)):
        return False
    return isinstance(x[1], int) and not isinstance(x[1], bool) and x[1] >= 1


def check_updates(ir: ModelIR, updates: Updates) -> None:
    """Raise for what is no recipe, and for variables that the model does not have."""
    if not isinstance(updates, Mapping):
        if not isinstance(updates, Sequence):
            raise IllegalUpdateError(f"updates= is {updates!r}", mend=GRAMMAR)
        return
    unknown = set(updates) - {v.name for v in ir.variables}
    if unknown:
        raise IllegalUpdateError(
            f"updates= names {', '.join(sorted(unknown))}, which the model does not have",
            mend=f"its variables are {', '.join(v.name for v in ir.variables)}",
        )


def _update(where: Situation, wanted: str) -> Update:
    """The update of a name; "auto" is the first one that is legal."""
    if wanted == "auto":
        reasons = []
        for update in UPDATES.values():
            reason = update.refuse(where) if update.automatic else "only when asked for"
            if reason is None:
                return update
            reasons.append(f"{update.name}: {reason}")
        raise IllegalUpdateError(
            f"no update is legal for {where.variable!r}", where="; ".join(reasons)
        )
    if wanted not in UPDATES:
        raise IllegalUpdateError(
            f"there is no update {wanted!r}", mend=f"use one of {', '.join(UPDATES)}, or 'auto'"
        )
    reason = UPDATES[wanted].refuse(where)
    if reason is not None:
        raise IllegalUpdateError(f"{wanted} is not legal for {where.variable!r}: {reason}")
    return UPDATES[wanted]


def composition(program: Program) -> dict[str, str | list[list]]:
    """What a program's sweep is made of, as ``updates=`` takes it."""
    out: dict[str, str | list[list]] = {}
    for v in dict.fromkeys(p.variable for p in program.steps):
        mine = [
            (p.update, p.times if isinstance(p, Collective) else 1)
            for p in program.steps
            if p.variable == v
        ]
        recipe = [[name, sum(n for _, n in group)] for name, group in groupby(mine, lambda x: x[0])]
        out[v] = recipe[0][0] if len(recipe) == 1 and recipe[0][1] == 1 else recipe
    return out

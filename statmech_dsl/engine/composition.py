"""Which updates a sweep is made of: what the user asked for if it is legal, else what analysis decides."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, TypeGuard

from statmech_dsl.errors import IllegalUpdateError, StatmechError
from statmech_dsl.ir.kernel import REVERSED, Program, SitePass
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.lower.steps import Step
from statmech_dsl.updates import UPDATES, Optioned, Situation, Update

Wanted = str | Optioned
"""An update's name, or an update with options; as text ``"hmc(leapfrogs=5)"`` is one too.

``"reversed "`` before the name of an update of sites makes it visit them in the opposite order.
"""
Recipe = Wanted | Sequence[Wanted | tuple[Wanted, int]]
"""An update, or a list of updates, each by itself or with how often a sweep makes it."""
Updates = Recipe | Mapping[str, Recipe]
"""``"auto"``, a recipe for all variables, or one for each variable by name."""

TUNED = "tuned"
"""What is to be measured; `engine.candidates` says what."""
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
    pairs = parse(recipe)
    chosen = [_update(where, _forward(wanted)) for wanted, _ in pairs]
    if not any(u.ergodic_in(where) for u in chosen) and not all(u.conserves for u in chosen):
        names = " and ".join(dict.fromkeys(update.name for update in chosen))
        raise IllegalUpdateError(
            f"{names} alone would not reach all states of {where.variable!r}",
            mend=f'add an update that does: [("{chosen[0].name}", 1), ("auto", 1)]',
        )
    return [
        _step(update.build(where.variable, where.domain), wanted, times)
        for update, (wanted, times) in zip(chosen, pairs, strict=True)
    ]


def _forward(wanted: Wanted) -> Wanted:
    """What is wanted, without the word that it is reversed."""
    return wanted.removeprefix(REVERSED) if isinstance(wanted, str) else wanted


def _step(what: SitePass | CollectiveSpec, wanted: Wanted, times: int) -> Step:
    is_reversed = _forward(wanted) != wanted
    if is_reversed and isinstance(what, CollectiveSpec):
        raise IllegalUpdateError(
            f"{wanted!r}: {what.update} moves many sites at once and has no order to reverse",
            mend=f"leave out {REVERSED.strip()!r}",
        )
    return Step(what, times, is_reversed)


def parse(recipe: Any) -> list[tuple[Wanted, int]]:
    """A recipe as pairs of an update and a number of times.

    Examples
    --------
    >>> parse(["heat_bath", ("wolff", 5)])
    [('heat_bath', 1), ('wolff', 5)]
    """
    if _is_wanted(recipe):
        return [(recipe, 1)]
    pairs: list[Any] = [(x, 1) if _is_wanted(x) else x for x in recipe]
    for pair in pairs:
        if not _is_pair(pair):
            raise IllegalUpdateError(f"updates= holds {pair!r}", mend=GRAMMAR)
    if not pairs:
        raise IllegalUpdateError("updates= is empty", mend=GRAMMAR)
    return [(wanted, int(times)) for wanted, times in pairs]


def _is_pair(x: object) -> bool:
    if not (isinstance(x, Sequence) and len(x) == 2 and _is_wanted(x[0])):
        return False
    return isinstance(x[1], int) and not isinstance(x[1], bool) and x[1] >= 1


def _is_wanted(x: object) -> TypeGuard[Wanted]:
    return isinstance(x, str) or hasattr(x, "update") and not isinstance(x, Mapping)


def check_updates(ir: ModelIR, updates: Updates) -> None:
    """Raise for what is no recipe, and for variables that the model does not have."""
    if TUNED in (updates.values() if isinstance(updates, Mapping) else [updates]):
        raise IllegalUpdateError(
            "updates='tuned' measures the speed of updates, which only sample and temper do, for all "
            "variables at once",
            mend="use 'auto', or what such a run has found: its attrs['updates']",
        )
    if not isinstance(updates, Mapping):
        if not isinstance(updates, Sequence) and not _is_wanted(updates):
            raise IllegalUpdateError(f"updates= is {updates!r}", mend=GRAMMAR)
        return
    unknown = set(updates) - {v.name for v in ir.variables}
    if unknown:
        raise IllegalUpdateError(
            f"updates= names {', '.join(sorted(unknown))}, which the model does not have",
            mend=f"its variables are {', '.join(v.name for v in ir.variables)}",
        )


def _update(where: Situation, wanted: Wanted) -> Update:
    """The update that is wanted, if it is legal; "auto" is the first one that is."""
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
    update = _named(wanted) if isinstance(wanted, str) else wanted.update()
    reason = update.refuse(where)
    if reason is not None:
        raise IllegalUpdateError(f"{wanted} is not legal for {where.variable!r}: {reason}")
    return update


def _named(text: str) -> Update:
    """The update of a name, with the options behind it in parentheses."""
    name, parenthesis, _ = text.partition("(")
    if name not in UPDATES:
        raise IllegalUpdateError(
            f"there is no update {name!r}", mend=f"use one of {', '.join(UPDATES)}, or 'auto'"
        )
    if not parenthesis:
        return UPDATES[name]
    options = UPDATES[name].options
    if options is None:
        raise IllegalUpdateError(f"{name} has no options", where=text)
    try:
        call = ast.parse(text, mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        given = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        return options(**given).update()
    except (SyntaxError, AssertionError, ValueError, TypeError) as why:
        if isinstance(why, StatmechError):
            raise
        raise IllegalUpdateError(
            f"cannot read the options of {name}", where=text, mend='such as "hmc(leapfrogs=5)"'
        ) from None


def conserved(program: Program) -> tuple[str, ...]:
    """Variables whose updates only exchange values: what they hold is what their first state holds."""
    updates = {
        v.name: [UPDATES[p.update] for p in program.steps if p.variable == v.name]
        for v in program.model.variables
    }
    return tuple(v for v, made in updates.items() if made and all(u.conserves for u in made))


def composition(program: Program) -> dict[str, str | list[list]]:
    """What a program's sweep is made of, as ``updates=`` takes it."""
    out: dict[str, str | list[list]] = {}
    for v in dict.fromkeys(p.variable for p in program.steps):
        mine = [(p.name, p.times) for p in program.steps if p.variable == v]
        recipe = [[name, sum(n for _, n in group)] for name, group in groupby(mine, lambda x: x[0])]
        out[v] = recipe[0][0] if len(recipe) == 1 and recipe[0][1] == 1 else recipe
    return out

"""Compositions of updates that are worth a trial, found by analysis: what "tuned" chooses from."""

from __future__ import annotations

from statmech_dsl.engine.compile import Compiled
from statmech_dsl.engine.composition import Recipe, parse, situation_of
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.updates import UPDATES, Situation

TIMES = (1, 5)
"""How often a sweep makes an update beside the automatic one."""


def candidates(compiled: Compiled) -> dict[str, list[Recipe]]:
    """Recipes for each variable with free sites, the automatic one first; ``compiled`` has that one.

    Every legal update that reaches all states is one by itself, and so is a variant of it; one that moves
    many sites at once, or does not reach all states, also comes beside the automatic one. What conserves
    values is none: it would sample another ensemble.
    """
    ir, tables, program = (
        compiled.recovered.ir,
        compiled.recovered.tables,
        compiled.lowered.program,
    )
    automatic = {p.variable: p.update for p in program.steps}
    return {
        a.variable: _recipes(situation_of(ir, tables, a, program.law), automatic[a.variable])
        for a in compiled.lowered.analyses
    }


def _recipes(where: Situation, automatic: str) -> list[Recipe]:
    found: list[Recipe] = [automatic]
    for update in UPDATES.values():
        if update.name == automatic or update.conserves or update.refuse(where) is not None:
            continue
        if update.ergodic_in(where):
            found += [x for x in (update.name, update.variant(where)) if x is not None]
        collective = isinstance(update.build(where.variable, where.domain), CollectiveSpec)
        if collective or not update.ergodic_in(where):
            found += [[(automatic, 1), (update.name, n)] for n in TIMES]
    return found


def written(recipes: list[Recipe]) -> str:
    """Candidates of a variable in few words.

    >>> written(
    ...     [
    ...         "heat_bath",
    ...         "wolff",
    ...         [("heat_bath", 1), ("wolff", 1)],
    ...         [("heat_bath", 1), ("wolff", 5)],
    ...     ]
    ... )
    'heat_bath, wolff; heat_bath beside wolff (1 or 5 times)'
    """
    alone = [str(x) for x in recipes if isinstance(x, str)]
    beside = dict.fromkeys(str(parse(x)[-1][0]) for x in recipes if not isinstance(x, str))
    parts = [", ".join(alone)]
    if beside:
        times = " or ".join(map(str, TIMES))
        parts.append(f"{alone[0]} beside {', '.join(beside)} ({times} times)")
    return "; ".join(parts)

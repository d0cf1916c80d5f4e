"""Compositions of updates that are worth a trial, found by analysis: what "tuned" chooses from."""

from __future__ import annotations

from statmech_dsl.engine.compile import Compiled
from statmech_dsl.engine.composition import Recipe, situation_of
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.updates import UPDATES, Situation

TIMES = (1, 5)
"""How often a sweep makes an update beside the automatic one."""


def candidates(compiled: Compiled) -> dict[str, list[Recipe]]:
    """Recipes for each variable with free sites, the automatic one first; ``compiled`` has that one.

    Every legal update that reaches all states is one by itself; one that moves many sites at once, or does
    not reach all states, also comes beside the automatic one. What conserves values is none: it would
    sample another ensemble.
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
            found.append(update.name)
        collective = isinstance(update.build(where.variable, where.domain), CollectiveSpec)
        if collective or not update.ergodic_in(where):
            found += [[(automatic, 1), (update.name, n)] for n in TIMES]
    return found

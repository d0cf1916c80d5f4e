"""Compositions of updates that are worth a trial, found by analysis: what "tuned" chooses from."""

from __future__ import annotations

from statmech_dsl.engine.compile import Compiled
from statmech_dsl.engine.composition import Recipe, legal_update, situation_of
from statmech_dsl.lower.collective import CollectiveSpec
from statmech_dsl.updates import UPDATES, Situation

TIMES = (1, 5)
"""How often a sweep makes an update beside the automatic one."""


def candidates(compiled: Compiled) -> dict[str, list[Recipe]]:
    """Recipes for each variable with free sites, the automatic one first.

    Every legal update that reaches all states is one by itself; one that moves many sites at once, or does
    not reach all states, also comes beside the automatic one. What conserves values is none: it would
    sample another ensemble.
    """
    ir, tables, law = compiled.recovered.ir, compiled.recovered.tables, compiled.lowered.program.law
    return {
        a.variable: _recipes(situation_of(ir, tables, a, law)) for a in compiled.lowered.analyses
    }


def _recipes(where: Situation) -> list[Recipe]:
    automatic = legal_update(where, "auto")
    found: list[Recipe] = [automatic.name]
    for update in UPDATES.values():
        if update is automatic or update.conserves or update.refuse(where) is not None:
            continue
        if update.ergodic:
            found.append(update.name)
        collective = isinstance(update.build(where.variable, where.domain), CollectiveSpec)
        if collective or not update.ergodic:
            found += [[(automatic.name, 1), (update.name, n)] for n in TIMES]
    return found

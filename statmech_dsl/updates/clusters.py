"""What the two cluster moves have in common: they need a reflection that leaves couplings as they are."""

from __future__ import annotations

from statmech_dsl.lower.collective.improved import why_none
from statmech_dsl.updates.base import Situation


def refuse(
    where: Situation, *, one: bool, improved: bool, lengths: tuple[int, ...] = ()
) -> str | None:
    """Why clusters may not be reflected, or improved estimators not be had from them, or None."""
    if where.law != "boltzmann":
        return "sites are tied together by Boltzmann weights"
    if isinstance(where.symmetry, str):
        return where.symmetry
    if improved:
        return why_none(where.symmetry, where.ir, where.tables, where.variable, one, lengths)
    return None


def ergodic(where: Situation) -> bool:
    """Whether reflections lead from any value to any other one."""
    return not isinstance(where.symmetry, str) and where.symmetry.transitive

"""What the two cluster moves have in common: they need a reflection that leaves couplings as they are."""

from __future__ import annotations

from statmech_dsl.lower.collective.terms import Asymmetric
from statmech_dsl.lower.symmetry import symmetry
from statmech_dsl.updates.base import Situation


def refuse(where: Situation) -> str | None:
    """Why clusters may not be reflected, or None."""
    if where.law != "boltzmann":
        return "sites are tied together by Boltzmann weights"
    try:
        symmetry(where.ir, where.tables, where.variable)
    except Asymmetric as why:
        return str(why)
    return None


def ergodic(where: Situation) -> bool:
    """Whether reflections lead from any value to any other one."""
    return symmetry(where.ir, where.tables, where.variable).transitive

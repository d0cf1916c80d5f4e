"""What the two cluster moves have in common: they need a reflection that leaves couplings as they are."""

from __future__ import annotations

from statmech_dsl.updates.base import Situation


def refuse(where: Situation) -> str | None:
    """Why clusters may not be reflected, or None."""
    if where.law != "boltzmann":
        return "sites are tied together by Boltzmann weights"
    return where.symmetry if isinstance(where.symmetry, str) else None


def ergodic(where: Situation) -> bool:
    """Whether reflections lead from any value to any other one."""
    return not isinstance(where.symmetry, str) and where.symmetry.transitive

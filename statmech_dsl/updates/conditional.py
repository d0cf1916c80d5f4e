"""Moves of a site by what its energy is at a few probe values, where it has the form that they assume."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Conditional
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy
from statmech_dsl.updates.base import Situation


def refuse_form(move: Conditional, where: Situation) -> str | None:
    """Why a move does not keep the distribution in a situation."""
    if where.law != "boltzmann":
        return "what is read off a few values of a continuous variable holds for Boltzmann weights only"
    if move.form not in where.forms:
        return f"the energy is not a {move.form} function of each site"
    return None


def read_off_probes(move: Conditional) -> tuple:
    """The body of a pass that makes the move."""
    weights = tuple(
        Let(f"l.{c}", law(read(f"e.{c}")) - law(read("e.0"))) for c in range(1, len(move.probes))
    )
    return (LocalEnergy("e", move.probes), *weights, *move.body, Assign(move.value))

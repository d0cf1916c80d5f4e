"""Hamiltonian moves: momenta for all sites of a variable, and programs that move both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.domains.base import Continuous
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.propagator import Propagator

MOMENTUM, AHEAD, SCALE = ".momentum", ".ahead", ".scale"
"""What ends the names of the variables that a trajectory has besides those of the model."""
KINETIC = "kinetic"
"""The measured sum of squared momenta."""


@dataclass(frozen=True)
class Numbers(Continuous):
    """Any n numbers a site."""

    kind: ClassVar[str] = "numbers"
    label: ClassVar[str] = "Numbers"
    n: int

    @property
    def components(self) -> int:  # noqa: D102
        return self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Hamiltonian(Collective):
    """Trajectories of ``leapfrogs`` steps in the fictitious time of Hamilton's equations.

    ``refresh`` draws momenta. A sweep of ``motion`` is a kick, then a free motion; each of its passes has the
    parameter ``time``, the step. With a ``propagator`` it is a kick alone, as the free motion takes place in
    Fourier space. ``step`` is given, or the tuned parameter. With ``masses``, `SCALE` holds what they make of
    the step of each site.
    """

    leapfrogs: int
    step: float | None
    refresh: Program
    motion: Program
    propagator: Propagator | None = None

"""Exchanges: a collective move that visits bonds."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import LoweredPass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Collective):
    """Visit all bonds of a variable, each once, by a pass that moves both ends."""

    bonds: LoweredPass

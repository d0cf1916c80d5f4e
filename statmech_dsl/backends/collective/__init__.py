"""Kernels of collective moves; a new kind of move is exported here."""

from statmech_dsl.backends.collective.base import KINDS, Definition, Kind, Mover, Seat
from statmech_dsl.backends.collective.composed import Composed, build_kernels
from statmech_dsl.backends.collective.exchange import EXCHANGE
from statmech_dsl.ir.exchange import Exchange

KINDS[Exchange] = EXCHANGE

__all__ = ["KINDS", "Composed", "Definition", "Kind", "Mover", "Seat", "build_kernels"]

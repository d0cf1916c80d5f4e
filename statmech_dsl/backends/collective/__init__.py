"""Kernels of collective moves; a new kind of move is exported here."""

from statmech_dsl.backends.collective.base import KINDS, Definition, Kind, Ledger, Mover, Seat
from statmech_dsl.backends.collective.clusters import CLUSTERS
from statmech_dsl.backends.collective.composed import Composed, build_kernels
from statmech_dsl.backends.collective.exchange import EXCHANGE
from statmech_dsl.backends.collective.hamiltonian import HAMILTONIAN
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.exchange import Exchange
from statmech_dsl.ir.hamiltonian import Hamiltonian

KINDS[Clusters] = CLUSTERS
KINDS[Exchange] = EXCHANGE
KINDS[Hamiltonian] = HAMILTONIAN

__all__ = ["KINDS", "Composed", "Definition", "Kind", "Ledger", "Mover", "Seat", "build_kernels"]

"""Collective moves: what an update asks for, and how it becomes a move with tables.

A new kind of move is one file here, in which a class of `CollectiveSpec` lowers itself.
"""

from statmech_dsl.lower.collective.clusters import ClusterSpec
from statmech_dsl.lower.collective.exchange import ExchangeSpec
from statmech_dsl.lower.collective.spec import CollectiveSpec, Place

__all__ = ["ClusterSpec", "CollectiveSpec", "ExchangeSpec", "Place"]

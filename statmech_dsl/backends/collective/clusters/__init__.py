"""Cluster moves: Swendsen and Wang's, and Wolff's."""

from statmech_dsl.backends.collective.base import Definition, Kind, Mover, Seat
from statmech_dsl.backends.collective.clusters.bits import (
    BitClusterDefinition,
    BitClusterMover,
    why_not,
)
from statmech_dsl.backends.collective.clusters.card import CardClusters
from statmech_dsl.backends.collective.clusters.definition import ClusterDefinition
from statmech_dsl.backends.collective.clusters.kernels import ClusterMover


def _in_bits(seat: Seat) -> bool:
    return why_not(seat) is None


def _definition(seat: Seat) -> Definition:
    return (BitClusterDefinition if _in_bits(seat) else ClusterDefinition)(seat)


def _compiled(seat: Seat, threads: int) -> Mover:
    return (BitClusterMover if _in_bits(seat) else ClusterMover)(seat, threads)


CLUSTERS = Kind(_definition, _compiled, CardClusters, stays=_in_bits)

__all__ = ["CLUSTERS", "ClusterDefinition", "ClusterMover", "why_not"]

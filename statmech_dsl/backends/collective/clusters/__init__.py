"""Cluster moves: Swendsen and Wang's, and Wolff's."""

from statmech_dsl.backends.collective.base import Definition, Kind, Mover, Seat
from statmech_dsl.backends.collective.clusters.bits import (
    BitClusterDefinition,
    BitClusterMover,
    why_not,
)
from statmech_dsl.backends.collective.clusters.definition import ClusterDefinition
from statmech_dsl.backends.collective.clusters.kernels import ClusterMover


def _definition(seat: Seat) -> Definition:
    return (ClusterDefinition if why_not(seat) else BitClusterDefinition)(seat)


def _compiled(seat: Seat, threads: int) -> Mover:
    return (ClusterMover if why_not(seat) else BitClusterMover)(seat, threads)


CLUSTERS = Kind(_definition, _compiled)

__all__ = ["CLUSTERS", "ClusterDefinition", "ClusterMover", "why_not"]

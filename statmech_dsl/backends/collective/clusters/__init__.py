"""Cluster moves: Swendsen and Wang's, and Wolff's."""

from statmech_dsl.backends.collective.base import Kind
from statmech_dsl.backends.collective.clusters.bits import bit_mover
from statmech_dsl.backends.collective.clusters.definition import ClusterDefinition
from statmech_dsl.backends.collective.clusters.kernels import ClusterMover

CLUSTERS = Kind(ClusterDefinition, ClusterMover, bit_mover)

__all__ = ["CLUSTERS", "ClusterDefinition", "ClusterMover"]

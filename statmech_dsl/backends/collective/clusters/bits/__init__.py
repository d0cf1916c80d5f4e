"""Single clusters of many replicas at once, in the bits of words."""

from statmech_dsl.backends.collective.clusters.bits.definition import BitClusterDefinition
from statmech_dsl.backends.collective.clusters.bits.legal import why_not
from statmech_dsl.backends.collective.clusters.bits.mover import BitClusterMover

__all__ = ["BitClusterDefinition", "BitClusterMover", "why_not"]

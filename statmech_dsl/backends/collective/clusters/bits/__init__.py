"""Single clusters of many replicas at once, in the bits of words."""

from statmech_dsl.backends.collective.clusters.bits.mover import BitClusterMover, bit_mover

__all__ = ["BitClusterMover", "bit_mover"]

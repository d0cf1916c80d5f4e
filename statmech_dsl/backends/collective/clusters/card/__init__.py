"""Cluster moves on a card."""

from statmech_dsl.backends.collective.clusters.card.mover import CardClusters

__all__ = ["CardClusters"]

"""Ways to get at a posterior: one file each, and one line here."""

from statmech_dsl.inference.methods.base import Method, Partition, PartitionMethod, Run
from statmech_dsl.inference.methods.exchange import ExchangeMethod

METHODS: dict[str, Method] = {m.name: m for m in (ExchangeMethod(),)}
"""All methods, in the order in which "auto" asks them."""

__all__ = ["METHODS", "Method", "Partition", "PartitionMethod", "Run"]

"""Rules of the walk, by kind of Op; importing this package registers them."""

from statmech_dsl.lower.recovery.rules import elementwise, lookup, products, structure

__all__ = ["elementwise", "lookup", "products", "structure"]

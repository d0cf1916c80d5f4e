"""Rules of the walk, by kind of Op; importing this package registers them."""

import sys

from statmech_dsl.lower.recovery.rules import elementwise, lookup, products, structure

__all__ = ["elementwise", "lookup", "products", "register_sparse", "structure"]


def register_sparse() -> None:
    """Register the rules for sparse matrices, if anybody has made one."""
    if "pytensor.sparse" in sys.modules:
        from statmech_dsl.lower.recovery.rules import sparse  # noqa: F401

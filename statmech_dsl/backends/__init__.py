"""Backends: each knows how to run a program; a new one is exported here."""

from statmech_dsl.backends.base import Backend, Kernels
from statmech_dsl.backends.numba_cpu import NUMBA
from statmech_dsl.backends.reference import REFERENCE

BACKENDS: dict[str, Backend] = {b.name: b for b in (NUMBA, REFERENCE)}
"""All backends by name, in the order in which "auto" tries them."""

__all__ = ["BACKENDS", "Backend", "Kernels"]

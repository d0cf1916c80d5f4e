"""Backends: each knows how to run a program; a new one is exported here."""

from statmech_dsl.backends.base import Backend, Kernels
from statmech_dsl.backends.collective import build_kernels
from statmech_dsl.backends.cupy_gpu import CUPY
from statmech_dsl.backends.numba_cpu import NUMBA
from statmech_dsl.backends.reference import REFERENCE

BACKENDS: dict[str, Backend] = {b.name: b for b in (NUMBA, REFERENCE, CUPY)}
"""All backends by name. "auto" takes the first that can run, or a later one that gains more: a card."""

__all__ = ["BACKENDS", "Backend", "Kernels", "build_kernels"]

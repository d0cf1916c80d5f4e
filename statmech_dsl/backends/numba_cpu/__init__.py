"""The CPU backend: programs printed as Numba source, replicas or sites in the lanes of a vector."""

from statmech_dsl.backends.base import Backend
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels

NUMBA = Backend("numba", lambda: None, NumbaKernels)

__all__ = ["NUMBA", "NumbaKernels"]

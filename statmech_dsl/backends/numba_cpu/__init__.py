"""The CPU backend: programs printed as Numba source, replicas or sites in the lanes of a vector."""

from statmech_dsl.backends.base import Backend
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

WORD = 64
"""Replicas in a word."""


def build(
    program: Program, tables: Tables, n_replicas: int, threads: int
) -> NumbaKernels | BitKernels:
    """The kernels of a program; without passes, words must be full to be of use."""
    sliced = program.bits is not None and (program.passes or n_replicas >= WORD)
    kind = BitKernels if sliced else NumbaKernels
    return kind(program, tables, n_replicas, threads)


NUMBA = Backend("numba", lambda: None, build, bits=True)

__all__ = ["NUMBA", "NumbaKernels"]

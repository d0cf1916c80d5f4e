"""The CPU backend: programs printed as Numba source, replicas or sites in the lanes of a vector."""

from statmech_dsl.backends.base import Backend
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables


def build(
    program: Program, tables: Tables, n_replicas: int, threads: int
) -> NumbaKernels | BitKernels:
    """The kernels of a program."""
    kind = NumbaKernels if program.bits is None else BitKernels
    return kind(program, tables, n_replicas, threads)


NUMBA = Backend("numba", lambda: None, build, bits=True)

__all__ = ["NUMBA", "NumbaKernels"]

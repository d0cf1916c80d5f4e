"""The GPU backend: programs printed as CUDA C, compiled by NVRTC, run by CuPy."""

from statmech_dsl.backends.base import Backend
from statmech_dsl.backends.cupy_gpu.bit_sliced import CupyBitKernels
from statmech_dsl.backends.cupy_gpu.cupy_device import CupyDevice, missing
from statmech_dsl.backends.cupy_gpu.dense import in_panels
from statmech_dsl.backends.cupy_gpu.device import Device
from statmech_dsl.backends.cupy_gpu.kernels import CupyKernels
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

AT_ONCE = 1 << 20
"""Sites that have to be free to move at the same time before a card gains.

It visits up to 32 of them in turn in each of its threads, and all threads wait for each other after every
color.
"""
BITS_AT_ONCE = 1 << 22
"""The same where sites are bits: a thread has up to 1024 or 2048 of them in turn."""
COUPLINGS_AT_ONCE = 1 << 23
"""Couplings times replicas of a product before a card gains; to queue one takes some 20 microseconds."""


def kernels_for(program: Program, tables: Tables, device: Device) -> CupyKernels | CupyBitKernels:
    """The kernels of a program on a device."""
    return (CupyKernels if program.bits is None else CupyBitKernels)(program, tables, device)


def build(
    program: Program, tables: Tables, n_replicas: int, threads: int
) -> CupyKernels | CupyBitKernels:
    """The kernels of a program, on the current card."""
    return kernels_for(program, tables, CupyDevice())


def gains_from(program: Program, tables: Tables) -> int | None:
    """Replicas from which all stages of a sweep are large enough, on average."""
    bits = program.bits is not None
    if not program.passes:
        return None
    if all(p.dense for p in program.passes) and not bits:
        return _dense_gains_from(program, tables)
    sites = sum(p.times * len(tables[p.order]) for p in program.passes)
    stages = sum(
        p.times * (len(tables[p.order]) if p.exclusive else len(tables[p.segments]) - 1)
        for p in program.passes
    )
    return -(-(BITS_AT_ONCE if bits else AT_ONCE) * stages // max(1, sites))


def _dense_gains_from(program: Program, tables: Tables) -> int:
    """The same for products, whose size is that of the matrix of couplings times replicas."""
    stages = couplings = 0
    for p in program.passes:
        assert p.dense is not None
        sources = sum(program.model.variable(v).n_sites for v in p.dense.sources)
        stages += len(in_panels(p, tables))
        couplings += len(tables[p.order]) * sources
    return -(-COUPLINGS_AT_ONCE * stages // max(1, couplings))


CUPY = Backend("cupy", missing, build, bits=True, gains_from=gains_from)

__all__ = ["CUPY", "CupyBitKernels", "CupyDevice", "CupyKernels", "kernels_for"]

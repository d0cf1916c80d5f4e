"""Bit-sliced kernels: two-state sites as bits, 64 replicas or sites in a word."""

from statmech_dsl.backends.numba_cpu.bit_sliced.kernels import BitKernels

__all__ = ["BitKernels"]

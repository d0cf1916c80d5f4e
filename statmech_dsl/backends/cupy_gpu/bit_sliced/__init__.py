"""Bit-sliced kernels on a card: two-state sites as bits, words of sites or bytes of replicas."""

from statmech_dsl.backends.cupy_gpu.bit_sliced.kernels import CupyBitKernels

__all__ = ["CupyBitKernels"]

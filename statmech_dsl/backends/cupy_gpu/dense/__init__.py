"""Dense programs on a card: matrix products give fields, kernels decide sites from them."""

from statmech_dsl.backends.cupy_gpu.dense.panels import in_panels
from statmech_dsl.backends.cupy_gpu.dense.sweep import DenseSweep

__all__ = ["DenseSweep", "in_panels"]

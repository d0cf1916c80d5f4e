"""A PyTensor linker for CuPy: `pytensor.function(..., mode="CUPY")` after this package is imported."""

from statmech_dsl.backends.pytensor_cupy import (
    control,
    elemwise,
    indexing,
    linalg,
    products,
    random,
    reductions,
    rewrites,
    scalar_rules,
    shaping,
    sorting,
    transfer_rules,
)
from statmech_dsl.backends.pytensor_cupy.dispatch import cupy_funcify
from statmech_dsl.backends.pytensor_cupy.linker import CUPY, CuPyLinker
from statmech_dsl.backends.pytensor_cupy.typify import cupy_typify

RULES = (
    control,
    elemwise,
    indexing,
    linalg,
    products,
    random,
    reductions,
    scalar_rules,
    shaping,
    sorting,
    transfer_rules,
)
"""The modules that register rules; that for sparse matrices is loaded when a graph may hold one."""

__all__ = ["CUPY", "RULES", "CuPyLinker", "cupy_funcify", "cupy_typify", "rewrites"]

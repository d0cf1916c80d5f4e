"""Sorting."""

from __future__ import annotations

from pytensor.graph.basic import Apply
from pytensor.tensor.sort import ArgSortOp, SortOp

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify


@cupy_funcify.register
def _sort(op: SortOp, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda x: cp.sort(x, axis=op.axis)


@cupy_funcify.register
def _argsort(op: ArgSortOp, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda x: cp.argsort(x, axis=op.axis).astype("int64", copy=False)

"""Reading, setting and adding at indices.

Slice bounds and single indices are on the host, index arrays on the device. CuPy does not check index
arrays: an index out of range wraps around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.basic import Nonzero
from pytensor.tensor.extra_ops import SearchsortedOp
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)
from pytensor.tensor.type import TensorType

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.placement import host_inputs

_ADDED_AS = {
    "int64": "uint64",  # the same bits: CUDA adds unsigned numbers of 64 bits atomically
    "int8": "int32",
    "int16": "int32",
    "uint8": "uint32",
    "uint16": "uint32",
}


def _single_indices(first: int) -> Any:
    def positions(op: Any, node: Apply) -> Iterable[int]:
        return [
            k
            for k, v in enumerate(node.inputs)
            if k >= first and not (isinstance(v.type, TensorType) and v.type.ndim)
        ]

    return positions


host_inputs.register(Subtensor)(_single_indices(1))
host_inputs.register(AdvancedSubtensor)(_single_indices(1))
host_inputs.register(IncSubtensor)(_single_indices(2))
host_inputs.register(AdvancedIncSubtensor)(_single_indices(2))


def _index(flat: Sequence[Any], idx_list: Any) -> tuple[Any, ...]:
    """A NumPy index: ints and slices of ints, arrays as they are."""

    def number(i: Any) -> Any:
        return i if i is None or getattr(i, "ndim", 0) else int(i)

    return tuple(
        slice(number(i.start), number(i.stop), number(i.step))
        if isinstance(i, slice)
        else number(i)
        for i in indices_from_subtensor(flat, idx_list)
    )


@cupy_funcify.register
def _read(op: Subtensor | AdvancedSubtensor, node: Apply) -> Rule:
    return lambda x, *indices: x[_index(indices, op.idx_list)]


@cupy_funcify.register
def _write_slice(op: IncSubtensor, node: Apply) -> Rule:
    def write(x: Any, y: Any, *indices: Any) -> Any:
        index = _index(indices, op.idx_list)
        out = x.copy(order="C")
        y = y.astype(x.dtype, copy=False)
        out[index] = y if op.set_instead_of_inc else out[index] + y
        return out

    return write


@cupy_funcify.register
def _write_many(op: AdvancedIncSubtensor, node: Apply) -> Rule:
    def write(x: Any, y: Any, *indices: Any) -> Any:
        index = _where_true(_index(indices, op.idx_list))
        out = x.copy(order="C")
        y = y.astype(x.dtype, copy=False)
        if op.set_instead_of_inc:
            out[index] = y
        elif op.ignore_duplicates:
            out[index] = out[index] + y
        else:
            out = _added(out, index, y)
        return out

    return write


def _where_true(index: Sequence[Any]) -> tuple[Any, ...]:
    """Boolean masks as the indices of what is true, which waits for the device."""
    parts = [i.nonzero() if str(getattr(i, "dtype", "")) == "bool" else (i,) for i in index]
    return tuple(i for part in parts for i in part)


def _added(x: Any, index: tuple[Any, ...], y: Any) -> Any:
    cp = array_module.load()
    kind = _ADDED_AS.get(str(x.dtype))
    if kind is None:
        cp.add.at(x, index, y)
        return x
    same_size = cp.dtype(kind).itemsize == x.dtype.itemsize
    wide = x.view(kind) if same_size else x.astype(kind)
    cp.add.at(wide, index, y.astype(kind))
    return wide.view(x.dtype) if same_size else wide.astype(x.dtype)


@cupy_funcify.register
def _nonzero(op: Nonzero, node: Apply) -> Rule:
    def nonzero(x: Any) -> Any:
        found = x.nonzero()
        return found[0] if len(found) == 1 else found

    return nonzero


@cupy_funcify.register
def _search(op: SearchsortedOp, node: Apply) -> Rule:
    cp = array_module.load()
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    return lambda x, v, *sorter: cp.searchsorted(x, v, op.side, *sorter).astype(dtype)

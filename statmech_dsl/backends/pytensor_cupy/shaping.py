"""Ops that make arrays or change their shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pytensor.compile.ops import DeepCopyOp, TypeCastingOp
from pytensor.graph.basic import Apply
from pytensor.tensor.basic import (
    Alloc,
    AllocEmpty,
    ARange,
    ExtractDiag,
    Eye,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
)
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.extra_ops import Repeat
from pytensor.tensor.shape import Reshape, SpecifyShape

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.placement import (
    host_inputs,
    inputs_by_value,
    single_numbers,
)


def _after(first: int) -> Any:
    """All inputs from one on."""
    return lambda op, node: range(first, len(node.inputs))


for _type, _first in {
    Alloc: 1,
    AllocEmpty: 0,
    ARange: 0,
    Eye: 0,
    Repeat: 1,
    Reshape: 1,
    ScalarFromTensor: 0,
    SpecifyShape: 1,
    Split: 1,
}.items():
    host_inputs.register(_type)(_after(_first))


@inputs_by_value.register
def _filling(op: Alloc, node: Apply) -> Iterable[int]:
    return [k for k in single_numbers(op, node) if k == 0]


@cupy_funcify.register
def _dimshuffle(op: DimShuffle, node: Apply) -> Rule:
    def dimshuffle(x: Any) -> Any:
        x = x.transpose(op._transposition)
        shape = list(x.shape[: len(op.shuffle)])
        for axis in op.augment:
            shape.insert(axis, 1)
        return x.reshape(tuple(shape))

    return dimshuffle


@cupy_funcify.register
def _reshape(op: Reshape, node: Apply) -> Rule:
    return lambda x, shape: x.reshape(tuple(int(n) for n in shape))


@cupy_funcify.register
def _specify_shape(op: SpecifyShape, node: Apply) -> Rule:
    def specify_shape(x: Any, *shape: Any) -> Any:
        wanted = tuple(None if n is None else int(n) for n in shape)
        if any(w is not None and n != w for n, w in zip(x.shape, wanted, strict=True)):
            raise AssertionError(f"SpecifyShape: got shape {x.shape}, expected {wanted}.")
        return x

    return specify_shape


@cupy_funcify.register
def _scalar_from_tensor(op: ScalarFromTensor, node: Apply) -> Rule:
    return lambda x: x.reshape(())[()]


@cupy_funcify.register
def _copy(op: DeepCopyOp, node: Apply) -> Rule:
    return lambda x: x.copy()


@cupy_funcify.register
def _cast_type(op: TypeCastingOp, node: Apply) -> Rule:
    return lambda x: x


@cupy_funcify.register
def _alloc(op: Alloc, node: Apply) -> Rule:
    cp = array_module.load()
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]

    def alloc(value: Any, *lengths: Any) -> Any:
        shape = tuple(int(n) for n in lengths)
        Alloc._check_runtime_broadcast(node, value, shape)
        if isinstance(value, np.ndarray):
            return cp.full(shape, value.reshape(())[()], dtype)
        # A view without memory of its own: nothing here changes arrays in place.
        return cp.broadcast_to(value.astype(dtype, copy=False), shape)

    return alloc


@cupy_funcify.register
def _alloc_empty(op: AllocEmpty, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda *lengths: cp.empty(tuple(int(n) for n in lengths), op.dtype)


@cupy_funcify.register
def _arange(op: ARange, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda start, stop, step: cp.arange(
        start.item(), stop.item(), step.item(), dtype=op.dtype
    )


@cupy_funcify.register
def _eye(op: Eye, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda n, m, k: cp.eye(int(n), int(m), int(k), dtype=op.dtype)


@cupy_funcify.register
def _join(op: Join, node: Apply) -> Rule:
    cp = array_module.load()
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    return lambda *parts: cp.concatenate([p.astype(dtype, copy=False) for p in parts], axis=op.axis)


@cupy_funcify.register
def _split(op: Split, node: Apply) -> Rule:
    cp = array_module.load()

    def split(x: Any, lengths: np.ndarray) -> Any:
        if (
            len(lengths) != op.len_splits
            or (lengths < 0).any()
            or lengths.sum() != x.shape[op.axis]
        ):
            raise ValueError(f"a length of {x.shape[op.axis]} cannot be split into {lengths}")
        parts: Sequence[Any] = cp.split(x, np.cumsum(lengths)[:-1].tolist(), axis=op.axis)
        return parts[0] if op.len_splits == 1 else tuple(parts)

    return split


@cupy_funcify.register
def _make_vector(op: MakeVector, node: Apply) -> Rule:
    cp = array_module.load()

    def make_vector(*numbers: Any) -> Any:
        return cp.stack([x.reshape(()).astype(op.dtype, copy=False) for x in numbers])

    return make_vector


@cupy_funcify.register
def _diagonal(op: ExtractDiag, node: Apply) -> Rule:
    cp = array_module.load()
    return lambda x: cp.diagonal(x, op.offset, op.axis1, op.axis2)


@cupy_funcify.register
def _repeat(op: Repeat, node: Apply) -> Rule:
    cp = array_module.load()

    def repeat(x: Any, counts: Any) -> Any:
        return cp.repeat(x, counts.tolist(), axis=op.axis)

    return repeat

"""Sums, products, extremes and the like over some axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor.scalar.basic as ps
from pytensor.graph.basic import Apply
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import Argmax, ProdWithoutZeros

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.accumulators import Accumulator
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.fused import MapReduce, Reduction
from statmech_dsl.backends.pytensor_cupy.kernels import (
    Read,
    body,
    kernel_arguments,
    output_dtypes,
    preamble,
    reads_of,
)
from statmech_dsl.backends.pytensor_cupy.placement import inputs_by_value, single_numbers
from statmech_dsl.backends.pytensor_cupy.scalar import C_TYPES
from statmech_dsl.errors import BackendError

_FUNCTIONS = {
    ps.Add: "sum",
    ps.Mul: "prod",
    ps.Maximum: "max",
    ps.Minimum: "min",
    ps.AND: "all",
    ps.OR: "any",
}

inputs_by_value.register(MapReduce)(single_numbers)


@cupy_funcify.register
def _reduce(op: CAReduce, node: Apply) -> Rule:
    cp = array_module.load()
    (v,) = node.inputs
    name = _FUNCTIONS.get(type(op.scalar_op))
    logical = name in ("all", "any")
    if name is None or (logical and v.type.dtype != "bool"):  # type: ignore[attr-defined]
        raise BackendError(
            f"mode CUPY has no rule for the reduction {op} of {v.type}",
            mend="reduce with sum, prod, max, min, and all or any of booleans",
        )
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    options = {"dtype": op.acc_dtype or dtype} if name in ("sum", "prod") else {}
    function = getattr(cp, name)
    empty = op.initial_value(dtype) if getattr(op, "initial", None) else None  # type: ignore[attr-defined]

    def reduce(x: Any) -> Any:
        if empty is not None and not x.size:  # CuPy's max and min take no initial value
            return cp.full(_shape_without(x.shape, op.axis), empty, dtype)
        return function(x, axis=op.axis, **options).astype(dtype, copy=False)

    return reduce


def _shape_without(shape: Sequence[int], axes: Sequence[int] | None) -> tuple[int, ...]:
    return tuple(n for k, n in enumerate(shape) if axes is not None and k not in axes)


@cupy_funcify.register
def _map_reduce(op: MapReduce, node: Apply) -> Rule:
    reads = reads_of(node, ())
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    acc_dtype = getattr(op.reduce, "acc_dtype", None) or dtype
    kernel = _map_reduce_kernel(
        op.elemwise, reads, Reduction(op.reduce.scalar_op, acc_dtype, dtype)
    )
    may_be_empty = not isinstance(op.reduce.scalar_op, ps.Maximum | ps.Minimum)

    def map_reduce(*values: Any) -> Any:
        Elemwise._check_runtime_broadcast(node, values)
        if not may_be_empty and not all(v.size for v in values):
            raise ValueError("zero-size array to a reduction which has no identity")
        return kernel(*kernel_arguments(values, reads), axis=op.reduce.axis)

    return map_reduce


def _map_reduce_kernel(op: Elemwise, reads: Sequence[Read], reduction: Reduction) -> Any:
    total = Accumulator([reduction])
    dtypes = [r.dtype for r in reads]
    names = [f"x{k}" for k in range(len(reads))]
    (produced,) = output_dtypes(op.scalar_op, dtypes)
    arguments = ", ".join(f"{r.ctype} {x}" for r, x in zip(reads, names, strict=True))
    function = f"""__device__ sums element({arguments}) {{
{C_TYPES[produced]} y;
{body(op.scalar_op, dtypes, names, ["y"])}
return {total.of(["y"])};
}}"""
    ins = [f"value{k}" for k in range(len(reads))]
    return array_module.load().ReductionKernel(
        ", ".join(f"{r.dtype} {name}" for r, name in zip(reads, ins, strict=True)),
        f"{reduction.dtype} result0",
        f"element({', '.join(ins)})",
        "merged(a, b)",
        total.stores(["result0"]),
        total.identity,
        name="map_reduce",
        reduce_type="sums",
        preamble="\n".join([preamble(op.scalar_op), total.definition, function]),
    )


@cupy_funcify.register
def _product_without_zeros(op: ProdWithoutZeros, node: Apply) -> Rule:
    cp = array_module.load()
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]

    def product(x: Any) -> Any:
        nonzero = x != 0
        result = cp.prod(cp.where(nonzero, x, cp.ones((), x.dtype)), axis=op.axis, dtype=dtype)
        return result * cp.any(nonzero, axis=op.axis).astype(dtype)

    return product


@cupy_funcify.register
def _argmax(op: Argmax, node: Apply) -> Rule:
    cp = array_module.load()
    ndim = node.inputs[0].type.ndim  # type: ignore[attr-defined]
    axes = tuple(range(ndim)) if op.axis is None else tuple(op.axis)
    kept = tuple(k for k in range(ndim) if k not in axes)

    def argmax(x: Any) -> Any:
        last = cp.transpose(x, kept + axes).reshape((*[x.shape[k] for k in kept], -1))
        return cp.argmax(last, axis=-1).astype("int64", copy=False)

    return argmax


@cupy_funcify.register
def _cumulative(op: CumOp, node: Apply) -> Rule:
    cp = array_module.load()
    function = cp.cumsum if op.mode == "add" else cp.cumprod
    return lambda x: function(x, axis=op.axis)

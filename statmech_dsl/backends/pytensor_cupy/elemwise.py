"""Elementwise expressions: one `cupy.ElementwiseKernel` each."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.elemwise import Elemwise

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.fused import FusedElemwise
from statmech_dsl.backends.pytensor_cupy.fused_reduction import reducing_kernel
from statmech_dsl.backends.pytensor_cupy.kernels import (
    Read,
    body,
    kernel_arguments,
    output_dtypes,
    preamble,
    reads_of,
)
from statmech_dsl.backends.pytensor_cupy.loops import NARROW, Loop
from statmech_dsl.backends.pytensor_cupy.placement import inputs_by_value, single_numbers

inputs_by_value.register(FusedElemwise)(single_numbers)


@cupy_funcify.register
def _elemwise(op: Elemwise, node: Apply) -> Rule:
    return _storing(op, node, reads_of(node, ()))


@cupy_funcify.register
def _fused(op: FusedElemwise, node: Apply) -> Rule:
    reads = reads_of(node, op.shifts)
    if any(op.reductions):
        return reducing_kernel(op, node, reads)
    return _storing(op.elemwise, node, reads)


def _storing(op: Elemwise, node: Apply, reads: Sequence[Read]) -> Rule:
    cp = array_module.load()
    rolled = tuple(r for r in reads if r.is_rolled)
    loops = [Loop(rolled, wide) for wide in (False, True)]
    kernels = [_kernel(op, reads, loop) for loop in loops]
    many = len(node.outputs) > 1
    dtypes = [v.type.dtype for v in node.outputs]  # type: ignore[attr-defined]

    def elemwise(*values: Any) -> Any:
        Elemwise._check_runtime_broadcast(node, values)
        arguments = kernel_arguments(values, reads)
        if not rolled:
            return kernels[False](*arguments)
        shape = next(v.shape for v, r in zip(values, reads, strict=True) if r.is_rolled)
        arguments = [
            cp.ascontiguousarray(v) if r.is_rolled else v
            for v, r in zip(arguments, reads, strict=True)
        ]
        outs = [cp.empty(shape, d) for d in dtypes]
        wide = prod(shape) >= NARROW
        kernels[wide](*arguments, *loops[wide].arguments(shape), *outs)
        return tuple(outs) if many else outs[0]

    return elemwise


def _kernel(op: Elemwise, reads: Sequence[Read], loop: Loop) -> Any:
    dtypes = [r.dtype for r in reads]
    produced = output_dtypes(op.scalar_op, dtypes)
    ins = [f"x{k}" if r.is_rolled else f"in{k}" for k, r in enumerate(reads)]
    outs = [f"out{k}" for k in range(len(produced))]
    loads = [
        f"const {r.ctype} x{k} = in{k}[{loop.place(r)}];"
        for k, r in enumerate(reads)
        if r.is_rolled
    ]
    statements = [loop.statements(f"({loop.ctype})i"), *loads] if loads else []
    return array_module.load().ElementwiseKernel(
        ", ".join(
            [f"{'raw ' if r.is_rolled else ''}{r.dtype} in{k}" for k, r in enumerate(reads)]
            + loop.declarations
        ),
        ", ".join(f"{d} {o}" for d, o in zip(produced, outs, strict=True)),
        "\n".join([*statements, body(op.scalar_op, dtypes, ins, outs)]),
        name="elementwise",
        preamble=preamble(op.scalar_op),
    )

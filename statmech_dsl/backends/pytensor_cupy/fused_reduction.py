"""Elementwise expressions of which some outputs are only reduced, over all axes or over the last.

`cupy.ReductionKernel` has one block of threads for each element of its result, so that a sum over a
whole lattice would run in a single block. The first kernel therefore reduces each of some thousand
chunks in a block of its own, reading its inputs as raw arrays, and stores outputs that are wanted
whole as it goes; the second reduces the chunks. The order of the sum depends on the shape alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.scalar.basic import Maximum, Minimum
from pytensor.tensor.elemwise import Elemwise

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.accumulators import Accumulator
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule
from statmech_dsl.backends.pytensor_cupy.fused import FusedElemwise, Reduction
from statmech_dsl.backends.pytensor_cupy.kernels import (
    Read,
    body,
    kernel_arguments,
    output_dtypes,
    preamble,
)
from statmech_dsl.backends.pytensor_cupy.loops import NARROW, Loop
from statmech_dsl.backends.pytensor_cupy.scalar import C_TYPES, PREAMBLE

MOST_CHUNKS = 2048
"""Blocks of 512 threads: four fit on a multiprocessor, and the largest cards have about 150."""
SMALLEST_CHUNK = 2048


def reducing_kernel(op: FusedElemwise, node: Apply, reads: Sequence[Read]) -> Rule:
    """The two kernels of an expression with reduced outputs."""
    cp = array_module.load()
    kept = [k for k, r in enumerate(op.reductions) if r is None]
    reductions = [r for r in op.reductions if r is not None]
    loops = [Loop(tuple(reads), wide) for wide in (False, True)]
    first = [_chunks(op, loop) for loop in loops]
    second = _total(reductions)
    lane = cp.empty((1, 1), "uint8")
    dtypes = [v.type.dtype for v in node.outputs]  # type: ignore[attr-defined]
    nonempty = any(isinstance(r.scalar_op, Maximum | Minimum) for r in reductions)

    def fused(*values: Any) -> Any:
        Elemwise._check_runtime_broadcast(node, values)
        shape = np.broadcast_shapes(*[v.shape for v in values])
        kept_shape = shape[: op.n_kept]
        segments, size = prod(kept_shape), prod(shape[op.n_kept :])
        wide = segments * size >= NARROW
        if nonempty and not size:
            raise ValueError("zero-size array to a reduction which has no identity")
        most = max(1, MOST_CHUNKS // max(1, segments))
        chunks = max(1, min(most, -(-size // SMALLEST_CHUNK)))
        chunk = max(1, -(-size // chunks))
        arguments = [
            v if r.by_value else cp.ascontiguousarray(v)
            for v, r in zip(kernel_arguments(values, reads), reads, strict=True)
        ]
        stored = [cp.empty(shape, dtypes[k]) for k in kept]
        partial = [cp.empty(segments * chunks, r.acc_dtype) for r in reductions]
        first[wide](
            cp.broadcast_to(lane, (chunk, segments * chunks)),
            *arguments,
            size,
            chunks,
            chunk,
            *loops[wide].arguments(shape),
            *partial,
            *stored,
            axis=0,
        )
        total = [cp.empty(segments, r.dtype) for r in reductions]
        second(*[p.reshape((segments, chunks)) for p in partial], *total, axis=1)
        results = dict(zip(kept, stored, strict=True))
        rest = iter([t.reshape(kept_shape) for t in total])
        return tuple(results[k] if k in results else next(rest) for k in range(len(dtypes)))

    return fused if len(dtypes) > 1 else lambda *values: fused(*values)[0]


def _chunks(op: FusedElemwise, loop: Loop) -> Any:
    reads, ctype = loop.reads, loop.ctype
    scalar_op = op.elemwise.scalar_op
    dtypes = [r.dtype for r in reads]
    produced = output_dtypes(scalar_op, dtypes)
    reductions = [r for r in op.reductions if r is not None]
    reduced = [k for k, r in enumerate(op.reductions) if r is not None]
    kept = [k for k, r in enumerate(op.reductions) if r is None]
    total = Accumulator(reductions)
    arrays = [*(f"in{k}" for k in range(len(reads))), *(f"out{k}" for k in kept)]
    loads = [
        f"const {r.ctype} x{k} = in{k}{'' if r.by_value else f'[{loop.place(r)}]'};"
        for k, r in enumerate(reads)
    ]
    values = [f"y{k}" for k in range(len(produced))]
    sizes = ("size", "chunks", "chunk")
    signature = ", ".join(
        [f"{ctype} {name}" for name in ("i", "j", *sizes, *loop.parameters)]
        + [f"{'' if name[0] == 'o' else 'const '}T{k}& {name}" for k, name in enumerate(arrays)]
    )
    function = "\n".join(
        [
            f"template <{', '.join(f'class T{k}' for k in range(len(arrays)))}>",
            f"__device__ sums element({signature}) {{",
            f"const {ctype} segment = i / chunks;",
            f"const {ctype} inside = (i - segment * chunks) * chunk + j;",
            f"if (inside >= size) return sums({total.identity});",
            loop.statements("segment * size + inside"),
            *loads,
            *[f"{C_TYPES[d]} {y};" for d, y in zip(produced, values, strict=True)],
            body(scalar_op, dtypes, [f"x{k}" for k in range(len(reads))], values),
            *[f"out{k}[at] = y{k};" for k in kept],
            f"return {total.of([f'y{k}' for k in reduced])};",
            "}",
        ]
    )
    arguments = ", ".join([f"({ctype})_i", f"({ctype})_J", *sizes, *loop.parameters, *arrays])
    return array_module.load().ReductionKernel(
        ", ".join(
            ["uint8 lane"]
            + [f"{'' if r.by_value else 'raw '}{r.dtype} in{k}" for k, r in enumerate(reads)]
            + [f"{loop.index} {name}" for name in sizes]
            + loop.declarations
        ),
        ", ".join(
            # Totals first: CuPy runs nothing where the first output is empty.
            [f"{r.acc_dtype} total{k}" for k, r in enumerate(reductions)]
            + [f"raw {produced[k]} out{k}" for k in kept]
        ),
        f"element({arguments})",
        "merged(a, b)",
        total.stores([f"total{k}" for k in range(len(reductions))]),
        total.identity,
        name="reduce_chunks",
        reduce_type="sums",
        preamble="\n".join([preamble(scalar_op), total.definition, function]),
    )


def _total(reductions: Sequence[Reduction]) -> Any:
    total = Accumulator(reductions)
    names = range(len(reductions))
    return array_module.load().ReductionKernel(
        ", ".join(f"{r.acc_dtype} value{k}" for k, r in enumerate(reductions)),
        ", ".join(f"{r.dtype} result{k}" for k, r in enumerate(reductions)),
        total.of([f"value{k}" for k in names]),
        "merged(a, b)",
        total.stores([f"result{k}" for k in names]),
        total.identity,
        name="reduce_totals",
        reduce_type="sums",
        preamble=PREAMBLE + total.definition,
    )

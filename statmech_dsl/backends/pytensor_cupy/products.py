"""Products of arrays, and core Ops repeated over batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify


@cupy_funcify.register
def _dot(op: Dot | BatchedDot, node: Apply) -> Rule:
    cp = array_module.load()
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    return lambda a, b: cp.matmul(a.astype(dtype, copy=False), b.astype(dtype, copy=False))


@cupy_funcify.register
def _blockwise(op: Blockwise, node: Apply) -> Rule:
    cp = array_module.load()
    core = cupy_funcify(op.core_op, op._create_dummy_core_node(node.inputs))  # type: ignore[call-overload]
    if isinstance(op.core_op, Dot):
        return core
    n_outputs = len(node.outputs)
    cores = [len(s) for s in op.inputs_sig]

    def blockwise(*values: Any) -> Any:
        op._check_runtime_broadcast(node, values)
        batches = [v.shape[: v.ndim - c] for v, c in zip(values, cores, strict=True)]
        batch = np.broadcast_shapes(*batches)
        if not batch:
            return core(*values)
        spread = [
            cp.broadcast_to(v, (*batch, *v.shape[v.ndim - c :]))
            for v, c in zip(values, cores, strict=True)
        ]
        results = [core(*[v[k] for v in spread]) for k in np.ndindex(*batch)]
        if n_outputs == 1:
            results = [(r,) for r in results]
        stacked = [cp.stack(list(part)) for part in zip(*results, strict=True)]
        outputs = tuple(s.reshape((*batch, *s.shape[1:])) for s in stacked)
        return outputs if n_outputs > 1 else outputs[0]

    return blockwise

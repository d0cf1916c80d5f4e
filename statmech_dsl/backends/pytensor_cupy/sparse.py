"""Products with sparse matrices, by cuSPARSE through CuPy."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.sparse.basic import DenseFromSparse, SparseFromDense, Transpose
from pytensor.sparse.math import Dot, StructuredDot, TrueDot
from pytensor.sparse.type import SparseTensorType

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.errors import BackendError


@cupy_funcify.register
def _product(op: Dot | StructuredDot | TrueDot, node: Apply) -> Rule:
    kept_sparse = isinstance(node.outputs[0].type, SparseTensorType)
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    if dtype not in ("float32", "float64"):
        raise BackendError(
            f"mode CUPY has no rule for sparse products of type {dtype}",
            where=f"the node {node}",
            mend="cast the matrix to float32 or float64",
        )

    dense_first = not isinstance(node.inputs[0].type, SparseTensorType)

    def product(a: Any, b: Any) -> Any:
        a, b = a.astype(dtype), b.astype(dtype)
        # The sparse matrix first, which is what cuSPARSE does.
        result = (b.T @ a.T).T if dense_first else a @ b
        is_sparse = hasattr(result, "toarray")
        return result.toarray() if is_sparse and not kept_sparse else result

    return product


@cupy_funcify.register
def _dense(op: DenseFromSparse, node: Apply) -> Rule:
    return lambda x: x.toarray()


@cupy_funcify.register
def _sparse(op: SparseFromDense, node: Apply) -> Rule:
    kind = getattr(array_module.load("cupyx.scipy.sparse"), f"{op.format}_matrix")
    return lambda x: kind(x)


@cupy_funcify.register
def _transpose(op: Transpose, node: Apply) -> Rule:
    return lambda x: x.T

"""Products with sparse matrices.

Imported when a model uses them: PyTensor's sparse module takes long to load.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.sparse.basic import csm_data
from pytensor.sparse.math import Dot, StructuredDot, TrueDot
from pytensor.sparse.type import SparseTensorType

from statmech_dsl.lower.recovery.rules.products import matmul
from statmech_dsl.lower.recovery.terms import Value, at
from statmech_dsl.lower.recovery.walker import Walker, rule


@rule.register
def _product(op: StructuredDot | Dot | TrueDot, node: Apply, k: int, walk: Walker) -> Value:
    left, right = node.inputs
    return matmul(_matrix(left, walk), _matrix(right, walk), walk)


def _matrix(x: Variable, walk: Walker) -> Value:
    if not isinstance(x.type, SparseTensorType) or walk.depends(x):
        return walk(x)
    matrix = walk.known.structure(x).tocoo()
    if walk.known.is_fixed(x):
        entries = walk.coefficients.constant(matrix.data)
    else:
        entries = walk.coefficients.value(csm_data(x))
    position = matrix.row.astype(np.int64) * matrix.shape[1] + matrix.col
    terms = tuple(replace(t, out=at(position, t.out)) for t in entries.terms)
    return Value(matrix.shape, terms)

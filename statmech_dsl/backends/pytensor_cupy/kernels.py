"""The text of kernels: what `cupy.ElementwiseKernel` and `cupy.ReductionKernel` are given.

Reductions do not call their parameters in0 and out0: CuPy renames parameters to these where it uses CUB,
and believes that it has done so if they have these names already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytensor.scalar.basic as ps
from pytensor.graph.basic import Apply

from statmech_dsl.backends.pytensor_cupy.scalar import (
    C_TYPES,
    PREAMBLE,
    scalar_node,
    statements,
    support_code,
)
from statmech_dsl.backends.pytensor_cupy.transfers import lives_on_host


@dataclass(frozen=True)
class Read:
    """How a kernel reads an input.

    Parameters
    ----------
    dtype : str
        Type of the elements.
    axes : tuple of (int or None)
        For each axis of the loop: how far the input is rolled, or None where it has length one.
    by_value : bool
        Whether it is a number among the arguments.
    """

    dtype: str
    axes: tuple[int | None, ...] = ()
    by_value: bool = False

    @property
    def ctype(self) -> str:
        """C type of the elements."""
        return C_TYPES[self.dtype]

    @property
    def in_step(self) -> bool:
        """Whether element i of the loop is element i of the input."""
        return not self.by_value and all(s == 0 for s in self.axes)

    @property
    def needs_coordinates(self) -> bool:
        """Whether the place to read depends on more than the number of the element."""
        return not (self.by_value or self.in_step or set(self.axes) == {None})

    @property
    def is_rolled(self) -> bool:
        """Whether it is read at shifted indices."""
        return any(self.axes)


def reads_of(node: Apply, shifts: Sequence[tuple[int, ...]]) -> list[Read]:
    """How a kernel reads the inputs of an elementwise node."""
    reads = []
    for k, v in enumerate(node.inputs):
        dtype, one = v.type.dtype, v.type.broadcastable  # type: ignore[attr-defined]
        rolled = shifts[k] if shifts and shifts[k] else [0] * len(one)
        axes = tuple(None if b else s for s, b in zip(rolled, one, strict=True))
        reads.append(Read(dtype, axes, by_value=lives_on_host(v)))
    return reads


def kernel_arguments(values: Sequence[Any], reads: Sequence[Read]) -> list[Any]:
    """What a kernel is called with: arrays, and NumPy scalars for what it takes by value."""
    return [v.reshape(())[()] if r.by_value else v for v, r in zip(values, reads, strict=True)]


def preamble(op: ps.ScalarOp) -> str:
    """What stands before a kernel with the statements of an Op."""
    return PREAMBLE + support_code(op)


def body(op: ps.ScalarOp, dtypes: Sequence[str], ins: Sequence[str], outs: Sequence[str]) -> str:
    """The statements of an Op between C variables of the given types."""
    return statements(op, scalar_node(op, dtypes), ins, outs)


def output_dtypes(op: ps.ScalarOp, dtypes: Sequence[str]) -> list[str]:
    """Types of the outputs of a scalar Op."""
    return [v.type.dtype for v in scalar_node(op, dtypes).outputs]  # type: ignore[attr-defined]

"""Ops that the fusion pass makes: an elementwise expression together with what surrounds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytensor.scalar.basic as ps
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.type import TensorType


@dataclass(frozen=True)
class Reduction:
    """What is done with the elements of an output.

    Parameters
    ----------
    scalar_op : ScalarOp
        Add, Mul, Maximum, Minimum, AND or OR.
    acc_dtype, dtype : str
        Type of the accumulator, and of the result.
    """

    scalar_op: ps.ScalarOp
    acc_dtype: str
    dtype: str


class FusedElemwise(Op):
    """An elementwise expression of arrays rolled, whose outputs are stored or reduced.

    Parameters
    ----------
    elemwise : Elemwise
        The expression.
    shifts : tuple of tuple of int
        For each input, how far it is rolled along each axis; empty: not at all.
    reductions : tuple of (Reduction or None)
        For each output, the reduction over the last axes, or None if it is stored.
    n_kept : int
        How many axes come before those: replicas, for example.
    """

    __props__ = ("elemwise", "shifts", "reductions", "n_kept")

    def __init__(
        self,
        elemwise: Elemwise,
        shifts: Sequence[tuple[int, ...]],
        reductions: Sequence[Reduction | None],
        n_kept: int = 0,
    ) -> None:
        self.elemwise = elemwise
        self.shifts = tuple(shifts)
        self.reductions = tuple(reductions)
        self.n_kept = n_kept

    def make_node(self, *inputs: Variable) -> Apply:
        """A node of this Op."""
        node = self.elemwise.make_node(*inputs)
        outputs = [
            o.type() if r is None else TensorType(r.dtype, shape=o.type.shape[: self.n_kept])()
            for o, r in zip(node.outputs, self.reductions, strict=True)
        ]
        return Apply(self, node.inputs, outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        """What PyTensor's own backends would call."""
        raise NotImplementedError("FusedElemwise is made for CuPyLinker only")

    def __str__(self) -> str:
        name = f"FusedElemwise{{{self.elemwise.scalar_op}}}"
        return name.replace("Composite{...}", "Composite")


class MapReduce(Op):
    """The reduction of an elementwise expression over some axes.

    Parameters
    ----------
    elemwise : Elemwise
        The expression, of one output.
    reduce : CAReduce
        The reduction.
    """

    __props__ = ("elemwise", "reduce")

    def __init__(self, elemwise: Elemwise, reduce: CAReduce) -> None:
        self.elemwise = elemwise
        self.reduce = reduce

    def make_node(self, *inputs: Variable) -> Apply:
        """A node of this Op."""
        node = self.elemwise.make_node(*inputs)
        reduced = self.reduce.make_node(*node.outputs)
        return Apply(self, node.inputs, [o.type() for o in reduced.outputs])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        """What PyTensor's own backends would call."""
        raise NotImplementedError("MapReduce is made for CuPyLinker only")

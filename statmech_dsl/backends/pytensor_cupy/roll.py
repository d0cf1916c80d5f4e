"""Periodic shifts as one Op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify


class Roll(Op):
    """All elements moved along the axes, around the ends: `numpy.roll`.

    Parameters
    ----------
    shifts : tuple of int
        How far along each axis.
    """

    __props__ = ("shifts",)

    def __init__(self, shifts: Sequence[int]) -> None:
        self.shifts = tuple(int(s) for s in shifts)

    def make_node(self, x: Variable) -> Apply:
        """A node of this Op."""
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        """What PyTensor's own backends would call."""
        output_storage[0][0] = np.roll(inputs[0], self.shifts, tuple(range(inputs[0].ndim)))

    def infer_shape(self, node: Apply, shapes: list) -> list:
        """The shape of the output."""
        return shapes


def roll(x: Variable, shifts: Sequence[int]) -> Variable:
    """A variable rolled; shifts that do nothing are left out, and rolls of rolls are one."""
    if isinstance(x.owner and x.owner.op, Roll):
        shifts = [a + b for a, b in zip(x.owner.op.shifts, shifts, strict=True)]
        x = x.owner.inputs[0]
    shifts = [_shortest(s, n) for s, n in zip(shifts, x.type.shape, strict=True)]  # type: ignore[attr-defined]
    return Roll(shifts)(x) if any(shifts) else x  # type: ignore[return-value]


def _shortest(shift: int, n: int | None) -> int:
    return shift if n is None else (shift + n // 2) % n - n // 2 if n else 0


@cupy_funcify.register
def _roll(op: Roll, node: Apply) -> Rule:
    cp = array_module.load()
    axes = tuple(k for k, s in enumerate(op.shifts) if s)
    shifts = tuple(op.shifts[k] for k in axes)
    return lambda x: cp.roll(x, shifts, axes)

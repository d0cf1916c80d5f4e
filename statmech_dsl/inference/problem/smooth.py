"""A function of a vector, computed by NumPy with its gradient, as part of a PyTensor graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

Smooth = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Value and gradient at a point."""


class SmoothOp(Op):
    """Value and gradient of a function; the gradient of the value is the second output."""

    __props__ = ("function",)

    def __init__(self, function: Smooth) -> None:
        self.function = function

    def __str__(self) -> str:
        return "SmoothOp"

    def make_node(self, x) -> Apply:  # noqa: D102
        return Apply(self, [pt.as_tensor_variable(x)], [pt.dscalar(), pt.dvector()])

    def perform(self, node, inputs, output_storage) -> None:  # noqa: D102
        value, gradient = self.function(np.asarray(inputs[0], float))
        output_storage[0][0] = np.asarray(value, float)
        output_storage[1][0] = np.asarray(gradient, float)

    def pullback(self, inputs, outputs, cotangents) -> list[Any]:  # noqa: D102
        by_value: Any
        by_value, by_gradient = cotangents
        if not isinstance(by_gradient.type, type(disconnected_type)):
            raise NotImplementedError("second derivatives")
        return [by_value * outputs[1]]


@cache
def _register() -> None:
    """Tell Numba that this is called as it is: PyTensor warns of what it has no kernel for."""
    import numba
    from pytensor.link.numba.dispatch import basic

    @basic.numba_funcify.register(SmoothOp)
    def _called(op: SmoothOp, node: Any, **kwargs: Any) -> Any:
        returned = numba.types.Tuple([basic.get_numba_type(o.type) for o in node.outputs])

        def call(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            value, gradient = op.function(x)
            return np.asarray(value, float), np.asarray(gradient, float)

        @basic.numba_njit
        def called(x):
            with numba.objmode(ret=returned):
                ret = call(x)
            return ret

        return called


def graph_of(function: Smooth, x: Any) -> Any:
    """The value of a function of a vector as a graph that has a gradient.

    Examples
    --------
    >>> from pytensor import grad
    >>> x = pt.dvector("x")
    >>> y = graph_of(lambda v: (v @ v, 2 * v), x)
    >>> grad(y, x).eval({x: np.array([1.0, 2.0])})
    array([2., 4.])
    """
    _register()
    op: Any = SmoothOp(function)
    return op(x)[0]

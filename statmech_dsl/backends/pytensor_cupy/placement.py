"""The placement pass: shapes, indices and single numbers on the host, arrays on the device.

It writes the graph anew, with every copy and every host Op explicit. Big arrays never come to the
host unless an output or a host Op asks for them; what is known to be small stays on the host as
long as only small things are computed from it, and elementwise kernels take it by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from math import prod
from typing import Any, Literal

from pytensor.compile.ops import DeepCopyOp
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.basic import Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.type import TensorType
from pytensor.tensor.type_other import MakeSlice

from statmech_dsl.backends.pytensor_cupy.separation import separated
from statmech_dsl.backends.pytensor_cupy.transfers import Download, OnHost, Upload

Place = Literal["host", "device"]

SMALL = 32
"""Tensors of at most so many elements, known when compiling, may live on the host."""

_HOST_OPS = (
    CAReduce,
    CheckAndRaise,
    DeepCopyOp,
    DimShuffle,
    Elemwise,
    Join,
    MakeSlice,
    MakeVector,
    Reshape,
    ScalarFromTensor,
    ScalarOp,
    SpecifyShape,
    Subtensor,
    TensorFromScalar,
)


@singledispatch
def host_inputs(op: Any, node: Apply) -> Iterable[int]:
    """Which inputs a device Op reads on the host."""
    return ()


@singledispatch
def inputs_by_value(op: Any, node: Apply) -> Iterable[int]:
    """Which inputs a device Op takes from either side."""
    return ()


@inputs_by_value.register(Elemwise)
def single_numbers(op: Any, node: Apply) -> Iterable[int]:
    """Inputs of one element: they are arguments of a kernel."""
    return [k for k, v in enumerate(node.inputs) if _static_size(v) == 1]


def place(
    fgraph: FunctionGraph,
    wanted: Mapping[int, Place | None],
    homes: Mapping[Variable, Place] | None = None,
) -> FunctionGraph:
    """The same graph with explicit copies and host Ops.

    Parameters
    ----------
    fgraph : FunctionGraph
        A rewritten graph; it is left as it is.
    wanted : mapping of int to {"host", "device", None}
        Where each output is wanted; None: where it is.
    homes : mapping of Variable to {"host", "device"}, optional
        Where inputs lie. Others: small ones on the host.

    Returns
    -------
    FunctionGraph
        With the same inputs and outputs in the same order.
    """
    placed = _Placed(homes or {})
    for node in fgraph.toposort():
        placed.visit(node)
    outputs = [placed.at(v, wanted[k] or placed.home(v)) for k, v in enumerate(fgraph.outputs)]
    return FunctionGraph(fgraph.inputs, outputs, clone=True)


def homes_of_updated(fgraph: FunctionGraph, updates: Mapping[int, int]) -> dict[Variable, Place]:
    """Where the inputs that a function updates lie: those whose new values the device computes, there.

    Parameters
    ----------
    fgraph : FunctionGraph
        A rewritten graph.
    updates : mapping of int to int
        For outputs that are new values of inputs: the input.
    """
    homes: dict[Variable, Place] = {}
    while True:
        placed = _Placed(homes)
        for node in fgraph.toposort():
            placed.visit(node)
        moved: dict[Variable, Place] = {
            fgraph.inputs[i]: "device"
            for o, i in updates.items()
            if placed.home(fgraph.outputs[o]) == "device" and fgraph.inputs[i] not in homes
        }
        if not moved:
            return homes
        homes |= moved


class _Placed:
    """The variables of a graph at one place or both, as the nodes are visited in order."""

    def __init__(self, homes: Mapping[Variable, Place]) -> None:
        self._homes = dict(homes)
        self._at: dict[tuple[Variable, Place], Variable] = {}

    def home(self, v: Variable) -> Place:
        """Where a variable is given or computed."""
        if v not in self._homes:
            self._homes[v] = "host" if isinstance(v, Constant) or is_small(v) else "device"
        return self._homes[v]

    def at(self, v: Variable, where: Place) -> Variable:
        """The variable at a place, copied there if need be."""
        if not _is_array(v):
            return self._at.get((v, "host"), v)
        if (v, where) not in self._at:
            if v.owner is None:
                source, needed = v, where == "device" or not isinstance(v, Constant)
            else:
                source, needed = self._at[v, self.home(v)], True
            copy = Upload() if where == "device" else Download()
            self._at[v, where] = copy(source) if needed else source  # type: ignore[assignment]
        return self._at[v, where]

    def visit(self, node: Apply) -> None:
        """Write one node anew."""
        for part, outputs in separated(node, lambda v: self.home(v) == "host"):
            self._write(part, outputs)

    def _write(self, node: Apply, outputs: Sequence[Variable]) -> None:
        if isinstance(node.op, Shape | Shape_i):
            (v,) = node.inputs
            source = v if v.owner is None else self._at[v, self.home(v)]
            new, where = OnHost(node.op).around(_with_inputs(node, [source])), "host"
        elif self._runs_on_host(node):
            inputs = [self.at(v, "host") for v in node.inputs]
            new, where = OnHost(node.op).around(_with_inputs(node, inputs)), "host"
        else:
            new, where = _with_inputs(node, self._device_inputs(node)), "device"
        for old, out in zip(outputs, new.outputs, strict=True):
            out.name = old.name
            self._homes[old] = where if _is_array(old) else "host"
            self._at[old, self._homes[old]] = out

    def _runs_on_host(self, node: Apply) -> bool:
        return (
            isinstance(node.op, _HOST_OPS)
            and all(self.home(v) == "host" for v in node.inputs)
            and all(is_small(v) for v in node.outputs)
        )

    def _device_inputs(self, node: Apply) -> list[Variable]:
        on_host = set(host_inputs(node.op, node))
        either = set(inputs_by_value(node.op, node))
        places = [
            "host" if k in on_host else self.home(v) if k in either else "device"
            for k, v in enumerate(node.inputs)
        ]
        return [self.at(v, p) for v, p in zip(node.inputs, places, strict=True)]  # type: ignore[arg-type]


def _with_inputs(node: Apply, inputs: list[Variable]) -> Apply:
    return node.clone_with_new_inputs(inputs, strict=False)


def _static_size(v: Variable) -> int | None:
    is_sparse = hasattr(v.type, "format")
    if not _is_array(v) or is_sparse or None in v.type.shape:  # type: ignore[attr-defined]
        return None
    return prod(v.type.shape)  # type: ignore[attr-defined]


def _is_array(v: Variable) -> bool:
    """Whether a value has a place; others, such as generators, are on the host.

    The labelled type goes by its name: its import would add rewrites to every mode.
    """
    return isinstance(v.type, TensorType) or type(v.type).__name__ == "XTensorType"


def is_small(v: Variable) -> bool:
    """Whether a variable may live on the host: few elements, or no tensor at all."""
    if not _is_array(v):
        return True
    size = _static_size(v)
    return size is not None and size <= SMALL

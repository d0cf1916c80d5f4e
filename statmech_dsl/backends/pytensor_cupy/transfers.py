"""Ops that say where things happen: copies between host and device, and Ops that run on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op


class _Copy(Op):
    """A copy of a tensor to the other side; nothing happens to what is there already."""

    __props__ = ()
    view_map = {0: [0]}

    def make_node(self, x: Variable) -> Apply:
        """A node of this Op."""
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        """What PyTensor's own backends would call."""
        raise NotImplementedError(f"{self} belongs to a graph that CuPyLinker has compiled")


class Upload(_Copy):
    """From the host to the device."""


class Download(_Copy):
    """From the device to the host, which waits for the device."""


class OnHost(Op):
    """An Op on few numbers that lie on the host: shapes, indices, parameters.

    Parameters
    ----------
    op : Op
        What to do, by its own `perform`.
    """

    __props__ = ("op",)

    def __init__(self, op: Op) -> None:
        self.op = op

    def make_node(self, *inputs: Variable) -> Apply:
        """A node of this Op."""
        return self.around(self.op.make_node(*inputs))

    def around(self, node: Apply) -> Apply:
        """The same node, on the host."""
        return Apply(self, node.inputs, [o.type() for o in node.outputs])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list) -> None:
        """What PyTensor's own backends would call."""
        self.op.perform(node, inputs, output_storage)

    def __str__(self) -> str:
        return f"OnHost{{{self.op}}}"


def lives_on_host(v: Variable) -> bool:
    """Whether a variable of a placed graph is on the host.

    Inputs are given on the host or go through an Upload before a device Op sees them.
    """
    if v.owner is None or isinstance(v, Constant):
        return True
    return isinstance(v.owner.op, OnHost | Download)

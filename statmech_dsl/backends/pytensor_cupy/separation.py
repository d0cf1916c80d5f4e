"""Fused numbers apart again: what the host can compute from what needs the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Composite
from pytensor.tensor.elemwise import Elemwise

Part = tuple[Apply, Sequence[Variable]]
"""A node, and the outputs of the given node that it computes."""


def separated(node: Apply, on_host: Callable[[Variable], bool]) -> list[Part]:
    """The node in parts: outputs that depend on what is on the host only, and the others.

    PyTensor fuses numbers that belong together by shape. An index must not wait for the device because
    it was fused with a sum.
    """
    op = node.op
    whole: list[Part] = [(node, node.outputs)]
    if (
        not (isinstance(op, Elemwise) and isinstance(op.scalar_op, Composite))
        or len(node.outputs) == 1
    ):
        return whole
    known = [on_host(v) for v in node.inputs]
    if all(known) or not any(known):
        return whole
    given = {v for v, k in zip(op.scalar_op.inputs, known, strict=True) if not k}
    waits = [bool(given & set(ancestors([o]))) for o in op.scalar_op.outputs]
    if all(waits) or not any(waits):
        return whole
    groups = [[k for k, w in enumerate(waits) if w is group] for group in (False, True)]
    return [(parted(node, group), [node.outputs[k] for k in group]) for group in groups]


def parted(node: Apply, chosen: Sequence[int]) -> Apply:
    """A node that computes some of the outputs of a fused expression, and reads what they need."""
    composite = node.op.scalar_op
    outputs = [composite.outputs[k] for k in chosen]
    used = set(ancestors(outputs))
    read = [k for k, v in enumerate(composite.inputs) if v in used]
    part = Composite([composite.inputs[k] for k in read], outputs)
    return Elemwise(part).make_node(*[node.inputs[k] for k in read])

"""The fusion pass: reads at shifted indices and reductions become part of elementwise kernels.

PyTensor has fused elementwise Ops with each other before. Bytes decide: a kernel is bound by the
arrays that it reads and writes, so what is rolled is not copied, and what is only summed is not
stored. Energy and gradient of a lattice field become one kernel that reads the field once.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter, dfs_rewriter
from pytensor.scalar.basic import AND, OR, Add, Maximum, Minimum, Mul
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.rewriting.elemwise import local_useless_composite_outputs

from statmech_dsl.backends.pytensor_cupy.fused import FusedElemwise, MapReduce, Reduction
from statmech_dsl.backends.pytensor_cupy.roll import Roll
from statmech_dsl.backends.pytensor_cupy.separation import parted

Pairs = list[tuple[Variable, Variable]]

REDUCIBLE = (Add, Mul, Maximum, Minimum, AND, OR)


MOST_READS = 2
"""An output of a fused expression is computed apart, to be reduced over some axes, if that reads so many
arrays: otherwise it is written and read once."""


class _Fuse(GraphRewriter):
    """Replaces Elemwise by something else, one after the other."""

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        """Replacements are validated."""
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        """Visit every Elemwise of arrays once."""
        for node in fgraph.toposort():
            if isinstance(node.op, Elemwise) and node.outputs[0].type.ndim:
                replaced = self.replacements(fgraph, node)
                fgraph.replace_all_validate(replaced, reason="cupy_fuse")  # type: ignore[attr-defined]

    def replacements(self, fgraph: FunctionGraph, node: Apply) -> Pairs:
        """Variables, and what replaces them."""
        raise NotImplementedError


class FuseMapReduce(_Fuse):
    """An expression that only is reduced over some axes is reduced as it is computed."""

    def replacements(self, fgraph: FunctionGraph, node: Apply) -> Pairs:
        """Each output with such a reader."""
        pairs = [_map_reduce(fgraph, node, k) for k in range(len(node.outputs))]
        return [p for p in pairs if p is not None]


class FuseRollsAndSums(_Fuse):
    """An expression reads arrays at shifted indices, and is summed as it is computed.

    Over all axes; over the last ones if it reads arrays so, for others are left to MapReduce.
    """

    def replacements(self, fgraph: FunctionGraph, node: Apply) -> Pairs:
        """All outputs, if there is something to fuse."""
        return _fused(fgraph, node)


FUSE = (FuseMapReduce(), dfs_rewriter(local_useless_composite_outputs), FuseRollsAndSums())
"""The second leaves out of a fused expression what was computed apart."""


def _fused(fgraph: FunctionGraph, node: Apply) -> Pairs:
    shape = node.outputs[0].type.broadcastable
    rolled = [_is_rolled(v, shape) for v in node.inputs]
    for n_kept in range(len(shape) if any(rolled) else 1):
        sums = [_reductions_after(fgraph, v, n_kept) for v in node.outputs]
        if any(sums):
            break
    else:
        n_kept = 0
    if not any(rolled) and not any(sums):
        return []
    inputs = [v.owner.inputs[0] if r else v for v, r in zip(node.inputs, rolled, strict=True)]  # type: ignore[union-attr]
    shifts = [v.owner.op.shifts if r else () for v, r in zip(node.inputs, rolled, strict=True)]  # type: ignore[union-attr]
    reductions = [_reduction(s[0]) if s else None for s in sums]
    op = FusedElemwise(node.op, shifts, reductions, n_kept)  # type: ignore[arg-type]
    outputs = op(*inputs, return_list=True)
    pairs = []
    for old, new, reduced in zip(node.outputs, outputs, sums, strict=True):  # type: ignore[arg-type]
        pairs += [(s.outputs[0], new) for s in reduced] if reduced else [(old, new)]
    return pairs


def _map_reduce(fgraph: FunctionGraph, node: Apply, k: int) -> tuple[Variable, Variable] | None:
    output = node.outputs[k]
    if len(fgraph.clients[output]) != 1:
        return None
    ((reader, _),) = fgraph.clients[output]
    if not isinstance(reader.op, CAReduce) or not _is_reducible(reader.op):
        return None
    part = node if len(node.outputs) == 1 else parted(node, [k])
    arrays = {v for v in part.inputs if not all(v.type.broadcastable)}  # type: ignore[attr-defined]
    if _axes(reader) == _last_axes(output, 0) or (part is not node and len(arrays) > MOST_READS):
        return None
    if any(_is_rolled(v, output.type.broadcastable) for v in part.inputs):  # type: ignore[attr-defined]
        return None
    return reader.outputs[0], MapReduce(part.op, reader.op)(*part.inputs)  # type: ignore[return-value,arg-type]


def _is_rolled(v: Variable, broadcastable: tuple[bool, ...]) -> bool:
    """Whether an input is a Roll that a kernel can read: an array as large as the output."""
    rolled = v.owner is not None and isinstance(v.owner.op, Roll)
    return rolled and v.type.broadcastable == broadcastable  # type: ignore[attr-defined]


def _reductions_after(fgraph: FunctionGraph, v: Variable, n_kept: int) -> list[Apply]:
    """The readers of an output if all of them are the same reduction over the axes from one on."""
    readers = [node for node, _ in fgraph.clients[v]]
    if not readers or not all(
        isinstance(r.op, CAReduce) and _is_reducible(r.op) and _axes(r) == _last_axes(v, n_kept)
        for r in readers
    ):
        return []
    return readers if len({_reduction(r) for r in readers}) == 1 else []


def _is_reducible(op: Any) -> bool:
    plain = not getattr(op, "initial", None) and not getattr(op, "no_zeros_in_input", False)
    return isinstance(op.scalar_op, REDUCIBLE) and plain


def _axes(node: Apply) -> tuple[int, ...]:
    axis = node.op.axis
    return _last_axes(node.inputs[0], 0) if axis is None else tuple(sorted(axis))


def _last_axes(v: Variable, n_kept: int) -> tuple[int, ...]:
    return tuple(range(n_kept, v.type.ndim))  # type: ignore[attr-defined]


def _reduction(node: Apply) -> Reduction:
    dtype = node.outputs[0].type.dtype
    return Reduction(node.op.scalar_op, getattr(node.op, "acc_dtype", None) or dtype, dtype)

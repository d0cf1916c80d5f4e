"""PyTensor graphs: traversal without recursion, inlining, expressions as short text."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import graph_replace
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Reshape


def postorder(
    v: Variable, inputs_of: Callable[[Variable], Iterable[Variable]], done: Container[Variable]
) -> Iterator[Variable]:
    """``v`` and what it depends on, inputs first; ``done`` is looked at as the caller fills it."""
    stack = [v]
    while stack:
        top = stack[-1]
        missing = [] if top in done else [i for i in inputs_of(top) if i not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        if top not in done:
            yield top


def inline(node: Apply, k: int) -> Variable:
    """Output ``k`` of a node that holds a graph, as a graph of the node's inputs."""
    inner = node.op.fgraph.unfreeze()  # type: ignore[attr-defined]
    replacements = dict(zip(inner.inputs, node.inputs, strict=True))
    return graph_replace([inner.outputs[k]], replacements, strict=False)[0]


def stabilized(v: Variable, inputs: Iterable[Variable]) -> Variable:
    """The same function of ``inputs``, without the overflow of log(1 - sigmoid(x)) and the like."""
    blockers = list(inputs)
    leaves = [
        x
        for x in ancestors([v], blockers=blockers)
        if not isinstance(x, Constant) and (x in blockers or x.owner is None)
    ]
    graph = FunctionGraph(leaves, [v], clone=True)
    optdb.query(RewriteDatabaseQuery(include=("canonicalize", "stabilize"))).rewrite(graph)
    originals = dict(zip(graph.inputs, leaves, strict=True))
    return graph_replace(graph.outputs, originals, strict=False)[0]


_INFIX = {
    **{
        "Add": "+",
        "Sub": "-",
        "Mul": "*",
        "True_div": "/",
        "Int_div": "//",
        "Mod": "%",
        "Pow": "**",
    },
    **{"Eq": "==", "Lt": "<", "Gt": ">", "Le": "<=", "Ge": ">=", "And": "&", "Or": "|"},
}


def describe(v: Variable, depth: int = 5) -> str:
    """Expression as short text."""
    node = v.owner
    if isinstance(v, Constant):
        data: Any = v.data
        size = "x".join(map(str, getattr(data, "shape", ())))
        return v.name or (f"array({size})" if size else str(data))
    if node is None or isinstance(node.op, RandomVariable):
        return v.name or str(v.type)
    if isinstance(node.op, DimShuffle | Reshape) or str(node.op).startswith("Cast"):
        return describe(node.inputs[0], depth)
    if depth == 0:
        return "..."
    arguments = [describe(x, depth - 1) for x in node.inputs]
    name = str(getattr(node.op, "core_op", node.op)).split("{")[0]
    if "Subtensor" in name and "Inc" not in name and "Set" not in name:
        return f"{arguments[0]}[{', '.join(arguments[1:]) or '...'}]"
    if isinstance(node.op, Elemwise) and name in _INFIX and len(arguments) > 1:
        return "(" + f" {_INFIX[name]} ".join(arguments) + ")"
    return f"{name.lower()}({', '.join(arguments)})"

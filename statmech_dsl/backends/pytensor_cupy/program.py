"""A placed graph as a list of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import AbstractFunctionGraph, FunctionGraph

from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.placement import Place, place


@dataclass(frozen=True)
class Call:
    """One node: what to call, with which slots, into which, and which are not needed after it."""

    function: Rule
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    done: tuple[int, ...]
    node: Apply


@dataclass(frozen=True)
class Program:
    """Calls in order. Memory on the device is given back as soon as its last reader has run."""

    initial: tuple[Any, ...]
    calls: tuple[Call, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """Run all calls."""
        slots = list(self.initial)
        for k, value in zip(self.inputs, values, strict=True):
            slots[k] = value
        for call in self.calls:
            try:
                result = call.function(*[slots[k] for k in call.inputs])
            except Exception as e:
                e.add_note(f"This happened in mode CUPY at the node {call.node}")
                raise
            if len(call.outputs) == 1:
                slots[call.outputs[0]] = result
            else:
                for k, value in zip(call.outputs, result, strict=True):
                    slots[k] = value
            for k in call.done:
                slots[k] = None
        return tuple(slots[k] for k in self.outputs)


def program(fgraph: FunctionGraph) -> Program:
    """The calls of a placed graph."""
    slot: dict[Variable, int] = {}
    initial: list[Any] = []

    def slot_of(v: Variable) -> int:
        if v not in slot:
            slot[v] = len(initial)
            initial.append(v.data if isinstance(v, Constant) else None)
        return slot[v]

    nodes = fgraph.toposort()
    last = {v: node for node in nodes for v in node.inputs}
    last |= {v: node for node in nodes for v in node.outputs if not fgraph.clients[v]}
    kept = set(fgraph.outputs)
    inputs = tuple(map(slot_of, fgraph.inputs))
    calls = []
    for node in nodes:
        mine = dict.fromkeys([*node.inputs, *node.outputs])
        done = [v for v in mine if last.get(v) is node and v not in kept]
        calls.append(
            Call(
                cupy_funcify(node.op, node),
                tuple(map(slot_of, node.inputs)),
                tuple(map(slot_of, node.outputs)),
                tuple(slot_of(v) for v in done if not isinstance(v, Constant)),
                node,
            )
        )
    outputs = tuple(map(slot_of, fgraph.outputs))
    return Program(tuple(initial), tuple(calls), inputs, outputs)


def inner_program(
    fgraph: AbstractFunctionGraph,
    places: Mapping[int, Place],
    wanted: Mapping[int, Place | None],
) -> Callable[..., tuple[Any, ...]]:
    """The calls of a graph inside an Op.

    Parameters
    ----------
    fgraph : AbstractFunctionGraph
        The inner graph.
    places : mapping of int to {"host", "device"}
        Where each input lies.
    wanted : mapping of int to {"host", "device"}
        Where each output is wanted.
    """
    thawed = fgraph.unfreeze()  # type: ignore[attr-defined]
    homes: dict[Variable, Place] = {v: places[k] for k, v in enumerate(thawed.inputs)}
    return program(place(thawed, wanted, homes))

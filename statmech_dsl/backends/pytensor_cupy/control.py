"""Graphs inside Ops: branches and loops, and checks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import Any

from pytensor.conditional.op import IfElse, LazyIfElse
from pytensor.graph.basic import Apply
from pytensor.raise_op import CheckAndRaise
from pytensor.scan.op import Scan

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.placement import (
    Place,
    host_inputs,
    inputs_by_value,
    is_small,
)
from statmech_dsl.backends.pytensor_cupy.program import inner_program
from statmech_dsl.backends.pytensor_cupy.transfers import lives_on_host


@host_inputs.register(IfElse)
@host_inputs.register(LazyIfElse)
def _condition(op: Any, node: Apply) -> Iterable[int]:
    return (0,)


@host_inputs.register
def _conditions(op: CheckAndRaise, node: Apply) -> Iterable[int]:
    return range(1, len(node.inputs))


@cupy_funcify.register
def _check(op: CheckAndRaise, node: Apply) -> Rule:
    def check(x: Any, *conditions: Any) -> Any:
        if not all(conditions):
            raise op.exc_type(op.msg)
        return x

    return check


@cupy_funcify.register
def _ifelse(op: IfElse, node: Apply) -> Rule:
    n = op.n_outs

    def choose(condition: Any, *values: Any) -> Any:
        chosen = values[:n] if condition else values[n:]
        return chosen if n > 1 else chosen[0]

    return choose


@cupy_funcify.register
def _lazy_ifelse(op: LazyIfElse, node: Apply) -> Rule:
    places = _places(node, range(1, len(node.inputs)))
    wanted: dict[int, Place | None] = dict.fromkeys(range(len(node.outputs)), "device")
    branches = [
        inner_program(branch.fgraph, places, wanted) for branch in (op.false_branch, op.true_branch)
    ]
    single = len(node.outputs) == 1

    def choose(condition: Any, *values: Any) -> Any:
        result = branches[bool(condition)](*values)
        return result[0] if single else result

    return choose


@inputs_by_value.register
def _branch_parameters(op: LazyIfElse, node: Apply) -> Iterable[int]:
    return [k for k, v in enumerate(node.inputs) if k and is_small(v)]


def _places(node: Apply, positions: Iterable[int]) -> dict[int, Place]:
    return {
        k: "host" if lives_on_host(node.inputs[p]) else "device" for k, p in enumerate(positions)
    }


@host_inputs.register
def _lengths(op: Scan, node: Apply) -> Iterable[int]:
    positions = list(range(len(node.inputs)))
    return [0, *op.outer_nitsot(positions)]


@inputs_by_value.register
def _parameters(op: Scan, node: Apply) -> Iterable[int]:
    positions = list(range(len(node.inputs)))
    return [k for k in op.outer_non_seqs(positions) if is_small(node.inputs[k])]


@cupy_funcify.register
def _scan(op: Scan, node: Apply) -> Rule:
    """A loop in Python: each step launches its kernels, and states are kept as arrays of their own."""
    cp = array_module.load()
    info = op.info
    step = _step(op, node)
    mitmot_in, mitmot_out = info.normalized_mit_mot_in_slices, info.normalized_mit_mot_out_slices
    taps = [*info.mit_sot_in_slices, *((-1,) for _ in range(info.n_sit_sot))]
    ndims = [v.type.ndim for v in op.outer_nitsot_outs(node.outputs)]  # type: ignore[attr-defined]
    dtypes = [v.type.dtype for v in op.outer_nitsot_outs(node.outputs)]  # type: ignore[attr-defined]

    def scan(*values: Any) -> Any:
        outer = list(values)
        n_steps = int(outer[0])
        sequences, constants = op.outer_seqs(outer), op.outer_non_seqs(outer)
        mitmots = [b.copy() for b in op.outer_mitmot(outer)]
        buffers = [*op.outer_mitsot(outer), *op.outer_sitsot(outer)]
        states = [
            deque([b[k] for k in range(-min(t))], maxlen=max(b.shape[0], -min(t)))
            for b, t in zip(buffers, taps, strict=True)
        ]
        traces = [deque(maxlen=int(n)) for n in op.outer_nitsot(outer)]
        untraced = list(op.outer_untraced_sit_sot(outer))
        for i in range(n_steps):
            inputs = [s[i] for s in sequences]
            inputs += [b[i + t] for b, ts in zip(mitmots, mitmot_in, strict=True) for t in ts]
            inputs += [s[t] for s, ts in zip(states, taps, strict=True) for t in ts]
            results = list(step(*inputs, *untraced, *constants))
            grouped = op.inner_mitmot_outs_grouped(results)
            for b, new, ts in zip(mitmots, grouped, mitmot_out, strict=True):
                for x, t in zip(new, ts, strict=True):
                    b[i + t] = x
            new = chain(op.inner_mitsot_outs(results), op.inner_sitsot_outs(results))
            for s, x in zip(states, new, strict=True):
                s.append(x)
            for s, x in zip(traces, op.inner_nitsot_outs(results), strict=True):
                s.append(x)
            untraced = list(op.inner_untraced_sit_sot_outs(results))
            if info.as_while and results[-1]:
                break
        kept = [cp.stack(list(s)[-b.shape[0] :]) for s, b in zip(states, buffers, strict=True)]
        traced = [
            cp.stack(list(s)) if s else cp.empty((0,) * n, d)
            for s, n, d in zip(traces, ndims, dtypes, strict=True)
        ]
        outputs = [*mitmots, *kept, *traced, *untraced]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    return scan


def _step(op: Scan, node: Apply) -> Any:
    """One step as a program; what is small and the same in all steps stays where it is."""
    n_inputs = len(op.fgraph.inputs)
    places: dict[int, Place] = dict.fromkeys(range(n_inputs), "device")
    constants = op.outer_non_seqs(list(range(len(node.inputs))))
    first = n_inputs - len(constants)
    places |= {first + k: p for k, p in _places(node, constants).items()}
    wanted: dict[int, Place | None] = dict.fromkeys(range(len(op.fgraph.outputs)), "device")
    if op.info.as_while:
        wanted[len(op.fgraph.outputs) - 1] = "host"
    return inner_program(op.fgraph, places, wanted)

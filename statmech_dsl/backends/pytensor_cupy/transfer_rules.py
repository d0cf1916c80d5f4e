"""What copies between host and device do, and Ops on the host."""

from __future__ import annotations

from typing import Any

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Constant

from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.backends.pytensor_cupy.transfers import Download, OnHost, Upload
from statmech_dsl.backends.pytensor_cupy.typify import cupy_typify, to_host


@cupy_funcify.register
def _upload(op: Upload, node: Apply) -> Rule:
    (v,) = node.inputs
    if isinstance(v, Constant):
        constant = cupy_typify(v.data)
        return lambda x: constant
    return _Remembered() if isinstance(v, SharedVariable) else cupy_typify


class _Remembered:
    """Copies the value of a shared variable once, as long as it is the same array.

    A variable that the device updates holds an array on the device: there is nothing to copy, and
    nothing to keep alive.
    """

    def __init__(self) -> None:
        self._value: Any = None
        self._copy: Any = None

    def __call__(self, value: Any) -> Any:
        if value is not self._value:
            copy = cupy_typify(value)
            self._value, self._copy = (None, None) if copy is value else (value, copy)
            return copy
        return self._copy


@cupy_funcify.register
def _download(op: Download, node: Apply) -> Rule:
    return to_host


@cupy_funcify.register
def _on_host(op: OnHost, node: Apply) -> Rule:
    inner = op.op
    plain = inner.make_node(*node.inputs)
    inner.prepare_node(plain, {}, {}, "py")
    single = len(node.outputs) == 1

    def run(*values: Any) -> Any:
        storage: list[list[Any]] = [[None] for _ in node.outputs]
        inner.perform(plain, list(values), storage)
        return storage[0][0] if single else tuple(s[0] for s in storage)

    return run

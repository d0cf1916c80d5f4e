"""The text of reductions: how two accumulators become one, and with what to begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.scalar.basic as ps

from statmech_dsl.backends.pytensor_cupy.fused import Reduction
from statmech_dsl.backends.pytensor_cupy.scalar import C_TYPES, literal

_COMBINE = {
    ps.Add: "({a}) + ({b})",
    ps.Mul: "({a}) * ({b})",
    # A NaN on either side stays.
    ps.Maximum: "({b}) > ({a}) || ({b}) != ({b}) ? ({b}) : ({a})",
    ps.Minimum: "({b}) < ({a}) || ({b}) != ({b}) ? ({b}) : ({a})",
    ps.AND: "({a}) & ({b})",
    ps.OR: "({a}) | ({b})",
}


def combine(r: Reduction, a: str, b: str) -> str:
    """C expression of two accumulators as one."""
    return f"({C_TYPES[r.acc_dtype]})({_COMBINE[type(r.scalar_op)].format(a=a, b=b)})"


def identity(r: Reduction) -> str:
    """C literal of the accumulator of no elements."""
    kind = np.dtype(r.acc_dtype)
    match r.scalar_op:
        case ps.Add() | ps.OR():
            value = 0
        case ps.Mul():
            value = 1
        case ps.AND():
            value = True if kind.kind == "b" else -1 if kind.kind == "i" else np.iinfo(kind).max
        case ps.Maximum():
            value = _extreme(kind, -1)
        case _:
            value = _extreme(kind, 1)
    return literal(value, r.acc_dtype)


def _extreme(kind: np.dtype, sign: int) -> Any:
    if kind.kind == "f":
        return sign * np.inf
    if kind.kind == "b":
        return sign > 0
    return np.iinfo(kind).max if sign > 0 else np.iinfo(kind).min


class Accumulator:
    """One C type, `sums`, for the accumulators of several reductions, each with its own rule.

    Parameters
    ----------
    reductions : sequence of Reduction
        At least one.
    """

    def __init__(self, reductions: Sequence[Reduction]) -> None:
        self._reductions = tuple(reductions)
        self._is_struct = len(self._reductions) > 1
        self.identity = "0" if self._is_struct else identity(self._reductions[0])

    @property
    def definition(self) -> str:
        """C code that defines the type and `merged`."""
        if not self._is_struct:
            (r,) = self._reductions
            return f"""typedef {C_TYPES[r.acc_dtype]} sums;
__device__ sums merged(sums a, sums b) {{ return {combine(r, "a", "b")}; }}"""
        rs = list(enumerate(self._reductions))
        members = " ".join(f"{C_TYPES[r.acc_dtype]} v{k};" for k, r in rs)
        begin = ", ".join(f"v{k}({identity(r)})" for k, r in rs)
        arguments = ", ".join(f"{C_TYPES[r.acc_dtype]} a{k}" for k, r in rs)
        copies = ", ".join(f"v{k}(a{k})" for k, _ in rs)
        merged = ", ".join(combine(r, f"a.v{k}", f"b.v{k}") for k, r in rs)
        return f"""struct sums {{
    {members}
    __device__ sums() {{}}
    __device__ sums(int) : {begin} {{}}
    __device__ sums({arguments}) : {copies} {{}}
}};
__device__ sums merged(const sums& a, const sums& b) {{ return sums({merged}); }}"""

    def of(self, values: Sequence[str]) -> str:
        """C expression of the accumulators of single elements."""
        types = [C_TYPES[r.acc_dtype] for r in self._reductions]
        cast = [f"({t}){v}" for t, v in zip(types, values, strict=True)]
        return f"sums({', '.join(cast)})" if self._is_struct else cast[0]

    def stores(self, outs: Sequence[str]) -> str:
        """C expression that stores accumulator a."""
        if not self._is_struct:
            return f"{outs[0]} = a"
        return ", ".join(f"{o} = a.v{k}" for k, o in enumerate(outs))

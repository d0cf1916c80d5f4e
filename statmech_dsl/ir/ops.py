"""The operations of scalar expressions: their meaning in Python.

A backend spells each of them in its own language with the same bits: the arithmetic of IEEE 754 and the
functions of `elementary`, which are sums and products in a fixed order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from statmech_dsl.ir import elementary as el
from statmech_dsl.ir import elementary_float32 as el32

Real = Literal["float64", "float32"]
"""Precision of arithmetic."""


def _divided_by_zero(a: float, b: float) -> float:
    """The quotient as IEEE 754 has it, where Python raises."""
    return math.copysign(math.inf, a) * math.copysign(1.0, b) if a and a == a else math.nan


OPS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else _divided_by_zero(a, b),
    "neg": lambda a: -a,
    "sqr": lambda a: a * a,
    "abs": abs,
    "sign": lambda a: float(a > 0) - float(a < 0),
    "floor": lambda a: float(math.floor(a)) if math.isfinite(a) else a,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "min": lambda a, b: a if a < b else b,
    "max": lambda a, b: a if a > b else b,
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "where": lambda c, a, b: a if c != 0 else b,
    "single": lambda a: float(np.float32(a)),
    "weight2": el.weight2,
    "exp2": el.exp2,
    "exp": el.exp,
    "log": el.log,
    "sin": el.sin,
    "cos": el.cos,
    "atan2": el.atan2,
}
"""In float64. ``single`` rounds to float32."""


def _in_float32(name: str) -> Callable[..., Any]:
    """An operation in float32; one step of float64 with float32 numbers rounds to the right result."""
    if (steps := getattr(el32, name, None)) is not None:
        return lambda *a: steps(*(np.float32(x) for x in a))
    return lambda *a: np.float32(OPS[name](*(float(x) for x in a)))


NUMBERS: dict[str, tuple[Callable[..., Any], dict[str, Callable[..., Any]]]] = {
    "float64": (lambda x: x, OPS),
    "float32": (np.float32, {name: _in_float32(name) for name in OPS}),
}
"""For each precision how it reads a number, and its operations."""
COMMUTATIVE = frozenset({"add", "mul", "min", "max", "eq", "ne"})
EVEN = frozenset({"sqr", "abs", "cos"})

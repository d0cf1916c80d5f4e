"""Expressions in the language of generated kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.ops import Real

_SPELLING = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "neg": "(-{})",
    "sqr": "square({})",
    "abs": "abs({})",
    "sign": "sign({})",
    "floor": "np.floor({})",
    "sqrt": "np.sqrt({})",
    "min": "minimum({}, {})",
    "max": "maximum({}, {})",
    "weight2": "weight2({})",
    "exp2": "exp2({})",
    "exp": "exp({})",
    "log": "log({})",
    "sin": "sin({})",
    "cos": "cos({})",
    "atan2": "atan2({}, {})",
    "single": "np.float64(np.float32({}))",
}
EXPENSIVE = frozenset({"atan2", "cos", "exp", "exp2", "log", "sin", "weight2"})
_SPELLING_FLOAT32 = _SPELLING | {
    name: _SPELLING[name].replace("(", "f(", 1) for name in (*EXPENSIVE, "sign")
}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}
RUNTIME_NAMES = ", ".join(
    sorted(
        EXPENSIVE
        | {
            "draw",
            "lookup",
            "maximum",
            "minimum",
            "philox",
            "row",
            "seed_replicas",
            "share",
            "sign",
        }
        | {"square", "tile_words", "uniform"}
    )
)
"""What generated modules import from `runtime`."""
RUNTIME_NAMES_FLOAT32 = ", ".join(
    sorted({f"{name}f" for name in EXPENSIVE | {"sign", "uniform"}} | {"fma32", "top24"})
)
"""What they import from `runtime_float32`: there the names end in f."""


class Shared:
    """Binds each different call of an expensive function to a variable, once for a loop body.

    Left to LLVM, equal calls are inlined many times over, and the loop becomes too large to vectorize.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._variables: dict[str, str] = {}

    def bind(self, call: str) -> str:
        """Variable that holds the value of a call; its line comes before the line that uses it."""
        if call not in self._variables:
            self._variables[call] = f"x{len(self._variables)}"
            self._lines.append(f"{self._variables[call]} = {call}")
        return self._variables[call]

    def take(self) -> list[str]:
        """Lines that bind the calls since the last time."""
        lines, self._lines = self._lines, []
        return lines


def spell(
    e: Expr,
    leaf: Callable[[Expr], str | None],
    shared: Shared | None = None,
    real: Real = "float64",
) -> str:
    """Print an expression; ``leaf`` prints slots, names, and whatever else is at hand already."""
    known = leaf(e)
    if known is not None:
        return known

    def of(x: Expr) -> str:
        return spell(x, leaf, shared, real)

    if e.op == "const":
        return number(e.attr, real)  # type: ignore[arg-type]
    if e.op == "table":
        return f"lookup(law_table, law_low, law_inverse, {of(e.args[0])})"
    if e.op == "where":
        return f"({of(e.args[1])} if {_condition(e.args[0], of, real)} else {of(e.args[2])})"
    if e.op in _COMPARE:
        return f"({number(1.0, real)} if {_condition(e, of, real)} else {number(0.0, real)})"
    spelling = _SPELLING_FLOAT32 if real == "float32" else _SPELLING
    text = spelling[e.op].format(*(of(x) for x in e.args))
    return shared.bind(text) if shared and e.op in EXPENSIVE else text


def _condition(e: Expr, of: Callable[[Expr], str], real: Real) -> str:
    if e.op in _COMPARE:
        return f"{of(e.args[0])} {_COMPARE[e.op]} {of(e.args[1])}"
    return f"{of(e)} != {number(0.0, real)}"


def number(x: float, real: Real = "float64") -> str:
    """A constant; a plain Python number would make an expression of float32 one of float64."""
    if real == "float32":
        return f"np.float32({number(x)})"
    if math.isnan(x):
        return "np.nan"
    if math.isinf(x):
        return "np.inf" if x > 0 else "(-np.inf)"
    return repr(x) if x >= 0 and not (x == 0 and math.copysign(1, x) < 0) else f"({x!r})"

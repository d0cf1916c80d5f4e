"""Expressions in the language of generated kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

from statmech_dsl.ir.expr import Expr

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
}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}
EXPENSIVE = frozenset({"atan2", "cos", "exp", "exp2", "log", "sin", "weight2"})
RUNTIME_NAMES = ", ".join(
    sorted(
        EXPENSIVE
        | {"lookup", "maximum", "minimum", "philox", "seed_tile", "sfc32", "sign", "square"}
        | {"tile_words", "uniform"}
    )
)
"""What generated modules import from `runtime`."""


class Shared:
    """Binds each different call of an expensive function to a variable, once for a loop body.

    Left to LLVM, equal calls are inlined many times over, and the loop becomes too large to vectorize.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._variables: dict[str, str] = {}

    def bind(self, call: str) -> str:
        """Variable that holds the value of a call; its line comes before the line that uses it."""
        if call not in self._variables:
            self._variables[call] = f"x{len(self._variables)}"
            self.lines.append(f"{self._variables[call]} = {call}")
        return self._variables[call]


def spell(
    e: Expr,
    slot: Callable[[int], str],
    name: Callable[[str], str],
    shared: Shared | None = None,
) -> str:
    """Print an expression; ``slot`` and ``name`` print its leaves."""

    def of(x: Expr) -> str:
        return spell(x, slot, name, shared)

    if e.op == "const":
        return _number(e.attr)  # type: ignore[arg-type]
    if e.op == "slot":
        return slot(e.attr)  # type: ignore[arg-type]
    if e.op == "read":
        return name(e.attr)  # type: ignore[arg-type]
    if e.op == "table":
        return f"lookup(law_table, law_low, law_inverse, {of(e.args[0])})"
    if e.op == "where":
        return f"({of(e.args[1])} if {_condition(e.args[0], of)} else {of(e.args[2])})"
    if e.op in _COMPARE:
        return f"(1.0 if {_condition(e, of)} else 0.0)"
    text = _SPELLING[e.op].format(*(of(x) for x in e.args))
    return shared.bind(text) if shared and e.op in EXPENSIVE else text


def _condition(e: Expr, of: Callable[[Expr], str]) -> str:
    if e.op in _COMPARE:
        return f"{of(e.args[0])} {_COMPARE[e.op]} {of(e.args[1])}"
    return f"{of(e)} != 0.0"


def _number(x: float) -> str:
    if math.isnan(x):
        return "np.nan"
    if math.isinf(x):
        return "np.inf" if x > 0 else "(-np.inf)"
    return repr(x) if x >= 0 and not (x == 0 and math.copysign(1, x) < 0) else f"({x!r})"

"""Expressions in CUDA C."""

from __future__ import annotations

from collections.abc import Callable

from statmech_dsl.backends.cupy_gpu import translate
from statmech_dsl.backends.cupy_gpu.runtime import PREFIX
from statmech_dsl.backends.numba_cpu.spell import EXPENSIVE
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.ops import Real

Lines = list[str]
Leaf = Callable[[Expr], str | None]
C_TYPES = {
    "float64": "double",
    "float32": "float",
    "int8": "i8",
    "int16": "i16",
    "uint32": "u32",
}
_SPELLING = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "neg": "(-{})",
    "sqr": "square({})",
    "abs": "fabs({})",
    "sign": "sign({})",
    "floor": "floor({})",
    "sqrt": "sqrt({})",
    "min": "minimum({}, {})",
    "max": "maximum({}, {})",
    "single": "((double)(float){})",
}
_SINGLE = {"abs": "fabsf({})", "floor": "floorf({})", "sqrt": "sqrtf({})"}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}


class Shared:
    """Binds each different call of an expensive function to a variable, once for a block of code."""

    def __init__(self, tag: str = "x") -> None:
        self._tag = tag
        self._lines: Lines = []
        self._variables: dict[str, str] = {}

    def bind(self, call: str, real: Real) -> str:
        """Variable that holds the value of a call; its line comes before the line that uses it."""
        if call not in self._variables:
            self._variables[call] = f"{self._tag}{len(self._variables)}"
            self._lines.append(f"const {C_TYPES[real]} {self._variables[call]} = {call};")
        return self._variables[call]

    def take(self) -> Lines:
        """Lines that bind the calls since the last time."""
        lines, self._lines = self._lines, []
        return lines


def spell(e: Expr, leaf: Leaf, shared: Shared, real: Real = "float64", fast: bool = False) -> str:
    """Print an expression; ``leaf`` prints slots, names, and whatever else is at hand already.

    Where it may be ``fast``, in the field tier, the last bits of functions do not matter.
    """
    known = leaf(e)
    if known is not None:
        return known

    def of(x: Expr) -> str:
        return spell(x, leaf, shared, real, fast)

    if e.op == "const":
        return number(e.attr, real)  # type: ignore[arg-type]
    if e.op == "table":
        return f"lookup(law_table, law_size, law_low, law_inverse, {of(e.args[0])})"
    if e.op == "where":
        return f"({_condition(e.args[0], of, real)} ? {of(e.args[1])} : {of(e.args[2])})"
    if e.op in _COMPARE:
        return f"(({C_TYPES[real]})({_condition(e, of, real)}))"
    arguments = [of(x) for x in e.args]
    if e.op not in EXPENSIVE:
        spelling = _SINGLE.get(e.op) if real == "float32" else None
        return (spelling or _SPELLING[e.op]).format(*arguments)
    name = f"fast_{e.op}" if fast else f"{PREFIX[real]}{e.op}"
    return shared.bind(f"{name}({', '.join(arguments)})", real)


def _condition(e: Expr, of: Callable[[Expr], str], real: Real) -> str:
    if e.op in _COMPARE:
        return f"{of(e.args[0])} {_COMPARE[e.op]} {of(e.args[1])}"
    return f"{of(e)} != {number(0.0, real)}"


def number(x: float, real: Real = "float64") -> str:
    """A constant."""
    return translate.number(x, C_TYPES[real])


def indent(lines: Lines, levels: int = 1) -> Lines:
    """Lines moved to the right."""
    return ["    " * levels + line for line in lines]


def block(head: str, body: Lines) -> Lines:
    """A statement that governs a block."""
    return [f"{head} {{", *indent(body), "}"]

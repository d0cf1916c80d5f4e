"""Sums of whole numbers: exact in any order, so that they may be added up as integers."""

from __future__ import annotations

from collections.abc import Callable

from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Family, ModelIR

LARGEST = 2**28
"""Largest instance whose sums, of 2^25 instances at most, are exact in float64."""
_SPELLING = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "neg": "(-{})",
    "sqr": "square({})",
    "eq": "np.int64({} == {})",
    "ne": "np.int64({} != {})",
    "lt": "np.int64({} < {})",
    "le": "np.int64({} <= {})",
}


def is_whole(e: Expr, f: Family, model: ModelIR) -> bool:
    """Whether an expression over a family's columns always is a whole number, and not a large one."""
    bound = _bound(e, f, model)
    return bound is not None and bound <= LARGEST


def spell_whole(e: Expr, slot: Callable[[int], str]) -> str:
    """Print an expression in integers."""
    if e.op == "const":
        return f"np.int64({int(e.attr)})"  # type: ignore[arg-type]
    if e.op == "slot":
        return slot(e.attr)  # type: ignore[arg-type]
    return _SPELLING[e.op].format(*(spell_whole(x, slot) for x in e.args))


def _bound(e: Expr, f: Family, model: ModelIR) -> float | None:
    """Largest absolute value, None if it need not be whole."""
    if e.op == "const":
        return abs(e.attr) if float(e.attr).is_integer() else None  # type: ignore[arg-type]
    if e.op == "slot":
        c = f.columns[e.attr]  # type: ignore[index]
        values = model.variable(c.array).domain.values if c.kind == "state" else None
        whole = values is not None and all(float(x).is_integer() for x in values)
        return max(map(abs, values)) if values and whole else None
    bounds = [_bound(x, f, model) for x in e.args]
    if e.op not in _SPELLING or None in bounds:
        return None
    match e.op, bounds:
        case (("add" | "sub"), (x, y)):
            return x + y  # type: ignore[operator]
        case "mul", (x, y):
            return x * y  # type: ignore[operator]
        case "neg", (x,):
            return x
        case "sqr", (x,):
            return x * x  # type: ignore[operator]
    return 1.0

"""Derivatives of scalar expressions."""

from __future__ import annotations

import math
from collections.abc import Callable

from statmech_dsl.ir.expr import Expr, call, const, slots_of
from statmech_dsl.lower.recovery.scalar_ops import tanh


class NotDifferentiable(Exception):
    """An expression jumps where it depends on a variable."""


def derivative(e: Expr, k: int) -> Expr:
    """Derivative with respect to slot k; where a function has a kink, that of one side.

    Raises
    ------
    NotDifferentiable
        The expression jumps as a function of the slot.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> derivative(call("sqr", slot(0) - slot(1)), 0) == 2.0 * (slot(0) - slot(1))
    True
    """
    if k not in slots_of(e):
        return const(0.0)
    a = e.args
    if e.op == "slot":
        return const(1.0)
    if e.op == "mul" and (x := _argument_of_tanh(e)) is not None:
        return (1.0 - call("sqr", e)) * derivative(x, k)
    if e.op == "where" and k not in slots_of(a[0]):
        return call("where", a[0], derivative(a[1], k), derivative(a[2], k))
    if e.op not in _RULES:
        raise NotDifferentiable(f"it holds {_NAMES.get(e.op, e.op)}, which jumps")
    return _RULES[e.op](*a, *(derivative(x, k) for x in a))


def _argument_of_tanh(e: Expr) -> Expr | None:
    """The x of tanh(x), which is written as a product with the sign of x."""
    signs = [x.args[0] for x in e.args if x.op == "sign"]
    return signs[0] if signs and tanh(signs[0]) == e else None


_NAMES = {"eq": "an equality", "ne": "an inequality", "lt": "a comparison", "le": "a comparison"}
_NAMES |= {"where": "a choice", "floor": "a whole part or a remainder", "sign": "a sign"}

_RULES: dict[str, Callable[..., Expr]] = {
    "add": lambda x, y, dx, dy: dx + dy,
    "sub": lambda x, y, dx, dy: dx - dy,
    "mul": lambda x, y, dx, dy: dx * y + x * dy,
    "div": lambda x, y, dx, dy: dx / y - dy * (x / call("sqr", y)),
    "neg": lambda x, dx: -dx,
    "sqr": lambda x, dx: 2.0 * (x * dx),
    "sqrt": lambda x, dx: dx / (2.0 * call("sqrt", x)),
    "abs": lambda x, dx: call("sign", x) * dx,
    "min": lambda x, y, dx, dy: call("where", call("lt", x, y), dx, dy),
    "max": lambda x, y, dx, dy: call("where", call("lt", y, x), dx, dy),
    "exp": lambda x, dx: call("exp", x) * dx,
    "exp2": lambda x, dx: math.log(2.0) * (call("exp2", x) * dx),
    "log": lambda x, dx: dx / x,
    "sin": lambda x, dx: call("cos", x) * dx,
    "cos": lambda x, dx: -(call("sin", x) * dx),
    "atan2": lambda y, x, dy, dx: (x * dy - y * dx) / (call("sqr", x) + call("sqr", y)),
}

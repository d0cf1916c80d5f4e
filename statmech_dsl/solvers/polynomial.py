"""Expressions as polynomials of second order in some of their slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.expr import Expr
from statmech_dsl.solvers.evaluate import evaluate

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Polynomial:
    """``constant + sum_k linear[k] x_k + sum_{k<=l} second[k, l] x_k x_l``; coefficients are arrays."""

    constant: np.ndarray
    linear: dict[int, np.ndarray]
    second: dict[Pair, np.ndarray]

    def plus(self, other: Polynomial, factor: float = 1.0) -> Polynomial:
        """Add a multiple of another one."""
        return Polynomial(
            self.constant + factor * other.constant,
            _merged(self.linear, other.linear, factor),
            _merged(self.second, other.second, factor),
        )

    def scaled(self, x: np.ndarray) -> Polynomial:
        """Multiply by numbers."""
        return Polynomial(
            self.constant * x,
            {k: v * x for k, v in self.linear.items()},
            {k: v * x for k, v in self.second.items()},
        )

    @property
    def is_number(self) -> bool:
        """Whether no slot occurs."""
        return not self.linear and not self.second

    def times(self, other: Polynomial) -> Polynomial | None:
        """Multiply by another one; None if the order is above the second."""
        if other.is_number:
            return self.scaled(other.constant)
        if self.is_number:
            return other.scaled(self.constant)
        if self.second or other.second:
            return None
        second: dict[Pair, np.ndarray] = {}
        for k, x in self.linear.items():
            for m, y in other.linear.items():
                key = (min(k, m), max(k, m))
                second[key] = second.get(key, 0.0) + x * y
        linear = _merged(
            self.scaled(other.constant).linear, other.scaled(self.constant).linear, 1.0
        )
        return Polynomial(self.constant * other.constant, linear, second)


def polynomial(e: Expr, slots: Sequence[np.ndarray | None]) -> Polynomial | None:
    """Expand an expression; None if it is no polynomial of at most second order.

    Parameters
    ----------
    e : Expr
        The expression.
    slots : sequence of ndarray or None
        What slots hold, None for those that are variables.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import call, slot
    >>> p = polynomial(call("sqr", slot(0) - slot(1)), [None, None])
    >>> {k: float(x) for k, x in p.second.items()}
    {(0, 0): 1.0, (0, 1): -2.0, (1, 1): 1.0}
    """
    if e.op == "slot" and slots[e.attr] is None:  # type: ignore[index]
        return Polynomial(np.zeros(()), {e.attr: np.ones(())}, {})  # type: ignore[dict-item]
    if not e.args:
        return Polynomial(evaluate(e, slots), {}, {})  # type: ignore[arg-type]
    parts = [polynomial(x, slots) for x in e.args]
    if any(p is None for p in parts):
        return None
    if all(p.is_number for p in parts):  # type: ignore[union-attr]
        known = [np.zeros(()) if x is None else x for x in slots]
        return Polynomial(evaluate(e, known), {}, {})
    match e.op, *parts:
        case "add", Polynomial() as a, Polynomial() as b:
            return a.plus(b)
        case "sub", Polynomial() as a, Polynomial() as b:
            return a.plus(b, -1.0)
        case "neg", Polynomial() as a:
            return a.scaled(-np.ones(()))
        case "mul", Polynomial() as a, Polynomial() as b:
            return a.times(b)
        case "sqr", Polynomial() as a:
            return a.times(a)
        case "div", Polynomial() as a, Polynomial() as b if b.is_number:
            return a.scaled(1.0 / b.constant)
    return None


def _merged(a: dict, b: dict, factor: float) -> dict:
    return {k: a.get(k, 0.0) + factor * b.get(k, 0.0) for k in {**a, **b}}

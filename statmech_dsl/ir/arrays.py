"""Expressions evaluated by NumPy for many values at once, where a few units in the last place do not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from statmech_dsl.ir.expr import Expr


def _indicator(compare: np.ufunc) -> Callable[..., np.ndarray]:
    return lambda a, b: np.asarray(compare(a, b), np.float64)


ARRAY_OPS: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "sqr": np.square,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "min": np.minimum,
    "max": np.maximum,
    "eq": _indicator(np.equal),
    "ne": _indicator(np.not_equal),
    "lt": _indicator(np.less),
    "le": _indicator(np.less_equal),
    "where": lambda c, a, b: np.where(c != 0, a, b),
    "single": lambda a: np.asarray(a).astype(np.float32).astype(np.float64),
    "weight2": np.exp2,
    "exp2": np.exp2,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "atan2": lambda y, x: np.arctan2(y + 0.0, x + 0.0),
}
"""The operations of `statmech_dsl.ir.ops` on arrays."""


def evaluate(
    e: Expr, slots: Sequence[np.ndarray], env: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """Value of an expression whose slots and names hold arrays; they broadcast.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> evaluate(-2.0 * slot(0) * slot(1), [np.array([1.0, -1.0]), np.array([[1.0], [3.0]])])
    array([[-2.,  2.],
           [-6.,  6.]])
    """
    if e.op == "const":
        return np.float64(e.attr)  # type: ignore[arg-type]
    if e.op == "slot":
        return slots[e.attr]  # type: ignore[index]
    if e.op == "read":
        return (env or {})[e.attr]  # type: ignore[index]
    with np.errstate(all="ignore"):  # NaN and infinity are what they are: callers look for them
        return ARRAY_OPS[e.op](*(evaluate(x, slots, env) for x in e.args))


def distinct_rows(columns: Sequence[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """The different rows of n rows of numbers, and which of them each row is.

    Examples
    --------
    >>> rows, which = distinct_rows([np.array([2.0, 1.0, 2.0])], 3)
    >>> rows.tolist(), which.tolist()
    ([[1.0], [2.0]], [1, 0, 1])
    """
    if all(np.all(c == c[0]) for c in columns):
        return np.array([[c[0] for c in columns]]).reshape(1, -1), np.zeros(n, np.int64)
    if len(columns) == 1:  # many times faster than rows
        found, which = np.unique(columns[0], return_inverse=True)
        return found[:, None], which
    found, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return found, which.reshape(-1)

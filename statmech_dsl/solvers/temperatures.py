"""The arguments ``T`` and ``beta``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError

DEFAULT = 1.0
"""Temperature unless one is given."""


def inverse_temperatures(T: ArrayLike, beta: ArrayLike | None) -> np.ndarray:
    """beta as a number (0 axes) or a list (1 axis), from ``T`` or ``beta``.

    Raises
    ------
    ArgumentError
        Both are given, or one is empty, not a number or out of range.

    Examples
    --------
    >>> inverse_temperatures([1.0, 2.0], None)
    array([1. , 0.5])
    """
    if beta is None:
        temperature = _numbers("T", T)
        if not np.all((temperature > 0) & np.isfinite(temperature)):
            raise ArgumentError(
                "T is not positive and finite",
                where=f"T={T!r}",
                mend="use T > 0; beta=0 is infinite temperature",
            )
        return 1.0 / temperature
    if not np.array_equal(T, DEFAULT):  # type: ignore[arg-type]
        raise ArgumentError(
            "both T and beta are given", where=f"T={T!r}, beta={beta!r}", mend="give one of them"
        )
    inverse = _numbers("beta", beta)
    if not np.all((inverse >= 0) & np.isfinite(inverse)):
        raise ArgumentError(
            "beta is negative or not finite", where=f"beta={beta!r}", mend="use beta >= 0"
        )
    return inverse


def _numbers(name: str, given: ArrayLike) -> np.ndarray:
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim > 1 or not numbers.size:
        raise ArgumentError(
            f"{name} is neither a number nor a list of numbers",
            where=f"{name}={given!r}",
            mend=f"use {name}=2.0 or {name}=[1.0, 2.0]",
        )
    return numbers

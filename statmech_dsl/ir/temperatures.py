"""The arguments ``T`` and ``beta`` of all verbs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Temperatures:
    """T and beta = 1 / T, both a number (no axis) or a list (one axis)."""

    T: np.ndarray
    beta: np.ndarray


def temperatures(T: ArrayLike, beta: ArrayLike | None, tempered: bool) -> Temperatures:
    """Read ``T`` or ``beta``; ``tempered`` tells whether the model has an Energy.

    Raises
    ------
    ArgumentError
        Both are given, or one is empty, no number or out of range, or T divides nothing.

    Examples
    --------
    >>> temperatures([1.0, 2.0], None, tempered=True).beta
    array([1. , 0.5])
    """
    if beta is not None and not (isinstance(T, int | float) and T == 1.0):
        raise ArgumentError(
            "T= and beta= are both given", where=f"T={T!r}, beta={beta!r}", mend="give one of them"
        )
    name, given = ("T", T) if beta is None else ("beta", beta)
    where = f"{name}={given!r}"
    try:
        x = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        x = np.zeros(0)
    if x.ndim > 1 or not x.size:
        mend = f"use {name}=2.0 or {name}=[1.0, 2.0]"
        raise ArgumentError(
            f"{name}= is empty, or no number and no list of numbers", where=where, mend=mend
        )
    if not np.all(np.isfinite(x) & (x > 0 if name == "T" else x >= 0)):
        mend = "beta=0 is infinite temperature"
        allowed = "positive" if name == "T" else "not negative"
        raise ArgumentError(f"{name} must be finite and {allowed}", where=where, mend=mend)
    if not tempered and np.any(x != 1.0):
        raise ArgumentError(
            "the model has no Energy, so that T divides nothing",
            where=where,
            mend="leave T at 1, or declare the terms with sm.Energy",
        )
    with np.errstate(divide="ignore"):
        inverse = 1.0 / x
    return Temperatures(x, inverse) if name == "T" else Temperatures(inverse, x)

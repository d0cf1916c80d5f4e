"""Arguments that all runs share: temperatures and counts, checked in one place."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Temperatures:
    """Temperatures of a run; ``many`` tells a list (a dimension in the results) from one number."""

    T: np.ndarray
    beta: np.ndarray
    many: bool


def temperatures(T: ArrayLike | None, beta: ArrayLike | None, tempered: bool) -> Temperatures:
    """Read ``T=`` or ``beta=``; ``tempered`` tells whether the model has an Energy.

    Raises
    ------
    ArgumentError
        Both or neither make sense: T <= 0, empty, NaN, or T for a model without an Energy.
    """
    if beta is not None and not (isinstance(T, int | float) and T == 1.0):
        raise ArgumentError("T= and beta= are both given", mend="give one of them")
    name, given = ("T", T) if beta is None else ("beta", beta)
    try:
        x = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name}={given!r} is no number and no list of numbers") from None
    if x.ndim > 1 or x.size == 0:
        raise ArgumentError(
            f"{name}= is empty or has several dimensions", where=f"{name}={given!r}"
        )
    low = x <= 0 if name == "T" else x < 0
    if np.any(low | ~np.isfinite(x)):
        bad = x[low | ~np.isfinite(x)].ravel()[0]
        raise ArgumentError(
            f"{name} must be finite and {'positive' if name == 'T' else 'not negative'}",
            where=f"{name}={bad}",
        )
    if not tempered and np.any(x != 1.0):
        raise ArgumentError(
            "the model has no Energy, so there is nothing that T divides",
            where=f"{name}={given!r}",
            mend="leave T at 1, or declare the terms with sm.Energy",
        )
    flat = np.atleast_1d(x)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / flat
    return Temperatures(*((flat, inverse) if name == "T" else (inverse, flat)), many=x.ndim == 1)


def count(name: str, value: object, least: int) -> int:
    """A whole number that is at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or int(value) < least:
        raise ArgumentError(f"{name} must be a whole number >= {least}", where=f"{name}={value!r}")
    return int(value)


def seed_of(seed: object) -> int:
    """The given seed, or a fresh one of 63 bits, which the results record."""
    if seed is None:
        return secrets.randbits(63)
    if (
        isinstance(seed, bool)
        or not isinstance(seed, int | np.integer)
        or not 0 <= int(seed) < 2**64
    ):
        raise ArgumentError("seed must be a whole number, 0 <= seed < 2^64", where=f"seed={seed!r}")
    return int(seed)

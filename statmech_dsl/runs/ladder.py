"""The temperatures of a ladder: given, or placed so that all neighbors swap equally often."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.rng import LADDER_BITS

FIRST = 8
"""Temperatures of the first round of tuning."""
FLAT = 1e-6
"""Added to each rejection, so that a barrier is strictly increasing."""


def read_ladder(T: ArrayLike, beta: ArrayLike | None, tempered: bool) -> tuple[np.ndarray, bool]:
    """Inverse temperatures, the largest first, and whether they are only the two ends of a range.

    A tuple of two numbers is a range, everything else a ladder.

    Raises
    ------
    ArgumentError
        There is one temperature only, or one twice.

    Examples
    --------
    >>> read_ladder((0.5, 2.0), None, tempered=True)
    (array([2. , 0.5]), True)
    >>> read_ladder(1.0, [0.0, 1.0, 2.0], tempered=True)
    (array([2., 1., 0.]), False)
    """
    given = T if beta is None else beta
    found = np.sort(temperatures(T, beta, tempered).beta.reshape(-1))[::-1]
    if len(found) < 2 or (np.diff(found) == 0).any():
        name = "T" if beta is None else "beta"
        raise ArgumentError(
            "a ladder needs two temperatures or more, and none of them twice",
            where=f"{name}={given!r}",
            mend=f"use {name}=(low, high), or a list of all rungs",
        )
    return found, isinstance(given, tuple) and len(found) == 2


def first_ladder(high: float, low: float) -> np.ndarray:
    """Inverse temperatures to begin with: in even ratios, or in even steps down to 0."""
    if low == 0:
        return np.linspace(high, 0.0, FIRST)
    x = np.geomspace(high, low, FIRST)
    x[0], x[-1] = high, low
    return x


def equal_rejections(beta: np.ndarray, rejection: np.ndarray) -> np.ndarray:
    """Place a ladder anew, from the rejections between the neighbors of another one.

    The sum of the rejections up to a temperature is the barrier, a function of the temperature that is
    nearly the same for all ladders. Even steps of it make all rejections equal; half of all swaps are
    rejected where there are twice as many steps as the barrier is high, which lets replicas travel
    fastest for the work (Syed, Bouchard-Cote, Deligiannidis and Doucet, J. R. Stat. Soc. B 84, 321, 2022).

    Examples
    --------
    >>> equal_rejections(np.array([2.0, 1.0, 0.0]), np.array([0.9, 0.6])).round(2)
    array([2.  , 1.65, 1.2 , 0.66, 0.  ])
    """
    barrier = np.concatenate([[0.0], np.cumsum(rejection + FLAT)])
    n = max(2, math.ceil(2 * barrier[-1]) + 1)
    if n > 1 << LADDER_BITS:
        raise ArgumentError(
            f"the ladder would need {n} temperatures: its ends have too little in common",
            where=f"beta from {beta[-1]:g} to {beta[0]:g}",
            mend="choose a smaller range, or a smaller system",
        )
    placed = PchipInterpolator(barrier, beta)(np.linspace(0.0, barrier[-1], n))
    placed[0], placed[-1] = beta[0], beta[-1]
    return placed

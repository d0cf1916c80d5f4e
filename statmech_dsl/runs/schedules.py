"""Annealing schedules: inverse temperatures, and the sweeps at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.temperatures import temperatures

KINDS = ("constant_speed", "geometric", "linear")
Schedule = str | ArrayLike
"""One of these, or the inverse temperatures themselves."""
STEPS = 64
"""Different temperatures, at most: to change them takes as long as some sweeps."""


@dataclass(frozen=True)
class Range:
    """Inverse temperatures of the hot and the cold end, and what a linear schedule is linear in."""

    hot: float
    cold: float
    linear_in: Literal["T", "beta"] = "beta"


def given_range(T: ArrayLike | None, beta: ArrayLike | None) -> Range | None:
    """Read ``T=(high, low)`` or ``beta=(low, high)``, in any order; None if neither is given."""
    if T is None and beta is None:
        return None
    at = temperatures(1.0 if T is None else T, beta, tempered=True)
    name = "T" if beta is None else "beta"
    if at.beta.shape != (2,) or at.beta[0] == at.beta[1]:
        raise ArgumentError(
            f"{name}= is the range of the annealing: two different numbers",
            where=f"{name}={T if beta is None else beta!r}",
            mend="give T=(high, low), and a list of temperatures as schedule=1 / T",
        )
    return Range(float(at.beta.min()), float(at.beta.max()), name)


def given_betas(schedule: ArrayLike, sweeps: int) -> np.ndarray:
    """Read inverse temperatures."""
    try:
        betas = np.asarray(schedule, np.float64)
    except (TypeError, ValueError):
        betas = np.zeros(0)
    if betas.ndim != 1 or not betas.size or not np.all(np.isfinite(betas) & (betas >= 0)):
        raise ArgumentError(
            "schedule= is no list of inverse temperatures >= 0",
            where=f"schedule={schedule!r}",
            mend="give beta = 1 / T of every step, or 'linear', 'geometric' or 'constant_speed'",
        )
    if len(betas) > sweeps:
        raise ArgumentError(
            f"schedule= has {len(betas)} temperatures for {sweeps} sweeps",
            mend="give at least one sweep to each",
        )
    return betas


def spaced(kind: str, ends: Range, n: int) -> np.ndarray:
    """Inverse temperatures of a linear or geometric schedule.

    Examples
    --------
    >>> spaced("geometric", Range(0.5, 2.0), 3)
    array([0.5, 1. , 2. ])
    >>> spaced("linear", Range(0.5, 2.0, "T"), 3).round(2)
    array([0.5, 0.8, 2. ])
    """
    if kind == "geometric" or ends.linear_in == "T":
        if ends.hot == 0:
            raise ArgumentError(
                "a geometric schedule cannot begin at beta = 0",
                mend="begin at a small beta, or use schedule='linear'",
            )
        if kind == "geometric":
            return np.geomspace(ends.hot, ends.cold, n)
        return 1 / np.linspace(1 / ends.hot, 1 / ends.cold, n)
    return np.linspace(ends.hot, ends.cold, n)


def constant_speed(betas: np.ndarray, energies: np.ndarray, n: int) -> np.ndarray:
    """Inverse temperatures at equal thermodynamic distances, in units of the relaxation time.

    A step in beta moves the distribution of the energy by (its standard deviation) x (step), in units of its
    own width; so many relaxation times it needs (Salamon et al. 1988). ``energies`` are means at ``betas``:
    their slope is minus the variance, and unlike the spread of frozen systems it vanishes where nothing moves
    any more. Relaxation slows down in the cold. How, depends on the model; a factor sqrt(beta) served glasses
    of all kinds better than none and than a factor of beta.

    Examples
    --------
    Most steps where the energy falls:

    >>> constant_speed(np.array([1.0, 2.0, 4.0]), np.array([0.0, -4.0, -4.5]), 5).round(2)
    array([1.  , 1.43, 1.85, 2.79, 4.  ])
    """
    middle = np.sqrt((betas[1:] + betas[:-1]) / 2)
    falls = -np.diff(np.minimum.accumulate(energies))
    steps = np.sqrt(falls * np.diff(betas)) * middle
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    if distance[-1] == 0:
        return np.linspace(betas[0], betas[-1], n)
    rising = np.append(True, steps > 0)
    return np.interp(np.linspace(0, distance[-1], n), distance[rising], betas[rising])


def sweeps_of_steps(sweeps: int, steps: int) -> np.ndarray:
    """Sweeps of each step, as equal as whole numbers can be.

    Examples
    --------
    >>> sweeps_of_steps(10, 4)
    array([2, 3, 2, 3])
    """
    return np.diff(sweeps * np.arange(steps + 1) // steps)

"""The weights of one site, given its local fields: logarithm of their sum, and means.

The energy of a site is sum_r a_r(x) H_r, where ``a_r`` are its own functions and ``H_r``, its local
fields, functions of all else. A normalizer gives log sum_x exp(-sum_r a_r(x) H_r) and the means <a_r>.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.special import ive

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.ir.arrays import evaluate
from statmech_dsl.ir.domains import Angle, Domain, Field, UnitVector
from statmech_dsl.ir.expr import Expr, call, slot

Normalizer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From fields [r, row] to log sums [row] and means [r, row]."""
POINTS = 256
"""Points of a grid: its error is that of rounding, unless a weight is narrower than some 1/200 of it."""
REACH = 2.0
"""How far the grid of a real field goes beyond the values that were seen, in units of their range."""
TAIL = 1e-8
"""Weights at the ends of the grid of a real field, relative to the largest, must be below this."""
CHUNK = 2**20
"""Numbers in an array that is made at a time."""


def normalizer(domain: Domain, own: Sequence[Expr], seen: np.ndarray) -> Normalizer:
    """Normalizer of the sites of a variable.

    Parameters
    ----------
    domain : Domain
        Its type.
    own : sequence of Expr
        Own functions; slot k is component k. Those of a discrete variable stand for its values but the first.
    seen : ndarray, shape (components, ...)
        Values that were seen, which say where real fields are to be looked for.

    Raises
    ------
    InfeasibleError
        No rule is known.
    """
    x = slot(0)
    match domain:
        case _ if domain.values is not None:
            return levels
        case Angle():
            circle = [call("cos", x), call("sin", x)]
            if all(a in circle for a in own):
                return partial(vectors, n=2, which=[circle.index(a) for a in own])
            grid = np.arange(POINTS) * (2 * np.pi / POINTS) - np.pi
            return partial(on_grid, own=_values(own, grid), step=2 * np.pi / POINTS, ends=False)
        case UnitVector():
            components = [slot(k) for k in range(domain.components)]
            if all(a in components for a in own):
                which = [components.index(a) for a in own]
                return partial(vectors, n=domain.components, which=which)
        case Field():
            powers = [x, call("sqr", x)]
            if all(a in powers for a in own):
                return partial(gaussian, which=[powers.index(a) for a in own])
            low, high = seen.min(), seen.max()
            room = REACH * (high - low)
            grid, step = np.linspace(low - room, high + room, POINTS, retstep=True)
            return partial(on_grid, own=_values(own, grid), step=step, ends=True)
    raise InfeasibleError(
        f"the one-site conditional of {domain.label} is known for energies linear in its components only",
        mend="use method='exchange' or 'path'",
    )


def levels(H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A discrete variable: fields are energies of its values, relative to the first."""
    top = np.maximum(0.0, -H.min(axis=0, initial=np.inf))
    weights = np.exp(-H - top)
    total = np.exp(-top) + weights.sum(axis=0)
    return top + np.log(total), weights / total


def vectors(H: np.ndarray, n: int, which: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """A unit vector in a field of size h: log of (2 pi)^(n/2) I_nu(h) / h^nu, where nu = n/2 - 1."""
    full = np.zeros((n, *H.shape[1:]))
    np.add.at(full, which, H)
    h = np.maximum(
        np.sqrt((full**2).sum(axis=0)), 1e-6
    )  # below, the slope h / n rounds to 0 anyway
    nu = n / 2 - 1
    bessel = ive(nu, h)
    log_sum = n / 2 * np.log(2 * np.pi) + np.log(bessel) + h - nu * np.log(h)
    mean = -full * (ive(nu + 1, h) / (bessel * h))
    return log_sum, mean[which]


def gaussian(H: np.ndarray, which: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """A real field of energy b x + a x^2."""
    full = np.zeros((2, *H.shape[1:]))
    np.add.at(full, which, H)
    b, a = full
    with np.errstate(all="ignore"):
        mean = -b / (2 * a)
        log_sum = b**2 / (4 * a) + np.log(np.pi / a) / 2
        moments = np.stack([mean, mean**2 + 1 / (2 * a)])
    log_sum[~(a > 0)] = np.inf
    return log_sum, moments[which]


def on_grid(
    H: np.ndarray, own: np.ndarray, step: float, ends: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Trapezoids on a grid, infinite where the weight has not fallen at its ends."""
    flat = H.reshape(len(H), -1)
    log_sum, means = np.empty(flat.shape[1]), np.empty_like(flat)
    size = max(1, CHUNK // own.shape[1])
    for start in range(0, len(log_sum), size):
        part = slice(start, start + size)
        w = -own.T @ flat[:, part]
        top = w.max(axis=0)
        w = np.exp(w - top)
        total = w.sum(axis=0)
        log_sum[part] = top + np.log(total * step)
        means[:, part] = own @ w / total
        if ends:
            log_sum[part][np.maximum(w[0], w[-1]) > TAIL] = np.inf
    return log_sum.reshape(H.shape[1:]), means.reshape(H.shape)


def _values(own: Sequence[Expr], grid: np.ndarray) -> np.ndarray:
    return np.array([np.broadcast_to(evaluate(a, [grid]), grid.shape) for a in own])

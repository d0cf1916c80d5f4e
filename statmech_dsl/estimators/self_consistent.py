"""The equations of pooled draws: every state must have its share of the pool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Shares = Callable[[Vector], tuple[Vector, Vector]]
"""From reduced free energies to the mean share of each state, and the derivative of these."""

STEPS, STARTING = 100, 20
FAR = 1.0
"""Where a share is off by more than this factor e, Newton's method would overshoot."""
CLOSE = 1e-7
"""The last step of Newton's method: its error is the square of that."""
ROUNDING = 1e-15


def solve(shares: Shares, target: Vector, f: Vector) -> Vector:
    """Find the free energies at which every state has its share of the pool.

    The shares are the gradient of a concave likelihood (Shirts and Chodera 2008). Self-consistent steps
    come first: each one makes it larger, from any start. Then Newton's, shorter where one overshoots.

    Examples
    --------
    Two draws of a fair coin, seen as draws of two states of which the second weights heads by 3:

    >>> weights = np.array([[1.0, 1.0], [1.0, 3.0]])
    >>> def shares(f):
    ...     x = weights * np.exp(f)[:, None]
    ...     p = x / x.sum(axis=0)
    ...     return p.mean(axis=1), np.diag(p.mean(axis=1)) - p @ p.T / 2
    >>> f = solve(shares, np.array([0.5, 0.5]), np.zeros(2))
    >>> print(f"{f[1] - f[0]:.4f} {-np.log(3) / 2:.4f}")
    -0.5493 -0.5493
    """
    mean, slope = shares(f)
    for k in range(STEPS):
        miss = mean - target
        if np.abs(miss).max() < ROUNDING:
            break
        excess = np.log(np.maximum(mean, np.finfo(float).tiny) / target)
        if k < STARTING and np.abs(excess).max() > FAR:
            f = f - excess
            mean, slope = shares(f)
            continue
        step, size = np.linalg.pinv(slope, rcond=1e-12, hermitian=True) @ miss, 1.0
        if np.abs(step).max() < CLOSE:
            return f - step
        while size > 1e-3:
            mean, steeper = shares(f - size * step)
            if np.abs(mean - target).max() < np.abs(miss).max():
                f, slope = f - size * step, steeper
                break
            size /= 2
        else:
            f = f - excess
            mean, slope = shares(f)
    return f

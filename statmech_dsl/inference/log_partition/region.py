"""Where the posterior of few couplings lies, as far as it is an ellipsoid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import minimize

from statmech_dsl.inference.problem.directions import Beliefs
from statmech_dsl.inference.problem.smooth import Smooth

WIDTH = 3.5
"""How far a region goes, in standard deviations of the posterior."""
SPACING = 1.5
"""Of nodes, in standard deviations of the statistics of one state: what draws of neighbors overlap by."""
NEWTON_STEPS = 20
LONGEST = 1.0
"""Of Newton's steps, in the same units."""

Moments = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Mean and covariance of the statistics of one state, by simulation at couplings z."""


@dataclass(frozen=True, eq=False)
class Region:
    """A ball in u, where ``z = center + axes u``: the posterior has about unit covariance in u.

    ``curvature`` is that of log Z along each axis, which are principal axes of it.
    """

    center: np.ndarray
    axes: np.ndarray
    curvature: np.ndarray

    def to_u(self, z: np.ndarray) -> np.ndarray:
        """Coordinates of one point or of many, on the last axis."""
        return np.linalg.solve(self.axes, (z - self.center).T).T

    def to_z(self, u: np.ndarray) -> np.ndarray:
        """The inverse."""
        return self.center + u @ self.axes.T

    def nodes(self, beliefs: Beliefs, spacing: float = SPACING) -> np.ndarray:
        """Points of a grid in u, close enough for their draws to overlap, inside what priors allow."""
        along = []
        for g in self.curvature:
            half = max(1, int(np.ceil(WIDTH * np.sqrt(g) / spacing)))
            along.append(np.linspace(-WIDTH, WIDTH, 2 * half + 1))
        u = np.array(list(product(*along)))
        steps = np.array([a[1] - a[0] for a in along])
        inside = np.linalg.norm(u, axis=1) <= WIDTH + 0.5 * steps.max()
        z = self.to_z(u)
        allowed = ((z >= beliefs.low) & (z <= beliefs.high)).all(axis=1)
        keep = inside & allowed
        keep[len(u) // 2] = True  # the center
        return _tour(u[keep], int(keep[: len(u) // 2].sum()))


def region(center: np.ndarray, covariance: np.ndarray, information: np.ndarray) -> Region:
    """The region of a posterior of given mean and covariance."""
    A = np.linalg.cholesky(covariance)
    curvature, V = np.linalg.eigh(A.T @ information @ A)
    return Region(center, A @ V, np.maximum(curvature, 0.0))


def first_guess(beliefs: Beliefs, minus_log: Smooth | None) -> np.ndarray:
    """The largest product of pseudolikelihood and prior, or the middle of the prior."""
    if minus_log is None:
        return beliefs.mean

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        off = z - beliefs.mean
        value, gradient = minus_log(z)
        pull = beliefs.precision @ off
        return float(value + off @ pull / 2), gradient + pull

    return np.clip(minimize(objective, beliefs.mean, jac=True).x, beliefs.low, beliefs.high)


def find_region(
    z: np.ndarray, mean_seen: np.ndarray, n: int, beliefs: Beliefs, moments: Moments
) -> Region:
    """Newton's method on the posterior of n states, with simulated moments.

    Parameters
    ----------
    z : ndarray
        Where to begin.
    mean_seen : ndarray
        Mean statistics of the states that were seen.
    """
    for _ in range(NEWTON_STEPS):
        mean, information = moments(z)
        precision = n * information + beliefs.precision
        precision += 1e-9 * np.diag(np.diag(precision))
        slope = n * (mean - mean_seen) - beliefs.precision @ (z - beliefs.mean)
        step = np.linalg.solve(precision, slope)
        # Information varies along the way: trust it for about one node only.
        length = np.sqrt(step @ information @ step)
        step *= min(1.0, LONGEST / max(length, 1e-300))
        off = np.sqrt(step @ precision @ step)
        new = np.clip(z + step, beliefs.low, beliefs.high)
        if off < 1.0:
            return region(new, np.linalg.inv(precision), information)
        z = new
    return region(z, np.linalg.inv(precision), information)


def _tour(points: np.ndarray, start: int) -> np.ndarray:
    """All points, each followed by the closest one that is left."""
    left = list(range(len(points)))
    at = left.pop(start)
    order = [at]
    while left:
        k = int(np.argmin(np.linalg.norm(points[left] - points[at], axis=1)))
        at = left.pop(k)
        order.append(at)
    return points[order]

"""Log Z over a region of couplings, from draws at its nodes: MBAR, and a polynomial where it fits."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from scipy.special import logsumexp

from statmech_dsl.errors import OverlapWarning
from statmech_dsl.estimators.mbar import MBAR
from statmech_dsl.inference.log_partition.region import WIDTH, Region

DEGREES = {1: 12, 2: 9, 3: 6}
"""Degree of the polynomial, by the number of couplings."""
FITS = 0.01
"""Largest misfit of a polynomial, for all states that were seen together, in log-likelihood."""
ALONG = {1: 41, 2: 21, 3: 9}
"""Points along an axis that it is fitted to."""


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Log Z in u from all draws: ``statistics`` (draws, few), and the log density that they are from."""

    statistics: np.ndarray
    density: np.ndarray

    def __call__(self, u: np.ndarray) -> tuple[float, Any]:
        """Value and gradient."""
        logs = -(self.statistics @ u) - self.density
        top = logs.max()
        p = np.exp(logs - top)
        total = p.sum()
        return float(top + np.log(total)), -(p @ self.statistics) / total


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Log Z in u; ``powers`` (terms, few) are those of u / WIDTH."""

    powers: np.ndarray
    coefficients: np.ndarray

    def __call__(self, u: np.ndarray) -> tuple[float, Any]:
        """Value and gradient."""
        x = u / WIDTH
        table = x[:, None] ** np.arange(self.powers.max() + 1)
        factors = table[np.arange(len(x)), self.powers]
        value = self.coefficients @ factors.prod(axis=1)
        gradient = np.empty(len(x))
        for k in range(len(x)):
            p = self.powers[:, k]
            lower = np.where(p > 0, table[k, np.maximum(p - 1, 0)], 0.0) * p
            others = np.delete(factors, k, axis=1).prod(axis=1)
            gradient[k] = self.coefficients @ (lower * others) / WIDTH
        return float(value), gradient


@dataclass(frozen=True, eq=False)
class Surface:
    """Log Z in couplings z, within a ball, and about a parabola outwards, but for a constant; call it.

    Attributes
    ----------
    region : Region
        Where it holds.
    inner : callable
        Log Z in u there.
    error : float
        Standard error of log Z between the center and one standard deviation of the posterior.
    """

    region: Region
    inner: Reweighted | Polynomial
    error: float

    def __call__(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Log Z but for a constant, and its gradient."""
        u = self.region.to_u(z)
        size = float(np.linalg.norm(u))
        if size <= WIDTH:
            value, slope = self.inner(u)
        else:
            # A parabola, plus what the edge is off it in this direction; such draws are counted and reported.
            value, slope = self._parabola(u)
            shrink, along = WIDTH / size, u / size
            edge, edge_slope = self.inner(shrink * u)
            flat, flat_slope = self._parabola(shrink * u)
            off = edge_slope - flat_slope
            value += edge - flat
            slope = slope + shrink * (off - along * (along @ off))
        return value, np.linalg.solve(self.region.axes.T, slope)

    def _parabola(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Log Z to second order about the center."""
        value, slope = self._middle
        bend = self.region.curvature * u
        return float(value + slope @ u + bend @ u / 2), slope + bend

    @cached_property
    def _middle(self) -> tuple[float, np.ndarray]:
        return self.inner(np.zeros(len(self.region.center)))


def surface(region: Region, nodes: np.ndarray, draws: np.ndarray, n: int) -> Surface:
    """Log Z from draws.

    Parameters
    ----------
    region : Region
        Where.
    nodes : ndarray, shape (nodes, few)
        Where draws were made, in u.
    draws : ndarray, shape (nodes, chains, draws, few)
        Statistics S . dc/du of the draws.
    n : int
        States that were seen.
    """
    n_nodes, chains, length, few = draws.shape
    flat = draws.reshape(-1, few)
    ends = np.concatenate([np.zeros((1, few)), np.eye(few), -np.eye(few)])
    states = np.concatenate([nodes, ends])
    counts = np.concatenate([np.full(n_nodes, chains * length), np.zeros(len(ends), int)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)  # the error says the same in numbers
        pool = MBAR(states @ flat.T, counts, chains=chains)
    error = max(pool.difference(n_nodes, n_nodes + 1 + k).error for k in range(2 * few))
    weight = np.log(chains * length) + pool.free_energy[:n_nodes, None]
    parts = np.array_split(flat, n_nodes)
    each: Any = [logsumexp(weight - nodes @ x.T, axis=0) for x in parts]
    density = np.concatenate(each)
    whole = Reweighted(flat, density)
    fitted, misfit = _fitted(whole)
    return Surface(region, fitted if n * misfit < FITS else whole, error)


def _fitted(whole: Reweighted) -> tuple[Polynomial, float]:
    """A polynomial, and how far it is off at most."""
    few = whole.statistics.shape[1]
    angle = np.pi * (np.arange(ALONG[few]) + 0.5) / ALONG[few]
    x = np.array(list(product(np.cos(angle), repeat=few)))
    x = x[np.linalg.norm(x, axis=1) <= 1.0]
    log_Z = np.array([whole(WIDTH * p)[0] for p in x])
    degree = DEGREES[few]
    powers = np.array([p for p in product(range(degree + 1), repeat=few) if sum(p) <= degree])
    matrix = (x[:, None, :] ** powers).prod(axis=-1)
    coefficients = np.linalg.lstsq(matrix, log_Z, rcond=None)[0]
    return Polynomial(powers, coefficients), float(abs(matrix @ coefficients - log_Z).max())

"""Thermodynamic integration: a free energy from means of the derivative of the energy on a grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from statmech_dsl.errors import CoarseGridWarning, DiagnosticsError
from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.tau_int import tau_int

Array = NDArray[np.float64]

GAIN = 15.0
"""By what a rule of fourth order is better than that on half the nodes: 2^4 - 1, where it converges."""

ROUNDING = 1e-12
SLOWEST = 4.0
"""Exponential over integrated autocorrelation time of an integral (see `tau_int`): some nodes are quick,
others slow, and what these add may be little at a time, but lasts."""
SIGMAS = 3.0
"""What two rules differ by beyond so many errors of that is no noise."""


@dataclass(frozen=True, eq=False)
class ThermodynamicIntegral:
    """A difference of reduced free energies by integration, and both parts of its error."""

    value: float
    """The integral, f(end) - f(beginning)."""
    error: float
    """Standard error: both parts together."""
    statistical_error: float
    """From the noise of the means; it allows for autocorrelation, also between nodes."""
    quadrature_error: float
    """Estimate of what the rule is off by: from the rule on fewer nodes, beyond noise."""
    influence: Array
    """What each draw adds to the value, shape (chains, draws): of mean 0."""


def gauss_legendre(n: int, low: float, high: float) -> Array:
    """Nodes of Gauss's rule between two ends.

    Examples
    --------
    >>> gauss_legendre(3, 0.0, 1.0).round(3)
    array([0.113, 0.5  , 0.887])
    """
    return low + (high - low) * (leggauss(n)[0] + 1) / 2


def thermodynamic_integration(
    x: ArrayLike,
    derivative: ArrayLike,
    *,
    interval: tuple[float, float] | None = None,
    linear: bool = False,
) -> ThermodynamicIntegral:
    r"""Integrate the mean of du/dx over a parameter x of the reduced potential u [1]_.

    :math:`f(b) - f(a) = \int_a^b \langle \partial u / \partial x \rangle_x dx`. Over an inverse
    temperature, du/dx is the energy. Nodes decide the rule: a cubic spline through any grid from a to b;
    Gauss's on his nodes (`gauss_legendre`), with a and b given. Where u is linear in x, as it is in an
    inverse temperature, the variance of du/dx is minus the slope of its mean. That is worth the trapezoidal
    rule with corrections by the slopes (Hermite's), of the same order as the spline.

    Draw t of all nodes is taken to stem from the same moment of the same chain, as in tempering.

    Parameters
    ----------
    x : array_like, shape (K,)
        The nodes, ascending; three or more.
    derivative : array_like, shape (chains, draws, K, ...)
        du/dx at draws of each node; further axes are replicas of the same moment.
    interval : (float, float), optional
        Both ends, for nodes of Gauss's rule.
    linear : bool
        Whether u is linear in x.

    Returns
    -------
    ThermodynamicIntegral
        Value, error and its parts.

    Warns
    -----
    CoarseGridWarning
        The quadrature error is larger than the statistical one, and only an estimate.

    Raises
    ------
    DiagnosticsError
        Shapes do not fit, the grid is not ascending, or a draw is not finite.

    References
    ----------
    .. [1] J. G. Kirkwood, J. Chem. Phys. 3, 300 (1935).

    Examples
    --------
    Harmonic oscillators from k = 1 to 4, whose du/dk is x^2 / 2:

    >>> k = np.linspace(1, 4, 9)
    >>> x = np.random.default_rng(1).normal(size=(4, 500, 9)) / np.sqrt(k)
    >>> found = thermodynamic_integration(k, x**2 / 2, linear=True)
    >>> print(f"{found.value:.2f} +- {found.error:.2f}, exactly {np.log(4) / 2:.2f}")
    0.68 +- 0.01, exactly 0.69
    """
    nodes, series = np.asarray(x, float), as_series(derivative, "derivative")
    if series.ndim < 3 or nodes.shape != series.shape[2:3] or len(nodes) < 3:
        raise DiagnosticsError(
            "integration needs draws at each of three or more nodes",
            where=f"nodes of shape {nodes.shape}, derivatives of shape {series.shape}",
            mend="pass derivatives of shape (chains, draws, nodes)",
        )
    if not (np.diff(nodes) > 0).all():
        raise DiagnosticsError("the nodes must ascend", where=f"x={nodes}")
    fine, coarse = _gauss(nodes, interval) if interval else _rules(nodes, linear)
    value, influence = _apply(fine, series)
    difference, noise = _apply(fine - coarse, series)
    statistical = tau_int(influence, S=SLOWEST).error
    apart = abs(difference)
    quadrature = max(apart / GAIN, apart - SIGMAS * tau_int(noise, S=SLOWEST).error)
    if quadrature > max(statistical, ROUNDING * abs(value)):
        warnings.warn(
            f"the grid of {len(nodes)} nodes is coarse: half of them move the integral by {apart:.2g}, "
            f"beside a statistical error of {statistical:.2g}; put more nodes where the mean bends",
            CoarseGridWarning,
            stacklevel=2,
        )
    return ThermodynamicIntegral(
        value, float(np.hypot(statistical, quadrature)), statistical, quadrature, influence
    )


def _apply(rule: Array, series: Array) -> tuple[float, Array]:
    """Value and influence of a rule: its weights of means, and those of their slopes."""
    of_means, of_slopes = rule
    trailing = (0, 1, *range(3, series.ndim))
    mean = series.mean(axis=trailing)
    shape = (-1, *(1,) * (series.ndim - 3))
    deviation = series - mean.reshape(shape)
    square = deviation**2
    variance = square.mean(axis=trailing)
    parts = of_means.reshape(shape) * deviation
    parts -= of_slopes.reshape(shape) * (square - variance.reshape(shape))
    influence = parts.sum(axis=2)
    influence = influence.mean(axis=tuple(range(2, influence.ndim)))
    return float(of_means @ mean - of_slopes @ variance), influence


def _rules(x: Array, linear: bool) -> tuple[Array, Array]:
    """The rule on all nodes and that on every second one."""
    some = np.unique([*range(0, len(x), 2), len(x) - 1])
    rule = _hermite if linear else _spline
    coarse = np.zeros((2, len(x)))
    coarse[:, some] = rule(x[some])
    return rule(x), coarse


def _spline(x: Array) -> Array:
    weights = CubicSpline(x, np.eye(len(x))).integrate(x[0], x[-1])
    return np.stack([weights, np.zeros(len(x))])


def _hermite(x: Array) -> Array:
    h = np.diff(x)
    of_means = (np.append(h, 0) + np.append(0, h)) / 2
    return np.stack([of_means, (np.append(h, 0) ** 2 - np.append(0, h) ** 2) / 12])


def _gauss(x: Array, interval: tuple[float, float]) -> tuple[Array, Array]:
    """Gauss's rule, and the one through all nodes but that in the middle."""
    n, (low, high) = len(x), interval
    t, weights = leggauss(n)
    if not np.allclose(x, gauss_legendre(n, low, high), rtol=0, atol=1e-9 * (high - low)):
        raise DiagnosticsError(
            "these are not the nodes of Gauss's rule between both ends",
            where=f"interval={interval}",
            mend=f"take gauss_legendre({n}, {low:g}, {high:g}), or leave the interval out",
        )
    some = np.delete(np.arange(n), n // 2)
    moments = np.append(2.0, np.zeros(n - 2))
    fewer = np.zeros(n)
    fewer[some] = np.linalg.solve(legvander(t[some], n - 2).T, moments)
    none = np.zeros(n)
    half = (high - low) / 2
    return half * np.stack([weights, none]), half * np.stack([fewer, none])

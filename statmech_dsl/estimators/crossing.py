"""Works in both directions: where their histograms cross, and whether they belong together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

from statmech_dsl.errors import DisagreementWarning, OverlapError, OverlapWarning
from statmech_dsl.estimators.bar import FreeEnergyDifference, bar
from statmech_dsl.estimators.exponential import ExponentialAverage, one_sided
from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.tau_int import tau_int

Array = NDArray[np.float64]

POOR = 0.03
"""Overlap below which the difference hangs on tails."""
FEW = 20
"""Draws that the difference must be worth: then its error is below 0.22, and known to about a sixth."""
SIGMAS = 4.0
"""Standard errors by which what must be equal may differ."""
STEPS = 50


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where histograms of forward and reverse works cross, and what it says about them."""

    value: float
    """The work at which both densities are equal: the difference of free energies, f_1 - f_0."""
    error: float
    """Its standard error."""
    slope: float
    """Of the log of their ratio against the work: 1 where works obey Crooks' theorem."""
    slope_error: float
    """Its standard error."""
    difference: FreeEnergyDifference
    """By Bennett's acceptance ratio, which takes the slope to be 1."""
    forward: ExponentialAverage
    """The difference from forward works alone."""
    reverse: ExponentialAverage
    """The difference from reverse works alone, with its sign turned."""
    disagreement: float
    """Standard errors between both. These are too small where an effective size is: look at that first."""
    bridging: float
    """Number of draws that may as well be forward as reverse."""


def crossing(forward: ArrayLike, reverse: ArrayLike) -> Crossing:
    r"""Hold forward and reverse works against each other.

    If the reverse protocol is that of the forward one, in the reverse order, and both start in equilibrium,
    then :math:`\ln[p_F(w) / p_R(-w)] = w - (f_1 - f_0)` (Crooks [1]_). A straight line is fitted to that
    ratio by maximum likelihood, without bins [2]_: it crosses 0 at the difference, with slope 1. A slope that
    differs from 1 means that a protocol is not the reverse of the other, or an end not in equilibrium: no
    estimate from these works can be trusted.

    Parameters
    ----------
    forward : array_like, shape (draws,) or (chains, draws, ...)
        Reduced works from state 0 to state 1; for sudden ones u_1 - u_0 at draws of state 0.
    reverse : array_like, the same shape
        Reduced works from state 1 to state 0.

    Returns
    -------
    Crossing
        The crossing and diagnostics.

    Warns
    -----
    OverlapWarning
        The histograms have little in common.
    DisagreementWarning
        The slope differs from 1 by more than 4 errors.

    Raises
    ------
    OverlapError
        The histograms do not meet.
    DiagnosticsError
        There are fewer than two draws, or one is not finite.

    References
    ----------
    .. [1] G. E. Crooks, Phys. Rev. E 60, 2721 (1999).
    .. [2] M. R. Shirts, E. Bair, G. Hooker and V. S. Pande, Phys. Rev. Lett. 91, 140601 (2003); the slope as a
       test: M. R. Shirts, J. Chem. Theory Comput. 9, 909 (2013).

    Examples
    --------
    Normal works, with a difference of 1:

    >>> rng = np.random.default_rng(1)
    >>> found = crossing(rng.normal(1.5, 1, 4000), rng.normal(-0.5, 1, 4000))
    >>> print(f"{found.value:.1f} with slope {found.slope:.1f}")
    1.0 with slope 1.0
    """
    w0, w1 = as_series(forward, "forward"), as_series(reverse, "reverse")
    found = bar(w0, w1)
    # Measured from that, the line is near w itself.
    x0, x1 = w0 - found.value, -w1 - found.value
    if x0.min() >= x1.max():
        raise OverlapError(
            "the histograms of forward and reverse works do not meet",
            where=f"forward works from {w0.min():.4g}, reverse ones up to {-w1.min():.4g}",
            mend="put states in between, or go slower",
        )
    a, b = _line(x0, x1)
    at, slope = _influences(x0, x1, a, b)
    one, other = one_sided(w0), _turned(one_sided(w1))
    apart = tau_int(one.influence - other.influence).error
    p0, p1 = expit(x0), expit(x1)
    result = Crossing(
        value=found.value - a / b,
        error=tau_int(at).error,
        slope=b,
        slope_error=tau_int(slope).error,
        difference=found,
        forward=one,
        reverse=other,
        disagreement=abs(one.value - other.value) / apart if apart else 0.0,
        bridging=float((p0 * (1 - p0)).sum() + (p1 * (1 - p1)).sum()),
    )
    _judge(result, w0.size)
    return result


def _turned(average: ExponentialAverage) -> ExponentialAverage:
    return ExponentialAverage(
        -average.value, average.error, -average.bias, average.sigma, average.effective_size,
        -average.influence,
    )  # fmt: skip


def _line(x0: Array, x1: Array) -> tuple[float, float]:
    """Intercept and slope of the log odds of a work to be forward: Newton's method, with shorter steps."""

    def likelihood(c: Array) -> float:
        return float(log_expit(c[0] + c[1] * x0).sum() + log_expit(-c[0] - c[1] * x1).sum())

    c, now = np.array([0.0, 1.0]), likelihood(np.array([0.0, 1.0]))
    for _ in range(STEPS):
        gradient = sum(
            _score(x, c, y).sum(axis=tuple(range(1, x.ndim + 1))) for x, y in ((x0, 1), (x1, 0))
        )
        step, size = np.linalg.solve(_information(x0, x1, c), gradient), 1.0
        while (further := likelihood(c + size * step)) < now and size > 1e-6:
            size /= 2
        c, now = c + size * step, further
        if np.abs(size * step).max() < 1e-9:
            break
    return float(c[0]), float(c[1])


def _score(x: Array, c: Array, forward: int) -> Array:
    """Derivatives of the log likelihood of each draw by intercept and slope."""
    miss = forward - expit(c[0] + c[1] * x)
    return np.stack([miss, miss * x])


def _information(x0: Array, x1: Array, c: Array) -> Array:
    x = np.concatenate([x0.ravel(), x1.ravel()])
    p = expit(c[0] + c[1] * x)
    v = p * (1 - p)
    return np.array([[v.sum(), v @ x], [v @ x, v @ x**2]])


def _influences(x0: Array, x1: Array, a: float, b: float) -> tuple[Array, Array]:
    """What each moment adds to the crossing and to the slope."""
    c = np.array([a, b])
    both = _score(x0, c, 1) + _score(x1, c, 0)
    both = both.mean(axis=tuple(range(3, both.ndim)))
    answer = np.linalg.inv(_information(x0, x1, c)) * x0.size
    da, db = np.tensordot(answer, both, 1)
    return -da / b + a * db / b**2, db


def _judge(found: Crossing, draws: int) -> None:
    overlap, variance = found.difference.overlap, 1 / found.bridging - 2 / draws
    if overlap < POOR or variance > 1 / FEW:
        warnings.warn(
            f"forward and reverse works have little in common: overlap {overlap:.2g}, {found.bridging:.3g} "
            "draws where both are; put states in between, or go slower",
            OverlapWarning,
            stacklevel=3,
        )
    off = abs(found.slope - 1) / found.slope_error if found.slope_error else 0.0
    if off > SIGMAS:
        warnings.warn(
            f"forward and reverse works do not belong together: slope {found.slope:.3g} +- "
            f"{found.slope_error:.2g} instead of 1; an end is not in equilibrium, or one protocol not the "
            "reverse of the other",
            DisagreementWarning,
            stacklevel=3,
        )

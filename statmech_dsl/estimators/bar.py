"""Bennett's acceptance ratio: the free energy between two states from samples of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import root_scalar
from scipy.special import expit

from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.tau_int import tau_int


@dataclass(frozen=True)
class FreeEnergyDifference:
    """A difference of reduced free energies, f_1 - f_0 = -ln(Z_1 / Z_0), its error and diagnostics."""

    value: float
    """The difference."""
    error: float
    """Standard error: that of the mean of ``influence``, which allows for autocorrelation."""
    overlap: float
    """From 1, where both states are the same, to 0, where they have nothing in common: below 0.03 or
    so neither value nor error mean much."""
    influence: NDArray[np.float64]
    """What each draw adds to the value, shape (chains, draws): of mean 0. Sums of differences that stem
    from the same draws have the sum of their influences, hence their errors."""


def bar(forward: ArrayLike, reverse: ArrayLike) -> FreeEnergyDifference:
    r"""Estimate the free energy between two states by Bennett's acceptance ratio.

    The difference solves :math:`\sum_0 f(w_{01} - \Delta) = \sum_1 f(w_{10} + \Delta)` with
    :math:`f(x) = 1/(1 + e^x)`, which has the least variance of all estimates from independent
    draws of both states [1]_. Draw t of both is taken to stem from the same moment of the same chain,
    as in tempering, so that the error allows for their correlation.

    Parameters
    ----------
    forward : array_like, shape (draws,) or (chains, draws, ...)
        u_1(x) - u_0(x) for draws x of state 0, where p(x) = exp(-u(x)) / Z.
    reverse : array_like, the same shape
        u_0(x) - u_1(x) for draws of state 1.

    Returns
    -------
    FreeEnergyDifference
        Value, error and diagnostics.

    Raises
    ------
    DiagnosticsError
        If there are fewer than two draws, or one is not finite.

    References
    ----------
    .. [1] C. H. Bennett, J. Comput. Phys. 22, 245 (1976); as a maximum likelihood estimate:
       M. R. Shirts, E. Bair, G. Hooker and V. S. Pande, Phys. Rev. Lett. 91, 140601 (2003).

    Examples
    --------
    Two normal distributions, the second one half as wide and hence of half the weight:

    >>> x = np.random.default_rng(1).normal(size=(2, 4, 2000)) * [[[1.0]], [[0.5]]]
    >>> found = bar(1.5 * x[0] ** 2, -1.5 * x[1] ** 2)
    >>> print(f"{found.value:.2f} +- {found.error:.2f}, exactly {np.log(2):.2f}")
    0.69 +- 0.01, exactly 0.69
    """
    w0, w1 = as_series(forward, "forward"), as_series(reverse, "reverse")

    def excess(d: float) -> float:
        return float(expit(d - w0).sum() - expit(-d - w1).sum())

    value = _root(excess, min(w0.min(), -w1.max()), max(w0.max(), -w1.min()))
    f0, f1 = expit(value - w0), expit(-value - w1)
    slope = (f0 * (1 - f0) + f1 * (1 - f1)).mean()
    trailing = tuple(range(2, f0.ndim))
    influence = ((f1 - f0).mean(axis=trailing)) / max(slope, np.finfo(float).tiny)
    influence -= influence.mean()
    error = tau_int(influence).error
    return FreeEnergyDifference(float(value), float(error), float(2 * slope), influence)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function vanishes; the bracket holds it up to rounding."""
    if low == high:
        return low
    ends = (low - 1e-9, high + 1e-9)
    return float(root_scalar(function, bracket=ends, method="brentq", xtol=1e-12).root)

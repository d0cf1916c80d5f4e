"""Exponential averaging: a free energy from works in one direction (Zwanzig, Jarzynski)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import OverlapWarning
from statmech_dsl.estimators.series import as_series
from statmech_dsl.estimators.tau_int import tau_int

FEW = 50
"""Draws that an average of exponentials must be worth, at least."""


@dataclass(frozen=True, eq=False)
class ExponentialAverage:
    """A difference of reduced free energies by exponential averaging, its error and diagnostics."""

    value: float
    """The difference, f_1 - f_0."""
    error: float
    """Standard error, which allows for autocorrelation."""
    bias: float
    """By how much ``value`` is too high on average, to first order: half the square of its error."""
    sigma: float
    """Spread of the works below their median, in kT; for normal works their standard deviation."""
    effective_size: float
    """Independent draws that the average is worth: what the weights say, or what works of this spread
    allow if that is less, as draws in the tail may be missing."""
    influence: NDArray[np.float64]
    """What each draw adds to the value, shape (chains, draws): of mean 0."""


def exponential(works: ArrayLike) -> ExponentialAverage:
    r"""Estimate the free energy between two states from draws of one of them, or from works.

    :math:`f_1 - f_0 = -\ln \langle e^{-w} \rangle`. For w = u_1 - u_0 at draws of state 0 this is
    Zwanzig's formula [1]_, for works along trajectories from state 0 it is Jarzynski's [2]_. The average
    hangs on the lower tail of the works: with normal works of standard deviation sigma, N draws are worth about
    N exp(-sigma^2). So it is good for sigma below 1 or so; where draws of both states can be had, use `bar`.

    Parameters
    ----------
    works : array_like, shape (draws,) or (chains, draws, ...)
        Reduced works; further axes are replicas of the same moment.

    Returns
    -------
    ExponentialAverage
        Value, error and diagnostics.

    Warns
    -----
    OverlapWarning
        The draws are worth less than 50: neither value nor error can be trusted.

    Raises
    ------
    DiagnosticsError
        If there are fewer than two draws, or one is not finite.

    References
    ----------
    .. [1] R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954); limits: D. Wu and D. A. Kofke, J. Chem. Phys.
       123, 054103 (2005).
    .. [2] C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997).

    Examples
    --------
    Normal works, for which the difference is the mean less half the variance:

    >>> found = exponential(np.random.default_rng(1).normal(1.0, 0.8, size=(4, 1000)))
    >>> print(f"{found.value:.1f} +- {found.error:.1g}, exactly {1 - 0.8**2 / 2:.2f}")
    0.7 +- 0.02, exactly 0.68
    """
    found = one_sided(works)
    if found.effective_size < FEW:
        warnings.warn(
            f"the exponential average is worth {found.effective_size:.3g} draws (works spread by "
            f"{found.sigma:.2g} kT): its value may be too high and its error too small; put states in "
            "between, go slower, or use bar with draws of both states",
            OverlapWarning,
            stacklevel=2,
        )
    return found


def one_sided(works: ArrayLike) -> ExponentialAverage:
    """Return the exponential average without judging it."""
    w = as_series(works, "works")
    lowest = w.min()
    v = np.exp(lowest - w)
    mean = v.mean()
    influence = 1.0 - v.mean(axis=tuple(range(2, v.ndim))) / mean
    influence -= influence.mean()
    found = tau_int(influence)
    sigma, size = worth(-w)
    return ExponentialAverage(
        value=float(lowest - np.log(mean)),
        error=found.error,
        bias=found.error**2 / 2,
        sigma=sigma,
        effective_size=size / (2 * max(found.tau, 0.5)),
        influence=influence,
    )


def worth(log_weights: NDArray[np.float64]) -> tuple[float, float]:
    """Spread of log weights above their median, and how many equal weights they are worth.

    That is (sum v)^2 / sum v^2, or N exp(-sigma^2), what it would be for normal log weights of this spread.

    Examples
    --------
    >>> worth(np.zeros(10))
    (0.0, 10.0)
    """
    v = np.exp(log_weights - log_weights.max())
    kish = float(v.sum() ** 2 / (v**2).sum())
    up = log_weights - np.median(log_weights)
    sigma = float(np.sqrt((up[up >= 0] ** 2).mean()))
    return sigma, min(kish, log_weights.size * float(np.exp(-(sigma**2))))

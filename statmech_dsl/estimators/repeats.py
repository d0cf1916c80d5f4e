"""Time to solution: how long to repeat a search that succeeds now and then."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from statmech_dsl.errors import DiagnosticsError

SIGMA = math.erf(math.sqrt(0.5))
"""Probability within one standard error of a normal distribution."""


@dataclass(frozen=True)
class TimeToSolution:
    """Time until at least one repeat has succeeded, with a given confidence."""

    value: float
    """Estimate; infinite if no repeat succeeded."""
    low: float
    """Lower end of the 68 % interval."""
    high: float
    """Upper end."""
    probability: float
    """Fraction of the repeats that succeeded."""
    probability_error: float
    """Its standard error, the binomial one with a prior of half a success and half a failure."""


def time_to_solution(
    successes: int, repeats: int, seconds: float, confidence: float = 0.99
) -> TimeToSolution:
    r"""Estimate the time until a search has succeeded at least once.

    If a repeat of ``seconds`` t succeeds with probability p, the time is
    :math:`t \ln(1 - c) / \ln(1 - p)` for a confidence c, and at least t [1]_. The interval is that of the
    posterior of p under Jeffreys' prior, which exists also for none or all successes.

    Parameters
    ----------
    successes, repeats : int
        How many of how many independent repeats succeeded.
    seconds : float
        Time of one repeat.
    confidence : float
        Probability with which at least one repeat is to succeed.

    Returns
    -------
    TimeToSolution
        Time with its interval, and the probability of success.

    Raises
    ------
    DiagnosticsError
        There are no repeats, or the confidence is not between 0 and 1.

    References
    ----------
    .. [1] T. F. Roennow, Z. Wang, J. Job, S. Boixo, S. V. Isakov, D. Wecker, J. M. Martinis, D. A. Lidar
       and M. Troyer, Science 345, 420 (2014).

    Examples
    --------
    Half of the repeats succeed: seven of them are missed with a probability below one percent.

    >>> round(time_to_solution(500, 1000, seconds=1.0).value, 3)
    6.644
    """
    if repeats < 1 or not 0 <= successes <= repeats:
        raise DiagnosticsError(f"{successes} of {repeats} repeats cannot have succeeded")
    if not 0 < confidence < 1:
        raise DiagnosticsError(
            f"confidence is {confidence}", mend="give a probability between 0 and 1"
        )
    a, b = successes + 0.5, repeats - successes + 0.5
    tail = (1 - SIGMA) / 2

    def time(p: float) -> float:
        if p == 0 or p >= confidence:
            return math.inf if p == 0 else seconds
        return seconds * math.log1p(-confidence) / math.log1p(-p)

    p = successes / repeats
    low, high = (betaincinv(a, b, q) for q in (1 - tail, tail))
    error = float(np.sqrt(a * b / (a + b + 1)) / (a + b))
    return TimeToSolution(
        time(p), time(float(low)), math.inf if successes == 0 else time(float(high)), p, error
    )

"""The density of states from a histogram under fixed weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.estimators.jackknife import JackknifeEstimate, jackknife


def density_of_states(
    counts: ArrayLike, log_law: ArrayLike, log_total: float = 0.0
) -> JackknifeEstimate:
    r"""Estimate the log of the density of states from a histogram under fixed weights, with errors.

    :math:`\ln g_k = \ln h_k - w_k`, up to a constant, with the visits h and the log weights w.

    Parameters
    ----------
    counts : array_like, shape (chains, blocks, levels)
        Visits of each level in each block of draws.
    log_law : array_like, shape (levels,)
        The log weight w of a state of each level, which was fixed before the run.
    log_total : float
        Log of the sum of g over the levels.

    Returns
    -------
    JackknifeEstimate
        The error is infinite where a single block has seen the level.

    Examples
    --------
    Two coins, by the number of heads, at equal weights:

    >>> heads = np.random.default_rng(1).binomial(2, 0.5, size=(4, 50, 100))
    >>> counts = (heads[..., None] == np.arange(3)).sum(axis=2)
    >>> found = density_of_states(counts, np.zeros(3), log_total=np.log(4))
    >>> print(np.exp(found.value).round(1), found.error.round(2))
    [1. 2. 1.] [0.01 0.01 0.01]
    """
    counts, log_law = np.asarray(counts, float), np.asarray(log_law, float)

    def log_g(h: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            x = np.log(h) - log_law
        top = x.max()
        return x - (top + np.log(np.exp(x - top).sum())) + log_total

    with np.errstate(invalid="ignore"):
        found = jackknife(log_g, {"h": counts})
    error = np.where(np.isfinite(found.error), found.error, np.inf)
    return JackknifeEstimate(
        found.value, error, found.bias, found.tau, found.block_length, found.n_blocks
    )

"""Mean, error and integrated autocorrelation time of correlated series: Wolff's Gamma method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import next_fast_len
from scipy.special import chdtrc

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators.series import as_series

DISAGREE = 1e-3
"""Chain means less likely than this to differ by chance are taken to differ in earnest."""


@dataclass(frozen=True)
class CorrelatedMean:
    """Mean of a correlated series and what is known about its error."""

    value: float
    """Mean over all draws of all chains."""
    error: float
    """Standard error of the mean, sqrt(2 tau Gamma(0) / N)."""
    tau: float
    """Integrated autocorrelation time in draws, 1/2 + sum over t >= 1 of rho(t)."""
    tau_error: float
    """Standard error of tau."""
    window: int
    """Last lag that was summed; the length of a chain if the error was read off the chain means."""
    effective_sample_size: float
    """Number of independent draws with the same error, N / (2 tau)."""


def tau_int(chains: ArrayLike, *, S: float = 1.5) -> CorrelatedMean:
    r"""Estimate the mean of a correlated series, its error and autocorrelation time.

    The convention is :math:`\tau_{int} = \frac12 + \sum_{t\ge1} \rho(t)`, so that independent
    draws have 1/2 and :math:`\sigma^2 = 2 \tau_{int} \Gamma(0) / N` (others leave out the 1/2 or
    the 2). The sum ends at the window W that balances the bias of a short sum against the noise
    of a long one, automatically, as proposed by Wolff [1]_.

    All chains are pooled: deviations are taken from their common mean. Where the window does not
    close within a chain, or where the chain means differ by more than chance, the lags that a
    chain holds cannot tell the whole error; then the scatter of the chain means is used if larger.

    Parameters
    ----------
    chains : array_like, shape (draws,) or (chains, draws)
        The series; chains are independent of each other.
    S : float
        Assumed ratio of exponential to integrated autocorrelation time; 1 to 2.

    Returns
    -------
    CorrelatedMean
        Value, error and diagnostics; a constant series has error 0 and tau 1/2.

    Raises
    ------
    DiagnosticsError
        If there are fewer than two draws, more than two axes, or a draw is not finite.

    References
    ----------
    .. [1] U. Wolff, Monte Carlo errors with less errors, Comput. Phys. Commun. 156, 143 (2004),
       hep-lat/0306017.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 5000))
    >>> result = tau_int(noise)
    >>> print(f"{result.tau:.1f} {result.error * np.sqrt(noise.size):.1f}")
    0.5 1.0
    """
    series = as_series(chains)
    if series.ndim != 2:
        raise DiagnosticsError(
            f"tau_int takes one series per call, got an array of shape {series.shape}",
            mend="pass an array of shape (chains, draws); loop over further axes",
        )
    n_chains, n_draws = series.shape
    n = series.size
    origin = series[0, 0]  # subtracted first: a constant series is then exactly zero
    mean = (series - origin).mean()
    deviations = series - origin - mean
    gamma = _autocovariance(deviations, n_draws // 2)
    if gamma[0] == 0.0:
        return CorrelatedMean(float(origin), 0.0, 0.5, 0.0, 0, float(n))

    window, closed = _window(gamma[1:] / gamma[0], n, S)
    # The common mean is itself noisy, which lowers every Gamma(t) by the variance of that mean.
    gamma += _windowed(gamma, window) / n
    spectral = _windowed(gamma, window)  # N times the variance of the mean
    tau_error_ratio = 2 * np.sqrt(max(window + 0.5 - spectral / (2 * gamma[0]), 0.0) / n)

    chain_means = deviations.mean(axis=1)
    if n_chains > 1:
        chi_squared = n_draws * np.sum(chain_means**2) / spectral
        agreement = chdtrc(n_chains - 1, chi_squared)
        between = n_draws * chain_means.var(ddof=1)
        if between > spectral and (not closed or agreement < DISAGREE):
            spectral, window = between, n_draws
            tau_error_ratio = np.sqrt(2 / (n_chains - 1))

    tau = spectral / (2 * gamma[0])
    return CorrelatedMean(
        value=float(origin + mean),
        error=float(np.sqrt(spectral / n)),
        tau=float(tau),
        tau_error=float(tau * tau_error_ratio),
        window=window,
        effective_sample_size=float(n / (2 * tau)),
    )


def _autocovariance(deviations: NDArray[np.float64], max_lag: int) -> NDArray[np.float64]:
    """Gamma(t) for t = 0 ... max_lag from deviations (chains, draws): the mean over all pairs."""
    n_chains, n_draws = deviations.shape
    size = next_fast_len(n_draws + max_lag, real=True)  # padded: no lag wraps around
    power = np.abs(np.fft.rfft(deviations, size, axis=1)) ** 2
    products = np.fft.irfft(power.sum(axis=0), size)[: max_lag + 1]
    return products / (n_chains * (n_draws - np.arange(max_lag + 1)))


def _window(rho: NDArray[np.float64], n: int, S: float) -> tuple[int, bool]:
    """Window at which bias and noise balance, from rho(1), rho(2), ...; and whether there is one.

    Wolff takes a negative sum of rho to end the window at once, which for anticorrelated series
    leaves the positive lags out and underestimates the error; its magnitude is used instead.
    """
    lags = np.arange(1, len(rho) + 1)
    excess = np.maximum(np.abs(np.cumsum(rho)), 1e-12)
    decay = S / np.log1p(1 / excess)
    closing = np.exp(-lags / decay) < decay / np.sqrt(lags * n)
    if closing.any():
        return int(lags[np.argmax(closing)]), True
    return len(rho), False


def _windowed(gamma: NDArray[np.float64], window: int) -> float:
    """Gamma(0) + 2 sum of Gamma(1) ... Gamma(window); Gamma(0) where noise makes that negative."""
    total = gamma[0] + 2 * gamma[1 : window + 1].sum()
    return float(total if total > 0 else gamma[0])

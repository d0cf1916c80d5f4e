"""Error of the mean of a correlated series by blocking (Flyvbjerg and Petersen 1989)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.estimators.series import as_series

MIN_BLOCKS = 32
"""Fewer blocks give an error that is uncertain by more than an eighth."""


@dataclass(frozen=True)
class BlockedMean:
    """Mean of a correlated series and the error that blocking gives it."""

    value: float
    """Mean over all draws of all chains."""
    error: float
    """Standard error of the mean, from the longest blocks."""
    block_length: int
    """Draws in these blocks."""
    errors: tuple[float, ...]
    """Errors from blocks of 1, 2, 4, ... draws; they level off if the chains are long enough."""


def blocking(chains: ArrayLike) -> BlockedMean:
    """Estimate the mean of a correlated series and its error by averaging pairs again and again.

    Parameters
    ----------
    chains : array_like, shape (draws,) or (chains, draws)
        The series; chains are independent of each other.

    Returns
    -------
    BlockedMean
        Value, error and diagnostics.

    Raises
    ------
    DiagnosticsError
        If there are fewer than two draws, or one of them is not finite.

    References
    ----------
    H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989).

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 4096))
    >>> print(f"{blocking(noise).error * np.sqrt(noise.size):.1f}")
    1.0
    """
    blocks = as_series(chains)
    value = float(blocks.mean())
    errors = [_error(blocks)]
    while blocks.size // 2 >= MIN_BLOCKS and blocks.shape[1] >= 2:
        pairs = blocks.shape[1] // 2
        blocks = blocks[:, : 2 * pairs].reshape(len(blocks), pairs, 2).mean(axis=2)
        errors.append(_error(blocks))
    return BlockedMean(value, errors[-1], 2 ** (len(errors) - 1), tuple(errors))


def _error(blocks: np.ndarray) -> float:
    """Error of the mean as if the blocks were independent."""
    return float(blocks.std(ddof=1) / np.sqrt(blocks.size))

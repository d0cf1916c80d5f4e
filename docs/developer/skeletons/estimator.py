"""Error of the mean of a correlated series by blocking."""

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
    """Standard error of the mean."""
    block_length: int
    """Draws in the blocks that it comes from."""
    errors: tuple[float, ...]
    """Errors from blocks of 1, 2, 4, ... draws."""
    long_enough: bool
    """Whether the errors have leveled off; if not, the error is too small and the run too short."""


def blocking(chains: ArrayLike) -> BlockedMean:
    """Estimate the mean of a correlated series and its error by averaging pairs again and again.

    It stops at the first block length B with B^3 > 2 N (error / naive error)^4, N being the number of
    draws: longer blocks would add more noise than they remove correlation.

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
    H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989); R. M. Lee et al., Phys. Rev. E
    83, 066706 (2011).

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 4096))
    >>> print(f"{blocking(noise).error * np.sqrt(noise.size):.1f}")
    1.0
    """
    blocks = as_series(chains)
    n_draws, value = blocks.size, float(blocks.mean())
    errors = [_error(blocks)]
    while not _long_enough(errors, n_draws):
        pairs = blocks.shape[1] // 2
        if len(blocks) * pairs < MIN_BLOCKS:
            break
        blocks = blocks[:, : 2 * pairs].reshape(len(blocks), pairs, 2).mean(axis=2)
        errors.append(_error(blocks))
    enough = _long_enough(errors, n_draws)
    return BlockedMean(value, errors[-1], 2 ** (len(errors) - 1), tuple(errors), enough)


def _error(blocks: np.ndarray) -> float:
    """Error of the mean as if the blocks were independent."""
    return float(blocks.std(ddof=1) / np.sqrt(blocks.size))


def _long_enough(errors: list[float], n_draws: int) -> bool:
    """Whether the correlation left between blocks is below the noise of their number."""
    block_length = 2.0 ** (len(errors) - 1)
    growth = errors[-1] / errors[0] if errors[0] else 1.0
    return block_length**3 > 2 * n_draws * growth**4

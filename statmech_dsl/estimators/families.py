"""Weighted populations: means of weights, overlaps, families, and errors from blocks of families.

A family is what descends from one member of the first population. Families are independent of each other,
members of one are not. So errors come from the scatter of blocks of families: a jackknife, as all blocks are
left out in turn (Weigel et al. 2021). Single families would not do. Systematic resampling rounds their sizes up
or down, which widens their scatter, but not that of the whole: what one family gains the next one loses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

FAMILIES = 20
"""Families of a block, at least: then rounding is a small part of its scatter."""
FEWEST, MOST = 20, 200
"""Blocks; with n of them an error is known to about 1 / sqrt(2 n)."""


def log_mean_exp(log_weights: np.ndarray, axis: int = -1) -> np.ndarray:
    """Logarithm of the mean of weights.

    Examples
    --------
    >>> float(np.exp(log_mean_exp(np.log([1.0, 3.0]))).round(12))
    2.0
    """
    return logsumexp(log_weights, axis=axis) - np.log(np.shape(log_weights)[axis])


def shares(log_weights: np.ndarray) -> np.ndarray:
    """Weights along the last axis, their sum being 1.

    Examples
    --------
    >>> shares(np.log([1.0, 3.0])).round(12)
    array([0.25, 0.75])
    """
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def overlap(log_weights: np.ndarray) -> float:
    """Overlap of a population with the weighted one: how much two energy histograms have in common.

    Examples
    --------
    >>> overlap(np.zeros((1, 4)))
    1.0
    >>> round(overlap(np.log([[1.0, 3.0]])), 12)
    0.75
    """
    n = log_weights.shape[-1]
    return float(np.minimum(1.0, n * shares(log_weights)).mean())


@dataclass(frozen=True)
class FamilySizes:
    """How a population descends from the first one."""

    families: int
    """Families that are left."""
    rho_t: float
    """Mean square family size: the number of members that carry the information of one."""
    rho_s: float
    """Entropic family size."""


def family_sizes(families: np.ndarray) -> FamilySizes:
    """Sizes of the families of a population.

    Examples
    --------
    >>> family_sizes(np.array([0, 0, 2, 2]))
    FamilySizes(families=2, rho_t=2.0, rho_s=2.0)
    """
    size = np.bincount(families)
    share = size[size > 0] / len(families)
    return FamilySizes(
        len(share),
        float(len(families) * (share**2).sum()),
        float(len(families) * np.exp((share * np.log(share)).sum())),
    )


def block_of(families: np.ndarray, size: int) -> np.ndarray:
    """Number of the block that each member descends from; ``size`` families are cut into equal parts.

    Examples
    --------
    >>> block_of(np.array([0, 7, 399]), 400)
    array([ 0,  0, 19])
    """
    return families * n_blocks(size) // size


def n_blocks(size: int) -> int:
    """Number of blocks of ``size`` families."""
    return max(min(size, FEWEST), min(MOST, size // FAMILIES))


def log_mean_error(share: np.ndarray, block: np.ndarray, n: int) -> float:
    """Error of the logarithm of a mean weight, from the shares of n blocks.

    Examples
    --------
    Blocks that have kept their share of the weight:

    >>> log_mean_error(np.full(4, 0.25), np.array([0, 0, 1, 1]), 2)
    0.0
    """
    of_block = np.bincount(block, share, n)
    return float(np.sqrt(((of_block - 1 / n) ** 2).sum() * n / max(n - 1, 1)))


def weighted_mean(
    x: np.ndarray, share: np.ndarray, block: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of x along the first axis, and its error from n blocks.

    Examples
    --------
    >>> mean, error = weighted_mean(np.array([1.0, 3.0]), np.full(2, 0.5), np.arange(2), 2)
    >>> float(mean), round(float(error), 12)
    (2.0, 1.0)
    """
    mean = x[0] + np.tensordot(share, x - x[0], 1)  # of equal numbers exactly this number
    flat = (x - mean).reshape(len(x), -1)
    squares = [(np.bincount(block, share * column, n) ** 2).sum() for column in flat.T]
    return mean, np.sqrt(np.reshape(squares, np.shape(mean)) * n / max(n - 1, 1))

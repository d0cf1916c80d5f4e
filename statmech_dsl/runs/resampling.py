"""Resampling of a population in place."""

from __future__ import annotations

import numpy as np

STREAM = 1 << 63
"""Numbers of resampling streams, beyond those of first states."""


def generator(seed: int, step: int) -> np.random.Generator:
    """Generator of a step: a function of its number only."""
    return np.random.Generator(np.random.Philox(key=[seed, STREAM + step]))


def copies(share: np.ndarray, families: np.ndarray, u: float) -> np.ndarray:
    """How often each member of a population is copied: systematic resampling.

    Members stand on a line, each as long as its share; equidistant marks, the first at ``u``, pick them. So
    a share of k/n gives k copies, up to one. Families stand together, which leaves the size of a family as
    it was, up to one.

    Examples
    --------
    >>> copies(np.array([0.5, 0.1, 0.4]), np.arange(3), u=0.0)
    array([1, 0, 2])
    """
    n, order = len(share), np.argsort(families, kind="stable")
    ends = np.cumsum(share[order]) * n
    ends[-1] = n
    marks = np.floor(ends + u).astype(np.int64)
    counts = np.empty(n, np.int64)
    counts[order] = np.diff(marks, prepend=0)
    return counts


def in_place(counts: np.ndarray) -> np.ndarray:
    """Whom each place of the population takes: survivors stay, the others are overwritten.

    Examples
    --------
    >>> in_place(np.array([0, 3, 1, 0]))
    array([1, 1, 2, 1])
    """
    rows = np.arange(len(counts))
    rows[counts == 0] = np.repeat(rows, np.maximum(counts - 1, 0))
    return rows

"""Factors of the same shape, together in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.solvers.factors import Factor

LETTERS = "abcdefghijklmnopqrstuvwxy"
TOLERANCE = 1e-10
"""Largest change in an iteration at which it has converged."""
MAX_ITERATIONS = 1000
"""Iterations after which it has not."""


@dataclass(frozen=True, eq=False)
class Group:
    """Factors of the same shape: sites (factors, k), and tables (factors, levels, levels, ...)."""

    sites: np.ndarray
    tempered: np.ndarray
    fixed: np.ndarray

    @property
    def order(self) -> int:
        """Sites of each factor."""
        return self.sites.shape[1]

    def log_weights(self, beta: float) -> np.ndarray:
        """Logarithms of the Boltzmann factors."""
        return -(beta * self.tempered + self.fixed)


@dataclass(frozen=True)
class Stationary:
    """Where an iteration has ended.

    ``marginals`` has a row for each site, with zeros behind its last level. ``residual`` is the
    last change. ``beliefs`` are the probabilities of the values of each factor's sites, by group, where
    the approximation has any of its own.
    """

    log_partition: float
    energy: float
    marginals: np.ndarray
    iterations: int
    residual: float
    beliefs: tuple[np.ndarray, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the last change was small."""
        return self.residual < TOLERANCE


def groups(factors: Sequence[Factor]) -> tuple[Group, ...]:
    """Sort factors by their shape."""
    alike: dict[tuple[int, ...], list[Factor]] = {}
    for f in factors:
        alike.setdefault(f.tempered.shape, []).append(f)
    return tuple(
        Group(
            np.array([f.sites for f in same], dtype=int).reshape(len(same), len(shape)),
            np.array([f.tempered for f in same]),
            np.array([f.fixed for f in same]),
        )
        for shape, same in alike.items()
    )


def on_axis(x: np.ndarray, axis: int, order: int) -> np.ndarray:
    """Vectors (factors, levels) as tables that vary along the axis of one site."""
    shape = [len(x)] + [1] * order
    shape[axis + 1] = x.shape[1]
    return x.reshape(shape)


def contract(table: np.ndarray, vectors: dict[int, np.ndarray]) -> np.ndarray:
    """Sum tables over the axes of some sites, each weighted by its vectors."""
    axes = LETTERS[: table.ndim - 1]
    inputs = ["z" + axes, *("z" + axes[k] for k in vectors)]
    rest = "".join(a for k, a in enumerate(axes) if k not in vectors)
    return np.einsum(f"{','.join(inputs)}->z{rest}", table, *vectors.values())

"""Couplings as linear functions of a few numbers, and what priors say of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from statmech_dsl.inference.problem.interpreted import INTERPRETED
from statmech_dsl.inference.problem.parameter_model import coefficients
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Space

PROBES = 12
"""Random parameters at which couplings are compared."""
PRIOR_DRAWS = 500
"""Draws of priors that their mean, spread and support are taken from."""
ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Directions:
    """All couplings, as ``c = Q z`` with few z: a known pattern of bonds times J has one.

    Attributes
    ----------
    Q : ndarray, shape (couplings, few)
        Orthonormal columns.
    """

    Q: np.ndarray

    @property
    def n(self) -> int:
        """How many numbers z."""
        return self.Q.shape[1]


def directions(posed: Posed, most: int) -> Directions | None:
    """Find the numbers that all couplings are linear functions of; None if there are more than ``most``."""
    space = Space(posed)
    n = sum(len(posed.recovered.tables[name]) for name in posed.couplings)
    if n <= most:
        return Directions(np.eye(n))
    if space.size > most:
        return None
    rng = np.random.default_rng(1)
    found = [
        np.concatenate(list(space.tables(space.start + rng.normal(size=space.size)).values()))
        for _ in range(PROBES)
    ]
    _, sizes, V = np.linalg.svd(np.array(found), full_matrices=False)
    rank = int((sizes > ROUNDING * sizes[0]).sum())
    return Directions(V[:rank].T) if rank <= most else None


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Mean and precision of numbers under their priors, and the box that these allow."""

    mean: np.ndarray
    precision: np.ndarray
    low: np.ndarray
    high: np.ndarray


def beliefs(posed: Posed, directions: Directions, model: pm.Model, seed: int) -> Beliefs:
    """What priors say; flat ones say nothing but where to begin."""
    n = directions.n
    tables = coefficients(posed, posed.couplings, model)
    graphs: Any = [tables[name] for name in posed.couplings]
    try:
        drawn = pm.draw(graphs, draws=PRIOR_DRAWS, random_seed=seed, mode=INTERPRETED)
    except NotImplementedError:  # a flat prior
        space = Space(posed)
        c = np.concatenate(list(space.tables(space.start).values()))
        nothing = np.zeros((n, n))
        return Beliefs(c @ directions.Q, nothing, np.full(n, -np.inf), np.full(n, np.inf))
    z = np.concatenate([x.reshape(PRIOR_DRAWS, -1) for x in drawn], axis=1) @ directions.Q
    # Quantiles: a few draws from long tails would say that anything goes.
    quarter, middle, three = np.quantile(z, [0.25, 0.5, 0.75], axis=0)
    spread = np.maximum((three - quarter) / 1.35, 1e-12)
    correlation = np.corrcoef(np.clip(z, middle - 5 * spread, middle + 5 * spread).T).reshape(n, n)
    covariance = correlation * np.outer(spread, spread)
    precision = np.linalg.inv(covariance + 1e-9 * np.diag(spread**2))
    return Beliefs(middle, precision, z.min(axis=0), z.max(axis=0))

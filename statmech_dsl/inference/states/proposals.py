"""Proposals of a random walk that learns the scale and the covariance of what it explores."""

from __future__ import annotations

import numpy as np

DELAY, DECAY = 10.0, 0.6
"""The gain of adaptation is (n + DELAY)^-DECAY after n proposals."""
SCALE = 0.1
"""Standard deviation of the first proposals, in unconstrained coordinates."""
JITTER = 1e-6
"""What is added to the variances, relative to their mean, so that none becomes zero."""


class AdaptiveNormal:
    """Normal proposals, adapted as in algorithm 4 of Andrieu and Thoms (2008).

    Parameters
    ----------
    start : ndarray
        Where the walk starts.

    Examples
    --------
    >>> walk, generator = AdaptiveNormal(np.zeros(1)), np.random.default_rng(1)
    >>> x = np.zeros(1)
    >>> for _ in range(2000):
    ...     new = x + walk.step(generator)
    ...     accepted = generator.random() < np.exp((x**2 - new**2)[0] / 2)
    ...     x = new if accepted else x
    ...     walk.adapt(x, accepted)
    >>> bool(0.5 < walk.covariance[0, 0] < 2)  # 1 of a standard normal distribution
    True
    """

    def __init__(self, start: np.ndarray) -> None:
        d = len(start)
        self.mean, self.covariance = start.copy(), SCALE**2 * np.eye(d)
        self.target = 0.44 if d == 1 else 0.234 + 0.23 / d
        self._log_scale, self._n = 0.0, 0
        self._factor = np.linalg.cholesky(self.covariance)

    @property
    def axes(self) -> np.ndarray:
        """Principal axes, one in each row, as long as the standard deviation along them."""
        variances, directions = np.linalg.eigh(self.covariance)
        return np.sqrt(np.maximum(variances, 0))[:, None] * directions.T

    def step(self, generator: np.random.Generator) -> np.ndarray:
        """A proposed change."""
        return np.exp(self._log_scale) * (self._factor @ generator.normal(size=len(self.mean)))

    def adapt(self, x: np.ndarray, accepted: bool) -> None:
        """Learn from where the walk is, and whether it has moved."""
        gain = (self._n + DELAY) ** -DECAY
        self._n += 1
        self._log_scale += gain * (accepted - self.target)
        off = x - self.mean
        self.mean = self.mean + gain * off
        self.covariance = self.covariance + gain * (np.outer(off, off) - self.covariance)
        jitter = JITTER * np.trace(self.covariance) / len(x) * np.eye(len(x))
        self._factor = np.linalg.cholesky(self.covariance + jitter)

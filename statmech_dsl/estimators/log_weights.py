"""Log weights of trajectories: what Jarzynski, AIS, stepping stones and population annealing have in common."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError, OverlapWarning, SmallPopulationWarning
from statmech_dsl.estimators.exponential import FEW, worth
from statmech_dsl.estimators.families import (
    block_of,
    family_sizes,
    log_mean_error,
    log_mean_exp,
    n_blocks,
    shares,
)
from statmech_dsl.estimators.tau_int import tau_int

Array = NDArray[np.float64]

FAMILIES = 100
"""Families that a population should have, at least, counted as its size / rho_t."""


@dataclass(frozen=True, eq=False)
class LogPartition:
    """Log of a partition function from weights, its error and diagnostics."""

    value: float
    """Log of the mean over all runs."""
    error: float
    """Standard error, which allows for families that share a history, and for autocorrelation."""
    bias: float
    """By how much ``value`` is too low on average, to first order: half the square of its error."""
    effective_size: float
    """Members that the weights were worth, when it was least."""
    rho_t: float
    """Mean square family size, the largest of all runs: members that carry the information of one."""
    runs: Array
    """By each run alone."""


class LogWeights:
    """Collect log weights of a population, and log Z on the way.

    Weights multiply by `add`. They may be turned into copies by `resample`, or the members be replaced by
    new draws by `renew`; either way the mean weight becomes part of log Z, and weights are 1 again.

    ==================== ===============================================================
    Jarzynski            one `add` of minus the works
    AIS                  `add` at each temperature; `resample` when weights are uneven
    population annealing `add` and `resample` at each temperature
    stepping stones      `add` and `renew` at each temperature; members are draws of a chain
    ==================== ===============================================================

    Parameters
    ----------
    size : int
        Members of a run: independent of each other at first, or draws of a chain in their order.
    runs : int
        Independent runs.
    log_partition : float
        Log Z of the state that the members are drawn from.

    References
    ----------
    C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997); R. M. Neal, Stat. Comput. 11, 125 (2001), for AIS; W. Xie,
    P. O. Lewis, Y. Fan, L. Kuo and M.-H. Chen, Syst. Biol. 60, 150 (2011), for stepping stones; M. Weigel,
    L. Barash, L. Shchur and W. Janke, Phys. Rev. E 103, 053301 (2021), for errors of families.

    Examples
    --------
    Oscillators that are stiffened from k = 1 to 2 and from 2 to 4, each time with new draws:

    >>> rng = np.random.default_rng(1)
    >>> weights = LogWeights(4000)
    >>> for k in (1.0, 2.0):
    ...     x = rng.normal(size=4000) / np.sqrt(k)
    ...     weights.add(-k * x**2 / 2)
    ...     weights.renew()
    >>> found = weights.estimate()
    >>> print(f"{found.value:.2f} +- {found.error:.2f}, exactly {-np.log(2):.2f}")
    -0.69 +- 0.01, exactly -0.69
    """

    def __init__(self, size: int, runs: int = 1, log_partition: float = 0.0) -> None:
        self.families = np.tile(np.arange(size), (runs, 1))
        self.log_weights = np.zeros((runs, size))
        self._settled = np.full(runs, float(log_partition))
        self._variances, self._variance = np.zeros(runs), 0.0
        self._resampled = False
        self._known: tuple[Array, float] | None = None
        self._least, self._rho_t = float(size), 1.0

    def add(self, log_weights: ArrayLike) -> None:
        """Multiply the weights: log weights of shape (size,) or (runs, size)."""
        more = np.asarray(log_weights, float)
        more = more[None] if more.ndim == 1 else more
        if more.shape != self.log_weights.shape or not np.isfinite(more).all():
            raise DiagnosticsError(
                "every member needs a finite log weight",
                where=f"shape {more.shape}, runs and members {self.log_weights.shape}",
                mend="look for energies that are NaN or infinite",
            )
        self.log_weights = self.log_weights + more
        self._known = None

    @property
    def share(self) -> Array:
        """Weights of the members of each run, their sum being 1."""
        return shares(self.log_weights)

    @property
    def log_partition(self) -> Array:
        """Log Z by each run."""
        return self._settled + log_mean_exp(self.log_weights)

    @property
    def errors(self) -> Array:
        """Standard errors of `log_partition`."""
        return self._errors()[0]

    @property
    def error(self) -> float:
        """Standard error of the log of the mean Z of all runs."""
        return self._errors()[1]

    def _errors(self) -> tuple[Array, float]:
        """Both, by the weights: copies that were made of them since know them less well."""
        if self._known is None:
            of_all = shares(self.log_partition)[:, None] * self.share
            if self._resampled:
                runs, size = of_all.shape
                n, block = n_blocks(size), block_of(self.families, size)
                each = [log_mean_error(*x, n) for x in zip(self.share, block, strict=True)]
                block = block + np.arange(runs)[:, None] * n
                whole = log_mean_error(of_all.ravel(), block.ravel(), n * runs)
            else:
                each = [tau_int(x * x.size).error for x in self.share]
                whole = tau_int(of_all * of_all.size).error
            errors = np.sqrt(np.square(each) + self._variances)
            self._known = errors, float(np.hypot(whole, self._variance**0.5))
        return self._known

    def resample(self, rows: NDArray[np.int64]) -> None:
        """Let each member be a copy of that in the given row of its run, as often as its weight says."""
        self._settle()
        self.families = np.take_along_axis(self.families, np.atleast_2d(rows), 1)
        self._resampled = True

    def renew(self) -> None:
        """Go on with new draws, which are independent of all before."""
        self._settle()
        self._variances, self._variance = self.errors**2, self.error**2
        runs, size = self.families.shape
        self.families = np.tile(np.arange(size), (runs, 1))
        self._resampled = False

    def estimate(self) -> LogPartition:
        """Log Z with its error.

        Warns
        -----
        OverlapWarning
            The weights were worth less than 50 members at some time.
        SmallPopulationWarning
            A population is less than 100 rho_t.
        """
        self._note()
        size = self.families.shape[1]
        if self._least < FEW:
            warnings.warn(
                f"the weights are worth {self._least:.3g} members of {size}: log Z may be too low and its "
                "error too small; take more steps, more sweeps at each, or more members",
                OverlapWarning,
                stacklevel=2,
            )
        if self._resampled and size < FAMILIES * self._rho_t:
            warnings.warn(
                f"the population is small: {size} members, and rho_t is {self._rho_t:.3g}; take {FAMILIES} "
                "rho_t of them, or more sweeps",
                SmallPopulationWarning,
                stacklevel=2,
            )
        value, error = float(log_mean_exp(self.log_partition)), self.error
        return LogPartition(
            value, error, error**2 / 2, self._least, self._rho_t, self.log_partition
        )

    def _settle(self) -> None:
        """Let the mean weight be part of log Z."""
        self._note()
        self._errors()
        self._settled = self.log_partition
        self.log_weights = np.zeros_like(self.log_weights)

    def _note(self) -> None:
        """Remember the worst."""
        self._least = min(self._least, *(worth(x)[1] for x in self.log_weights))
        self._rho_t = max(self._rho_t, *(family_sizes(f).rho_t for f in self.families))

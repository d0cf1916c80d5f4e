"""Bins of the energy: where its levels lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.errors import ArgumentError, ModelError

MOST = 100_000
"""More bins would not be visited in any run."""
MEND = "give bins of your own: energies=(low, high, number)"


@dataclass(frozen=True)
class Bins:
    """Bins of equal width: ``low`` is the center of the first of ``n``.

    Walkers are kept within ``window``, the least and the greatest energy that are wanted.
    """

    low: float
    width: float
    n: int
    window: tuple[float, float] = (-math.inf, math.inf)

    @property
    def levels(self) -> np.ndarray:
        """Energies at the centers."""
        return self.low + self.width * np.arange(self.n)

    @property
    def beyond(self) -> np.ndarray:
        """How many bins each bin is away from the window; 0 within."""
        low, high = (np.array(self.window) - self.low) / self.width
        k = np.arange(self.n)
        return np.ceil(np.maximum(np.maximum(low - k, k - high), 0.0) - 1e-6)

    def holds(self, energy: np.ndarray) -> bool:
        """Whether energies lie in bins that are wanted."""
        k = self.index(energy)
        return bool((k >= 0).all() and (k < self.n).all() and (self.beyond[k] == 0).all())

    def index(self, energy: np.ndarray) -> np.ndarray:
        """Bin of each energy; below 0 or above n - 1 for those outside."""
        return np.rint((energy - self.low) / self.width).astype(np.int64)

    def covering(self, energy: np.ndarray) -> tuple[Bins, int]:
        """Bins that cover some energies too, and how many were put in front."""
        k = self.index(energy)
        front, back = max(0, -int(k.min())), max(0, int(k.max()) - self.n + 1)
        if front + self.n + back > MOST:
            raise ArgumentError(f"the energies need more than {MOST} bins", mend=MEND)
        return replace(self, low=self.low - front * self.width, n=front + self.n + back), front


def window_of(energies: Sequence[float] | None) -> tuple[float, float]:
    """The range that the user gave, checked; endless if there is none."""
    if energies is None:
        return -math.inf, math.inf
    bounds = np.asarray(energies, float)
    right = bounds.shape in {(2,), (3,)} and np.isfinite(bounds).all() and bounds[0] < bounds[1]
    if not right or (len(bounds) == 3 and not (1 <= bounds[2] <= MOST and bounds[2] % 1 == 0)):
        raise ArgumentError(
            "energies must be (low, high), or (low, high, number of bins)",
            where=f"energies={energies!r}",
        )
    return float(bounds[0]), float(bounds[1])


def choose_bins(energies: Sequence[float] | None, seen: np.ndarray) -> Bins:
    """Bins of a range that `window_of` has checked, or of the energies that a short run has seen."""
    bounds = () if energies is None else tuple(float(x) for x in energies)
    if len(bounds) == 3:
        low, high = bounds[:2]
        width = (high - low) / bounds[2]
        # The window ends within the outer bins, so that rounding cannot exclude them.
        return Bins(low + width / 2, width, int(bounds[2]), (low + width / 4, high - width / 4))
    width, low = spacing(seen), float(seen.min())
    bins, _ = Bins(low, width, 1).covering(seen)
    if not bounds:
        return bins
    slack = 1e-6 * width
    bins = replace(bins, window=(bounds[0] - slack, bounds[1] + slack))
    if not (bins.beyond == 0).any():
        raise ArgumentError(
            "the model has no energies there",
            where=f"energies={energies!r}, levels from {low:g} to {bins.levels[-1]:g}",
        )
    return bins


def spacing(energies: np.ndarray) -> float:
    """The largest number that all differences of energies are multiples of.

    Raises
    ------
    ModelError
        There is none, or the energy never changes.

    Examples
    --------
    >>> round(spacing(np.array([-2.0, 0.4, 1.6])), 6)
    1.2
    """
    scale = np.abs(energies).max()
    levels = np.unique(np.round(energies / scale, 9)) if scale else np.zeros(1)
    if len(levels) < 2:
        raise ModelError("the energy never changes: all states have the same")
    common = 0.0
    for d in np.diff(levels):
        a, b = float(d), common
        while b > 1e-7:
            a, b = b, abs(math.remainder(a, b))
        common = a
    if (levels[-1] - levels[0]) / common > MOST:
        raise ModelError("the energies are no multiples of a common spacing", mend=MEND)
    n = np.rint((levels[-1] - levels[0]) / common)
    return float((energies.max() - energies.min()) / n)

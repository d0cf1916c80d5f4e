"""Timing of two contenders: in turns, medians with their spread, energies with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.contender import Contender
from statmech_dsl.estimators import tau_int

SIGMAS = 4.0
"""Standard errors by which two energies may differ."""
PRECISION = 0.02
"""Largest relative error of an energy for which agreement says something."""
MANY = 8
"""With so many chains the scatter of their means is the error, whatever the autocorrelation."""


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Median and quartiles of repeated measurements."""
        low, median, high = np.percentile(values, [25, 50, 75])
        return cls(float(median), float(low), float(high))


@dataclass(frozen=True)
class Side:
    """What one contender showed: nanoseconds per update, energy per site and its standard error."""

    name: str
    ns: Spread
    energy: float | None
    error: float | None


@dataclass(frozen=True)
class Duel:
    """Two sides and the ratio of their times, theirs by ours.

    Where ``minimizing``, an energy of ours below theirs agrees too.
    """

    ours: Side
    theirs: Side
    ratio: Spread
    minimizing: bool = False

    @property
    def agree(self) -> bool | None:
        """Whether the energies agree within their errors; None where only one side samples."""
        a, b = self.ours, self.theirs
        if a.energy is None or a.error is None or b.energy is None or b.error is None:
            return None
        error = np.hypot(a.error, b.error)
        precise = error < PRECISION * abs(a.energy)
        difference = a.energy - b.energy if self.minimizing else abs(a.energy - b.energy)
        return bool(precise and difference < SIGMAS * error)


def mean_and_error(energies: np.ndarray) -> tuple[float, float]:
    """Mean of records of shape (records, chains), and its standard error.

    A short series cannot show that it is anticorrelated: its error is at least that of independent records.
    """
    n_chains = energies.shape[1]
    if n_chains >= MANY:
        means = energies.mean(0)
        return float(means.mean()), float(means.std(ddof=1) / np.sqrt(n_chains))
    found = tau_int(energies.T)
    independent = energies.std(ddof=1) / np.sqrt(energies.size)
    return found.value, max(found.error, float(independent))


def duel(
    ours: Contender,
    theirs: Contender,
    *,
    repeats: int = 11,
    seconds: float = 0.2,
    sweeps: int | None = None,
    minimizing: bool = False,
) -> Duel:
    """Time both in turns, so that a slow moment hits both.

    A turn takes about ``seconds`` (one sweep at least), or has the given number of ``sweeps``, where
    they are a schedule from beginning to end.
    """
    contenders = (ours, theirs)
    counts = [sweeps or max(1, round(seconds / max(c.sweep(1), 1e-7))) for c in contenders]
    times: list[list[float]] = [[], []]
    energies: list[list[np.ndarray]] = [[], []]
    for _ in range(repeats):
        for k, contender in enumerate(contenders):
            spent = contender.sweep(counts[k])
            times[k].append(spent / counts[k] / contender.updates * 1e9)
            energies[k].append(contender.energy())
    a, b = (
        side(c.name, np.array(t), np.array(e))
        for c, t, e in zip(contenders, times, energies, strict=True)
    )
    return Duel(a, b, Spread.of(np.array(times[1]) / np.array(times[0])), minimizing)


def side(name: str, times: np.ndarray, energies: np.ndarray) -> Side:
    """Times, and energies if there are any, of one contender."""
    value, error = mean_and_error(energies) if energies.size else (None, None)
    return Side(name, Spread.of(times), value, error)

"""Masses of sites: inverse variances, estimated in windows of tuning that double in length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import IllegalUpdateError

SHORTEST = 25
"""States in a window, at least."""
MORE, FLOOR = 5.0, 1e-3
"""An estimate counts so many states more than there were, of this part of the mean variance of all sites."""


class Masses:
    """The masses of all variables that have them, each row (a replica, or a place in a ladder) by itself.

    So a chain does not depend on how many others there are. Windows double in length, as in Stan (Carpenter
    et al., J. Stat. Softw. 76, 1 (2017)): the last one ends after four fifths of tuning, and what comes before
    the first is left out. Variances are added up as Welford (Technometrics 4, 419 (1962)) does.
    """

    def __init__(self, sampler: Sampler, states: int) -> None:
        self.rows = sampler.program.mass_rows
        self._edges, self._passed = window_edges(states), 0
        self._seen = self._n = 0
        self._mean = {v: np.zeros(()) for v in self.rows}
        self._squares = dict(self._mean)

    def observe(self, values: Mapping[str, np.ndarray]) -> None:
        """Take a state: the values of each variable, (rows, sites)."""
        self._seen += 1
        self._n += 1
        for v, x in values.items():
            off = x - self._mean[v]
            self._mean[v] = self._mean[v] + off / self._n
            self._squares[v] = self._squares[v] + off * (x - self._mean[v])

    def update(self, params: np.ndarray) -> bool:
        """Set the masses, rows of ``params``, if a window has ended; whether it has."""
        if self._passed == len(self._edges) or self._seen < self._edges[self._passed]:
            return False
        self._passed += 1
        for v, rows in self.rows.items():
            if self._passed > 1:
                params[rows] = masses_of(self._squares[v] / (self._n - 1), self._n).T
            self._mean[v] = self._squares[v] = np.zeros(())
        self._n = 0
        return bool(self.rows) and self._passed > 1


def window_edges(states: int) -> list[int]:
    """Where windows begin, and where the last one ends.

    >>> window_edges(1000)
    [25, 50, 100, 200, 400, 800]
    """
    edges = [4 * states // 5]
    while edges[0] // 2 >= SHORTEST:
        edges.insert(0, edges[0] // 2)
    return edges


def masses_of(variance: np.ndarray, n: int) -> np.ndarray:
    """Inverse variances of n states, drawn together as in Stan; 1 where nothing has moved.

    Stan adds a fixed small variance. A part of the mean one makes the same of a field in any units, as the
    scale of all masses together is one with the step.
    """
    mean = variance.mean(axis=1, keepdims=True)
    return (n + MORE) / np.where(mean > 0, n * variance + MORE * FLOOR * mean, n + MORE)


def refuse_masses(sampler: Sampler) -> None:
    """Raise where temperatures change and masses would have to be estimated."""
    for v in sampler.program.mass_rows:
        raise IllegalUpdateError(
            f"the masses of {v!r} are estimated at a temperature that stays, and here it changes",
            where="mass='diagonal'",
            mend="use unit masses, or give those of a run of sm.sample, as in "
            f"sm.HMC(mass=data.final_state['{v}.mass'].mean('chain'))",
        )

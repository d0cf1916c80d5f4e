"""Whether auxiliary states have forgotten where they started, and how many sweeps that takes.

What enters the exchange algorithm of a state y is how its energy changes with the parameters. It is
measured along the principal axes v of the posterior, as (E(y, c + v) - E(y, c - v)) / 2 around its center c.
The fluctuations of this are of order 1, as the data have fixed the axes, and so is a shift by one
standard deviation of the posterior.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from statmech_dsl.errors import EquilibrationWarning
from statmech_dsl.estimators import tau_int
from statmech_dsl.inference.states.replicas import Replicas

Couplings = Mapping[str, np.ndarray]

SAFETY = 10
"""Sweeps of an auxiliary state, in autocorrelation times of what enters."""
FEWEST = 10
"""Sweeps of an auxiliary state, at least."""
SHORTEST, LONGEST = 200, 1600
"""Sweeps of a run that measures autocorrelation times."""
ENOUGH = 50
"""Autocorrelation times after which such a run is long enough."""
FOLLOWED = 64
"""Replicas whose autocorrelations are measured."""
SIGMAS, RELEVANT = 4.0, 0.1
"""A bias is reported if it is as many standard errors, and as many standard deviations of the posterior."""


@dataclass(eq=False)
class Equilibration:
    """What is known of the auxiliary states of a chain.

    Attributes
    ----------
    around : list of pairs of couplings
        At the two ends of each principal axis.
    times : list of float
        Autocorrelation times found so far, in sweeps.
    shifts : list of ndarray
        For each check what enters from a state that started hot, minus that of one that started at the data.
    """

    around: list[tuple[Couplings, Couplings]]
    times: list[float] = field(default_factory=list)
    shifts: list[np.ndarray] = field(default_factory=list)

    @property
    def sweeps(self) -> int:
        """Sweeps of an auxiliary state."""
        return max(FEWEST, int(np.ceil(SAFETY * max(self.times[-3:], default=0.0))))

    def entering(self, replicas: Replicas, packed: Any) -> np.ndarray:
        """What enters of each replica, along each axis; the couplings of the replicas are others afterwards."""
        out = []
        for ends in self.around:
            energy = []
            for tables in ends:
                replicas.follow(tables)
                energy.append(replicas.energy(packed))
            out.append((energy[1] - energy[0]) / 2)
        return np.array(out)

    def measure_time(self, replicas: Replicas, packed: Any, tables: Couplings) -> None:
        """Find the longest autocorrelation time of what enters, in a run of its own."""
        series: list[np.ndarray] = []
        time, n = np.inf, SHORTEST
        while n < ENOUGH * time and n <= LONGEST:
            while len(series) < n:
                replicas.follow(tables)
                replicas.sweep(packed, 1)
                series.append(self.entering(replicas, packed)[:, :FOLLOWED])
            time, n = max(tau_int(x).tau for x in np.array(series).transpose(1, 2, 0)), 2 * n
        self.times.append(time)


def report(chains: Sequence[Equilibration]) -> dict[str, Any]:
    """What a user should know of the auxiliary states of all chains; warn of those that had not equilibrated.

    Warns
    -----
    EquilibrationWarning
        States that started hot differ from those that started at the data.
    """
    attrs: dict[str, Any] = {"auxiliary_sweeps": [c.sweeps for c in chains]}
    shifts = np.array([x for c in chains for x in c.shifts])
    if len(shifts) < 2:
        return attrs
    bias = shifts.mean(axis=0)
    error = shifts.std(axis=0, ddof=1) / np.sqrt(len(shifts))
    sigmas = np.abs(bias) / np.maximum(error, np.finfo(float).tiny)
    wrong = (sigmas > SIGMAS) & (np.abs(bias) > RELEVANT)
    worst = int(np.abs(bias).argmax())
    attrs |= {
        "auxiliary_bias": float(abs(bias[worst])),
        "auxiliary_bias_error": float(error[worst]),
        "auxiliary_equilibrated": int(not wrong.any()),
    }
    if wrong.any():
        warnings.warn(
            f"auxiliary states had not equilibrated within {max(attrs['auxiliary_sweeps'])} sweeps: those "
            f"that started at random would shift the posterior by {abs(bias[worst]):.2f} of its standard "
            "deviations. It may be wrong; a method without auxiliary states, such as "
            "method='pseudolikelihood', or narrower priors may help",
            EquilibrationWarning,
            stacklevel=4,
        )
    return attrs

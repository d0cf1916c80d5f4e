"""The state of a run: plain arrays and counters, so that it can be stored and resumed at any sweep."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class State:
    """Replicas of a system between two sweeps.

    ``values[name]`` has shape (replicas, rows) in the storage type of the variable; a row is a site, or a
    component of one (site * components + component). ``replicas`` are the numbers that random streams
    depend on, ``beta`` the inverse temperatures, ``sweep`` the number of sweeps done. ``params`` holds
    tuned parameters, shape (number of parameters, replicas), in the order of the program's steps, then masses
    of sites where tuning estimates them;
    ``accepted`` counts accepted moves, a row for each step, then what else collective moves count.
    ``law_table`` and ``law_range`` (lowest energy, bin width) belong to a tabulated law; copies share the
    table.
    """

    values: dict[str, np.ndarray]
    replicas: np.ndarray
    beta: np.ndarray
    seed: int
    sweep: int
    params: np.ndarray
    accepted: np.ndarray
    law_table: np.ndarray = field(default_factory=lambda: np.zeros(1))
    law_range: tuple[float, float] = (0.0, 1.0)

    @property
    def n_replicas(self) -> int:
        """Number of replicas."""
        return len(self.replicas)

    def copy(self) -> State:
        """Independent copy."""
        return State(
            {k: v.copy() for k, v in self.values.items()},
            self.replicas.copy(),
            self.beta.copy(),
            self.seed,
            self.sweep,
            self.params.copy(),
            self.accepted.copy(),
            self.law_table,
            self.law_range,
        )

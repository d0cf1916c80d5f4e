"""Log-likelihood of states that are not fitted, log Z by annealed importance sampling."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pymc as pm

from statmech_dsl.errors import ModelError, OverlapWarning
from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.learning.layer import layer
from statmech_dsl.runs.free_energy import free_energy
from statmech_dsl.solvers.evaluate import energies

DRAWS = 500
"""Members of the annealed population."""


class HeldOut:
    """Mean log-likelihood of a state of the test data, as a function of the fitted vector.

    Raises
    ------
    ModelError
        Hidden sites depend on each other, given the data: no sum over them is at hand.
    """

    def __init__(self, task: Task) -> None:
        assert task.test is not None
        self.task, self.posed = task, task.test
        r, hidden = self.posed.recovered, self.posed.hidden
        self.layer = layer(r.ir, r.tables, hidden)
        if hidden and self.layer is None:
            raise ModelError(
                "hidden sites depend on each other, or some sites are missing: the likelihood of test "
                "data would be a sum over their states",
                mend="leave out test_every, or learn by method='exact'",
            )
        own = [f for f in r.ir.families if not any(f.reads(name) for name in hidden)]
        self.rest = replace(r.ir, families=tuple(own))
        self.states = self.posed.states()

    def __call__(self, x: np.ndarray) -> float:
        """Weights of the states by the model, less log Z."""
        tables = self.posed.recovered.tables | self.task.space.tables(x)
        weights = -np.add(*energies(self.rest, tables, self.states))
        if self.layer is not None:
            weights = weights + self.layer.log_sums(self.layer.couplings(tables), self.states)
        return float(weights.mean()) - self.log_partition(x)

    def log_partition(self, x: np.ndarray) -> float:
        """Log Z by annealed importance sampling."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)
            found = free_energy(
                with_numbers(self.task, x),
                method="annealing",
                draws=DRAWS,
                tune=100,
                chains=1,
                seed=self.task.seed,
                backend=self.task.backend,
                threads=self.task.threads,
                progressbar=False,
            )
        return float(found.log_partition)


def with_numbers(task: Task, x: np.ndarray) -> pm.Model:
    """The model with the fitted values in place of its random parameters."""
    fitted = task.space.natural(x)
    others = {v.name: np.ones(v.type.shape) for v in task.posed.parameters if v.name not in fitted}
    return pm.do(task.posed.model, fitted | others)

"""Maximum pseudolikelihood: the product of the distributions of single sites, given all others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.learning.base import Fit, Learner, Task
from statmech_dsl.inference.learning.climb import climb, covariance_of, require_bounded
from statmech_dsl.inference.learning.scores import curvature, scatter
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.pseudolikelihood.conditionals import Conditionals, conditionals

ENOUGH = 4
"""States for each parameter from which the scatter of their gradients is known."""
MAX_PARAMETERS = 4000
"""Up to which standard errors are computed: they take matrices of that size."""


@dataclass(frozen=True)
class Pseudolikelihood(Learner):
    """Climbs the log-pseudolikelihood by L-BFGS."""

    max_steps: int = 1000
    tol: float = 1e-7
    standard_errors: bool = True

    name: ClassVar[str] = "pseudolikelihood"
    assumes: ClassVar[str] = (
        "maximizes the product of the probabilities of single sites given all others: right for many states, "
        "a little less precise than the likelihood"
    )

    @classmethod
    def refuse(cls, posed: Posed) -> str | None:  # noqa: D102
        if posed.hidden:
            return f"{', '.join(posed.hidden)} was not seen, or not everywhere"
        one = {name: x[:, :1] for name, x in posed.states().items()}
        r = posed.recovered
        try:
            conditionals(r.ir, r.tables, one, posed.couplings)
        except InfeasibleError as error:
            return error.what
        return None

    def fit(self, task: Task) -> Fit:  # noqa: D102
        space, n = task.space, task.posed.n_states
        seen = _conditionals_of(task.posed)

        def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = seen(seen.vector(space.tables(x)))
            return -value / n, space.gradient(x, seen.tables(-slope / n))

        x, history = climb(task, objective, self.max_steps, self.tol)
        history["log_pseudolikelihood"] = history.pop("objective") * n
        attrs: dict[str, str | int | float] = {}
        if task.test is not None:
            test = _conditionals_of(task.test)
            each = test.each(test.vector(space.tables(x)))
            attrs["test_log_pseudolikelihood"] = float(each.sum())
        covariance = None
        if self.standard_errors and space.size <= MAX_PARAMETERS:
            after = require_bounded(task, x, partial(_information, task, seen))
            covariance, attrs["standard_errors"] = self._covariance(task, seen, x, after)
        return Fit(x, history, None if task.l1.any() else covariance, attrs=attrs)

    @staticmethod
    def _covariance(
        task: Task, seen: Conditionals, x: np.ndarray, information: np.ndarray
    ) -> tuple[np.ndarray, str]:
        """Covariance of the vector, and by what."""
        space, n = task.space, task.posed.n_states
        inverse = covariance_of(information + np.diag(task.l2), n)
        if n < ENOUGH * space.size or not np.isfinite(inverse).all():
            return inverse, "inverse Hessian: too narrow where sites are strongly correlated"
        j = space.jacobian(x)
        between = j.T @ scatter(seen, seen.vector(space.tables(x))) @ j
        return inverse @ between @ inverse, "sandwich: the scatter of the states' gradients"


def _information(task: Task, seen: Conditionals, x: np.ndarray) -> np.ndarray:
    """Curvature for one state, by the vector."""
    j = task.space.jacobian(x)
    return j.T @ curvature(seen, seen.vector(task.space.tables(x))) @ j / task.posed.n_states


def _conditionals_of(posed: Posed) -> Conditionals:
    r = posed.recovered
    return conditionals(r.ir, r.tables, posed.states(), posed.couplings)

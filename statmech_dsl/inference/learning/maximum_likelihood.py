"""Exact maximum likelihood, by summing over all states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from statmech_dsl.inference.learning.base import Fit, Learner, Task
from statmech_dsl.inference.learning.climb import (
    ROUNDING,
    climb,
    covariance_of,
    require_bounded,
    unbounded,
)
from statmech_dsl.inference.log_partition.sums import Sums, data_sums, model_sums, too_many
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Space


@dataclass(frozen=True)
class MaximumLikelihood(Learner):
    """Climbs the exact log-likelihood; its gradient is <S> of the data minus <S> of the model."""

    max_steps: int = 1000
    tol: float = 1e-7

    name: ClassVar[str] = "exact"
    assumes: ClassVar[str] = (
        "maximizes the exact likelihood, log Z and hidden sites summed over all states"
    )

    @classmethod
    def refuse(cls, posed: Posed) -> str | None:  # noqa: D102
        return too_many(posed)

    def fit(self, task: Task) -> Fit:  # noqa: D102
        space, posed = task.space, task.posed
        model, data = model_sums(posed), data_sums(posed)
        if not posed.hidden:
            _require_inside(task, model, data)

        def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
            return _mean_log_likelihood(space, x, model, data)

        def information(x: np.ndarray) -> np.ndarray:
            """Of one state, in the vector: what the states of the model tell, less what is hidden."""
            c, j = _flat(space, x), space.jacobian(x)
            return j.T @ (model.covariance(c) - data.covariance(c)) @ j

        x, history = climb(task, objective, self.max_steps, self.tol)
        after = information(x) if posed.hidden else require_bounded(task, x, information)
        history["log_likelihood"] = history.pop("objective") * posed.n_states
        attrs: dict[str, str | int | float] = {
            "standard_errors": "observed information" if posed.hidden else "Fisher information"
        }
        if task.test is not None:
            test, _ = _mean_log_likelihood(space, x, model, data_sums(task.test))
            attrs["test_log_likelihood"] = test * task.test.n_states
        covariance = covariance_of(after + np.diag(task.l2), posed.n_states)
        return Fit(x, history, None if task.l1.any() else covariance, attrs=attrs)


def _flat(space: Space, x: np.ndarray) -> np.ndarray:
    return np.concatenate(list(space.tables(x).values()))


def _mean_log_likelihood(
    space: Space, x: np.ndarray, model: Sums, data: Sums
) -> tuple[float, np.ndarray]:
    """Of one state, and its gradient."""
    tables = space.tables(x)
    c = np.concatenate(list(tables.values()))
    (log_z, of_model, _), (seen, of_data, _) = model.log_partition(c), data.log_partition(c)
    ends = np.cumsum([len(t) for t in tables.values()])
    parts = np.split(of_model - of_data, ends[:-1])
    return seen - log_z, space.gradient(x, dict(zip(tables, parts, strict=True)))


def _require_inside(task: Task, model: Sums, data: Sums) -> None:
    """Refuse data whose statistic of a parameter is the largest or smallest that any state has.

    Raises
    ------
    UnboundedLikelihoodError
        A parameter is named.
    """
    j = task.space.jacobian(task.start)
    each, seen = model.statistics @ j, (data.statistics @ j)[0]
    low, high = each.min(axis=0), each.max(axis=0)
    margin = ROUNDING * np.maximum(high - low, 1e-300)
    out = ((seen <= low + margin) | (seen >= high - margin)) & (high > low) & ~task.penalized
    if out.any():
        raise unbounded(task, int(np.flatnonzero(out)[0]))

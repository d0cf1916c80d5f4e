"""Maxima of functions of the parameters that can be evaluated with their gradient: L-BFGS, penalties."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from statmech_dsl.errors import InterruptedWarning, NotConvergedWarning, UnboundedLikelihoodError
from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.problem.space import Arrays

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""A mean over states that is to be maximized, and its gradient."""

FLAT = 1e-10
"""Curvature, relative to the largest, below which the data do not tell where along a direction to be."""
VANISHED = 0.05
"""Curvature of all states, relative to that of one at the start, where a maximum has run away to infinity."""
ROUNDING = 1e-9


def climb(task: Task, objective: Objective, steps: int, tol: float) -> tuple[np.ndarray, Arrays]:
    """Maximize the objective minus penalties; returns the maximum and the history of the steps.

    With l1, x = u - w with u, w >= 0, and l1 (u + w) is smooth there.
    """
    l1, l2, n = task.l1, task.l2, len(task.start)
    split = bool(l1.any())
    history: list[tuple[float, float]] = []
    best = task.start.copy()
    last: dict[bytes, tuple[float, np.ndarray]] = {}

    def at(x: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective; what was asked for last is kept."""
        key = x.tobytes()
        if key not in last:
            found = objective(x)
            last.clear()
            last[key] = found
        return last[key]

    def joined(y: np.ndarray) -> np.ndarray:
        return y[:n] - y[n:] if split else y

    def loss(y: np.ndarray) -> tuple[float, np.ndarray]:
        x = joined(y)
        value, slope = at(x)
        down = l2 * x - slope
        total = -value + 0.5 * float(l2 @ x**2)
        if not split:
            return total, down
        return total + float(l1 @ (y[:n] + y[n:])), np.concatenate([l1 + down, l1 - down])

    def seen(intermediate_result: OptimizeResult) -> None:
        nonlocal best
        best = joined(intermediate_result.x).copy()
        value, slope = at(best)
        history.append((value, _norm(best, slope, l1, l2)))
        task.advance(1, f"{value:.6g} a state")

    start = np.concatenate([np.maximum(best, 0), np.maximum(-best, 0)]) if split else best
    try:
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * (2 * n) if split else None,
            callback=seen,
            options={
                "maxiter": steps,
                "maxfun": 20 * steps,
                "gtol": tol,
                "ftol": 1e-15,
                "maxcor": 20,
            },
        )
        best = joined(found.x)
    except KeyboardInterrupt:
        warnings.warn(f"interrupted after {len(history)} steps", InterruptedWarning, stacklevel=4)
    value, slope = at(best)
    history.append((value, _norm(best, slope, l1, l2)))
    if len(history) > steps:
        text = f"not converged after {steps} steps: the gradient is still {history[-1][1]:.3g}"
        warnings.warn(text, NotConvergedWarning, stacklevel=4)
    values, norms = np.array(history).T
    return best, {"objective": values, "gradient_norm": norms}


def _norm(x: np.ndarray, slope: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> float:
    """Largest element of the gradient of the penalized objective; where l1 keeps an x at 0 it has none."""
    g = slope - l2 * x
    g = np.where(x == 0, np.sign(g) * np.maximum(abs(g) - l1, 0), g - l1 * np.sign(x))
    return float(abs(g).max())


def covariance_of(information: np.ndarray, n: int) -> np.ndarray:
    """Inverse of n times the information of a state; infinite where it says nothing."""
    try:
        whole = np.linalg.inv(np.linalg.cholesky(information))
    except np.linalg.LinAlgError:
        whole = None
    if whole is not None and (whole**2).sum() * information.trace() < len(information) / FLAT:
        return whole.T @ whole / n
    values, vectors = np.linalg.eigh(information)
    flat = values <= FLAT * max(values.max(), 0.0)
    inverse = (vectors[:, ~flat] / values[~flat]) @ vectors[:, ~flat].T / n
    unknown = (vectors[:, flat] ** 2).sum(axis=1) > ROUNDING
    inverse[unknown, unknown] = np.inf
    return inverse


def require_bounded(
    task: Task, x: np.ndarray, information: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """The information of a state at x, if a maximum is there: hardly any is left where x has run away.

    Raises
    ------
    UnboundedLikelihoodError
        Some element has no penalty, and the data do not keep it finite.
    """
    after = information(x)
    left = task.posed.n_states * np.diag(after)
    if (suspect := (left < VANISHED) & ~task.penalized).any():
        before = np.diag(information(task.start))
        if (away := suspect & (left < VANISHED * np.minimum(before, 1.0))).any():
            raise unbounded(task, int(np.flatnonzero(away)[0]))
    return after


def unbounded(task: Task, k: int) -> UnboundedLikelihoodError:
    """The error for an element of the vector whose maximum lies at infinity."""
    space = task.space
    name = next(name for name in space.names if space.of(name).start <= k < space.of(name).stop)
    size = space.of(name).stop - space.of(name).start
    which = f"{name}[{k - space.of(name).start}]" if size > 1 else name
    return UnboundedLikelihoodError(
        "the likelihood has no maximum: the larger a parameter is, the better it fits, as the data "
        "hold one extreme value of what it couples to",
        where=f"parameter {which}",
        mend="give more data, a penalty (l2=0.01), or a prior and sm.infer",
    )

"""The Bethe approximation, by belief propagation: exact on trees.

Messages from factors to sites are logarithms of weights. Half of each step is taken, which
damps oscillations. A fixed point is a stationary point of the Bethe free energy
[J. S. Yedidia, W. T. Freeman and Y. Weiss, IEEE Trans. Inf. Theory 51, 2282 (2005)].
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from statmech_dsl.solvers.approximations.groups import (
    MAX_ITERATIONS,
    TOLERANCE,
    Group,
    Stationary,
    on_axis,
)

DAMPING = 0.5
"""What is kept of the previous messages."""
LOWEST = -1e4
"""Logarithm of a weight that stands for 0: differences of such messages stay defined."""

Messages = list[list[np.ndarray]]
"""By group and axis: arrays (factors, levels)."""


class Bethe:
    """Factors of a system."""

    def __init__(self, groups: Sequence[Group], n_levels: np.ndarray) -> None:
        self.groups = groups
        self.allowed = np.arange(n_levels.max(initial=1)) < n_levels[:, np.newaxis]
        self.messages: Messages = []

    def solve(self, beta: float, start: np.ndarray) -> Stationary:
        """Iterate from log weights of single sites, which all factors send at first."""
        messages: Messages = [
            [_normalized(start[g.sites[:, k], : g.tempered.shape[k + 1]]) for k in range(g.order)]
            for g in self.groups
        ]
        return self.follow(beta, messages, DAMPING, MAX_ITERATIONS)

    def follow(
        self,
        beta: float,
        messages: Messages,
        damping: float,
        most: int,
    ) -> Stationary:
        """Iterate from messages, such as those of a fixed point nearby; the last are kept."""
        weights = [g.log_weights(beta) for g in self.groups]
        residual, iteration = np.inf, 0
        while residual >= TOLERANCE and iteration < most:
            iteration += 1
            new = self._step(weights, messages)
            pairs = [p for a, b in zip(new, messages, strict=True) for p in zip(a, b, strict=True)]
            residual = max((float(abs(a - b).max()) for a, b in pairs), default=0.0)
            messages = [
                [_normalized((1 - damping) * a + damping * b) for a, b in zip(x, y, strict=True)]
                for x, y in zip(new, messages, strict=True)
            ]
        self.messages = messages
        return self._stationary(weights, messages, iteration, residual)

    def _step(self, weights: list[np.ndarray], messages: Messages) -> Messages:
        total = self._total(messages)
        new: Messages = []
        for g, w, sent in zip(self.groups, weights, messages, strict=True):
            cavity = self._cavities(total, g, sent)
            joint = w + sum(on_axis(x, k, g.order) for k, x in enumerate(cavity))
            new.append([])
            for k, x in enumerate(cavity):
                others = tuple(m + 1 for m in range(g.order) if m != k)
                out = _log_sum(joint - on_axis(x, k, g.order), others)
                new[-1].append(_normalized(out))
        return new

    def _total(self, messages: Messages) -> np.ndarray:
        """Sum of all messages to each site."""
        total = np.where(self.allowed, 0.0, -np.inf)
        for g, sent in zip(self.groups, messages, strict=True):
            for k, x in enumerate(sent):
                for level, column in enumerate(x.T):
                    total[:, level] += np.bincount(g.sites[:, k], column, len(total))
        return total

    def _cavities(self, total: np.ndarray, g: Group, sent: list[np.ndarray]) -> list[np.ndarray]:
        """What each site receives from all other factors."""
        return [total[g.sites[:, k], : x.shape[1]] - x for k, x in enumerate(sent)]

    def _stationary(
        self, weights: list[np.ndarray], messages: Messages, iteration: int, residual: float
    ) -> Stationary:
        total = self._total(messages)
        log_Z, energy, beliefs = float(_log_sum(total, (1,)).sum()), 0.0, []
        for g, w, sent in zip(self.groups, weights, messages, strict=True):
            cavity = self._cavities(total, g, sent)
            joint = w + sum(on_axis(x, k, g.order) for k, x in enumerate(cavity))
            flat = joint.reshape(len(joint), -1)
            log_Z += float(_log_sum(flat, (1,)).sum())
            log_Z -= sum(
                float(_log_sum(x + m, (1,)).sum()) for x, m in zip(cavity, sent, strict=True)
            )
            beliefs.append(softmax(flat, axis=1))
            energy += float(np.vdot(beliefs[-1], g.tempered))
        return Stationary(
            log_Z, energy, softmax(total, axis=1), iteration, residual, tuple(beliefs)
        )


def _normalized(x: np.ndarray) -> np.ndarray:
    return np.maximum(x - _log_sum(x, (1,))[:, np.newaxis], LOWEST)


def _log_sum(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Logarithm of the sum of exp(x); what is summed comes first, as many short sums are slow otherwise."""
    x = np.moveaxis(x, axes, range(len(axes)))
    short, rest = x.shape[: len(axes)], x.shape[len(axes) :]
    x = np.ascontiguousarray(x).reshape(math.prod(short), *rest)
    top = np.maximum(x.max(axis=0), LOWEST)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(x - top).sum(axis=0)) + top

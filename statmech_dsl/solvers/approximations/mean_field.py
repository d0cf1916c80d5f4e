"""Naive mean field: the product of single-site distributions of the lowest free energy.

Its log Z, <log weight> + entropy, is a lower bound of the true one. Sites of one color share no factor. They
are set to their best distributions together, color after color, so that the bound rises at every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import networkx as nx
import numpy as np
from scipy.special import entr, softmax

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.approximations.groups import (
    MAX_ITERATIONS,
    TOLERANCE,
    Group,
    Stationary,
    contract,
)


class MeanField:
    """Factors of a system, and colors of its sites."""

    def __init__(self, groups: Sequence[Group], n_levels: np.ndarray) -> None:
        if not all(np.isfinite(g.fixed).all() for g in groups):
            raise InfeasibleError(
                "mean_field takes no forbidden states: independent sites would visit them",
                mend="use method='bethe'",
            )
        self.groups, self.n_levels = groups, n_levels
        self.allowed = np.arange(n_levels.max(initial=1)) < n_levels[:, np.newaxis]
        self.passes = [self._pass(sites) for sites in _colors(groups, len(n_levels))]

    def solve(self, beta: float, start: np.ndarray) -> Stationary:
        """Iterate from log weights of single sites."""
        weights = [g.log_weights(beta) for g in self.groups]
        q = softmax(np.where(self.allowed, start, -np.inf), axis=1)
        residual, iteration = np.inf, 0
        while residual >= TOLERANCE and iteration < MAX_ITERATIONS:
            iteration += 1
            residual = 0.0
            for sites, parts in self.passes:
                field = np.where(self.allowed, 0.0, -np.inf)
                for number, axis, chosen in parts:
                    g = self.groups[number]
                    others = {k: self._of(q, g, k)[chosen] for k in range(g.order) if k != axis}
                    x = contract(weights[number][chosen], others)
                    np.add.at(field[:, : x.shape[1]], g.sites[chosen, axis], x)
                new = softmax(field[sites], axis=1)
                residual = max(residual, abs(new - q[sites]).max())
                q[sites] = new
        log_weight, energy = (
            sum(float(self._mean(q, g, x).sum()) for g, x in zip(self.groups, tables, strict=True))
            for tables in (weights, [g.tempered for g in self.groups])
        )
        return Stationary(log_weight + float(entr(q).sum()), energy, q, iteration, residual)

    def _of(self, q: np.ndarray, g: Group, axis: int) -> np.ndarray:
        return q[g.sites[:, axis], : g.tempered.shape[axis + 1]]

    def _mean(self, q: np.ndarray, g: Group, table: np.ndarray) -> np.ndarray:
        return contract(table, {k: self._of(q, g, k) for k in range(g.order)})

    def _pass(self, sites: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, np.ndarray]]]:
        """The sites of a color, and where they occur: group, axis, factors."""
        here = np.zeros(len(self.n_levels), bool)
        here[sites] = True
        parts = [
            (number, axis, chosen)
            for number, g in enumerate(self.groups)
            for axis in range(g.order)
            if len(chosen := np.flatnonzero(here[g.sites[:, axis]]))
        ]
        return sites, parts


def _colors(groups: Sequence[Group], n: int) -> Iterator[np.ndarray]:
    graph = nx.empty_graph(n)
    for g in groups:
        for a, b in combinations(range(g.order), 2):
            graph.add_edges_from(g.sites[:, [a, b]].tolist())
    color = nx.greedy_color(graph)
    found = np.array([color[s] for s in range(n)], dtype=int)
    for c in range(found.max(initial=-1) + 1):
        yield np.flatnonzero(found == c)

"""Exact transition matrices of small discrete models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product

import numpy as np

from statmech_dsl.backends.branching import branches
from statmech_dsl.backends.collective import Definition
from statmech_dsl.backends.reference import Reference, Values
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.state import State


class Enumeration:
    """All states of a small discrete model and the exact kernels between them.

    Parameters
    ----------
    reference : Reference
        Interpreter of the program.
    state : State
        One replica; it gives the clamped values, beta and the law.
    moves : sequence of (Definition, int)
        The collective moves of the program, and how often a sweep makes each.
    """

    def __init__(
        self, reference: Reference, state: State, moves: Sequence[tuple[Definition, int]] = ()
    ) -> None:
        self.reference, self.state, self.moves = reference, state, moves
        program, tables = reference.program, reference.tables
        self.sites = [(v.name, int(i)) for v in program.model.variables for i in tables[v.free]]
        self.place = {s: k for k, s in enumerate(self.sites)}
        domains = {v.name: v.domain.values for v in program.model.variables}
        self.configurations = list(product(*(domains[name] or () for name, _ in self.sites)))
        self.number = {c: k for k, c in enumerate(self.configurations)}
        pairs = [reference.energies(self.values(c)) for c in self.configurations]
        self.energy = np.array([p[0] for p in pairs])
        self.fixed = np.array([p[1] for p in pairs])

    def values(self, configuration: tuple[float, ...]) -> Values:
        """Arrays of a configuration."""
        x = {name: v[0].copy() for name, v in self.state.values.items()}
        for (name, site), value in zip(self.sites, configuration, strict=True):
            x[name][site] = value
        return x

    def log_weights(self) -> np.ndarray:
        """Log weight of every configuration under the program's law."""
        if self.reference.program.law == "boltzmann":
            return -self.state.beta[0] * self.energy - self.fixed
        law = self.reference.environment(self.state, 0, self.values(self.configurations[0]))["law"]
        return np.array([law(e) for e in self.energy]) - self.fixed

    def stationary(self) -> np.ndarray:
        """Probability of every configuration."""
        w = self.log_weights()
        p = np.exp(w - w.max())
        return p / p.sum()

    def sectors(self, conserved: Collection[str]) -> np.ndarray:
        """A number for every configuration: that of all with the same values of some variables in any order."""
        keys = [
            tuple(
                tuple(sorted(x for (v, _), x in zip(self.sites, c, strict=True) if v == name))
                for name in conserved
            )
            for c in self.configurations
        ]
        number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        return np.array([number[key] for key in keys])

    def matrix(self, simultaneous: bool = False) -> np.ndarray:
        """Transition matrix of a sweep.

        Site by site, or ``simultaneous``: all sites of a color decide on the state that the color began
        with. The two agree if and only if the coloring is right, up to rounding.
        """
        p = np.eye(len(self.configurations))
        for q in self.reference.program.passes:
            segments = self.reference.tables[q.segments]
            for a, b in q.times * [*zip(segments[:-1], segments[1:], strict=True)]:
                together = simultaneous and not q.exclusive
                groups = [range(a, b)] if together else [[rank] for rank in range(a, b)]
                for ranks in groups:
                    p = p @ self._kernel(q, ranks)
        for definition, times in self.moves:
            p = p @ np.linalg.matrix_power(self._collective(definition), times)
        return p

    def _collective(self, definition: Definition) -> np.ndarray:
        kernel = np.zeros((len(self.configurations),) * 2)
        for a, configuration in enumerate(self.configurations):
            for x, probability in definition.branches(self.state, self.values(configuration)):
                kernel[a, self.number[tuple(x[v][i] for v, i in self.sites)]] += probability
        return kernel

    def _kernel(self, p: LoweredPass, ranks) -> np.ndarray:
        kernel = np.zeros((len(self.configurations),) * 2)
        order = self.reference.tables[p.order]
        for a, configuration in enumerate(self.configurations):
            reached = {configuration: 1.0}
            x = self.values(configuration)
            for rank in ranks:
                place = self.place[p.variable, int(order[rank])]
                moved: dict[tuple[float, ...], float] = {}
                for (new,), probability in branches(self.reference, self.state, p, rank, x):
                    for c, before in reached.items():
                        to = (*c[:place], new, *c[place + 1 :])
                        moved[to] = moved.get(to, 0.0) + before * probability
                reached = moved
            for c, probability in reached.items():
                kernel[a, self.number[c]] += probability
        return kernel

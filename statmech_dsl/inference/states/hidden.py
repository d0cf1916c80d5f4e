"""States that were not seen, or not everywhere: they are sampled along with the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.states.replicas import Replicas
from statmech_dsl.solvers.system import Values

SWEEPS = 5
"""Sweeps over hidden sites between two steps of the parameters."""
UNDERFLOW = -1e4
"""Logarithm of a probability that has become zero: kernels subtract what they compare."""


@dataclass(eq=False)
class _Group:
    """States of which the same sites were seen."""

    members: np.ndarray
    replicas: Replicas
    packed: Any = None


class Hidden:
    """All states of the data, whose hidden sites move given what was seen and the parameters.

    Parameters
    ----------
    posed : Posed
        The model with data.
    threads : int, optional
        Threads over states.
    """

    def __init__(self, posed: Posed, threads: int | None = None) -> None:
        self.values: Values = posed.states()
        r = posed.recovered
        known = {}
        for v in r.ir.variables:
            known[v.name] = np.ones((posed.n_states, v.n_sites), bool)
            known[v.name][:, r.tables[v.free]] = False
            if v.name in posed.data:
                known[v.name] |= posed.data[v.name].known
        patterns = np.concatenate(list(known.values()), axis=1)
        _, first, which = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
        self._groups = []
        for k, example in enumerate(first):
            free = {
                v.free: np.flatnonzero(~known[v.name][example]).astype(np.uint32)
                for v in r.ir.variables
            }
            if any(map(len, free.values())):
                members = np.flatnonzero(which.reshape(-1) == k)
                own = replace(r, tables=r.tables | free)
                replicas = Replicas(posed.model, own, len(members), threads)
                self._groups.append(_Group(members, replicas))

    def start(self, generator: np.random.Generator) -> None:
        """Begin a chain with random values of what is hidden."""
        for g in self._groups:
            g.replicas.reset(int(generator.integers(2**63)))
            own = {name: x[:, g.members] for name, x in self.values.items()}
            self._put(g, own := g.replicas.scrambled(own, generator))
            g.packed = g.replicas.pack(own)

    def sweep(self, tables: Mapping[str, np.ndarray], tune: bool) -> None:
        """Move what is hidden, at these couplings."""
        for g in self._groups:
            g.replicas.follow(
                {k: np.where(np.isneginf(x), UNDERFLOW, x) for k, x in tables.items()}
            )
            if tune:
                g.replicas.adapt(g.packed)
            g.replicas.sweep(g.packed, SWEEPS)
            self._put(g, g.replicas.values(g.packed))

    def _put(self, g: _Group, values: Values) -> None:
        for name, x in values.items():
            self.values[name][:, g.members] = x

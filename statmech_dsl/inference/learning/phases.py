"""The two halves of a gradient: statistics with the data clamped, and of the model by itself."""

from __future__ import annotations

import numpy as np

from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.learning.chains import (
    Chains,
    KernelChains,
    LayerChains,
    clamped_to_data,
)
from statmech_dsl.inference.learning.layer import layer
from statmech_dsl.inference.learning.products import Statistics
from statmech_dsl.inference.problem.space import Arrays
from statmech_dsl.inference.states.replicas import of_energies
from statmech_dsl.solvers.system import Values

SOME = 50
"""States that the reconstruction error is a mean over."""
ON_PROCESSOR = ("auto", "numba")
"""Backends for which two layers are drawn by matrix products."""
CLAMPED = 1 << 40
"""Of the seed of the chains with clamped data."""


class Phases:
    """Chains of the model, and what is hidden beside the data.

    Hidden sites that do not depend on each other, given the data, have exact means; others are sampled, and
    each state of the data keeps those that it had last.
    """

    def __init__(self, task: Task, n_chains: int, batch: int) -> None:
        posed = task.posed
        # Streams of kernels begin at sweep 0: a fit that goes on needs others.
        numbers = np.random.SeedSequence([task.seed, int(task.resumed.get("epoch", 0))])
        seed = int(numbers.generate_state(1, np.uint64)[0])
        self.energies = of_energies(posed.recovered)
        ir, tables = self.energies.ir, self.energies.tables
        self.statistics = Statistics(ir, tables, posed.couplings)
        self._data = {name: x.astype(np.float32) for name, x in posed.states().items()}
        self.hidden = layer(posed.recovered.ir, posed.recovered.tables, posed.hidden)
        visible = [v.name for v in ir.variables if v.name not in posed.hidden]
        seen = layer(ir, tables, visible) if self.hidden is not None else None
        self.visible = seen
        self.chains: Chains
        if seen is not None and self.hidden is not None and task.backend in ON_PROCESSOR:
            self.chains = LayerChains(seen, self.hidden, tables, n_chains, seed)
        else:
            self.chains = KernelChains(task, self.energies, n_chains, seed)
        self._clamped: KernelChains | None = None
        self.how = "complete data"
        if posed.hidden and self.hidden is not None:
            self.how = "exact means of hidden sites"
        elif posed.hidden:
            self._clamped = KernelChains(task, clamped_to_data(task), batch, seed ^ CLAMPED)
            self.how = "hidden sites sampled beside the data"
            self._hot(task)
        self._tables = dict(tables)
        self._rng = np.random.default_rng(seed)
        self._batch: Values = {}

    def _hot(self, task: Task) -> None:
        """Begin hidden sites at random."""
        rng = np.random.default_rng(task.seed)
        for v in self.energies.ir.variables:
            if v.name in task.posed.hidden and v.name not in task.posed.data:
                n = task.posed.n_states
                x = v.domain.hot(rng, n * v.n_sites).reshape(n, -1)
                self._data[v.name] = x.T.astype(np.float32)

    def follow(self, tables: Arrays) -> None:
        """Take other couplings."""
        self._tables |= tables
        self.chains.follow(tables)
        if self._clamped is not None:
            self._clamped.follow(tables)
        if self.hidden is not None:
            self._to_hidden = self.hidden.couplings(self._tables, np.float32)

    def positive(self, which: np.ndarray) -> Arrays:
        """Mean statistics of some states of the data."""
        x = {name: np.take(v, which, axis=1) for name, v in self._data.items()}
        if self._clamped is not None:
            self._clamped.values = x
            self._clamped.sweep(1)
            x = self._clamped.values
            for name, values in x.items():
                self._data[name][:, which] = values
        self._batch = x = x | self._of_hidden(x)
        return self.statistics.mean(x)

    def restart(self) -> None:
        """Put the chains at the present batch; expectations become states."""
        drawn = self.hidden.draw(self._of_hidden(self._batch), self._rng) if self.hidden else {}
        self.chains.values = self._batch | drawn

    def negative(self, k: int) -> Arrays:
        """Mean statistics of the chains, k sweeps later."""
        self.chains.sweep(k)
        if isinstance(self.chains, LayerChains):
            return self.statistics.mean(self.chains.expected)
        x = self.chains.values
        return self.statistics.mean(x | self._of_hidden(x))

    def _of_hidden(self, x: Values) -> Values:
        """Expectations of hidden sites that do not depend on each other."""
        return self.hidden.means(self._to_hidden, x) if self.hidden else {}

    def reconstruction_error(self, tables: Arrays) -> float | None:
        """Mean squared distance of the data from what their hidden layer expects of them."""
        if self.visible is None or self.hidden is None:
            return None
        now = self._tables | tables
        x = {name: self._data[name][:, :SOME] for name in self.visible.sizes}
        x |= self.hidden.means(self.hidden.couplings(now, np.float32), x)
        back = self.visible.means(self.visible.couplings(now, np.float32), x)
        return float(np.mean([((x[name] - y) ** 2).mean() for name, y in back.items()]))

    def state(self) -> Arrays:
        """The chains, to go on from."""
        return {f"chain_{name}": x.T for name, x in self.chains.values.items()}

    def resume(self, state: Arrays) -> None:
        """Put the chains where an earlier run left them."""
        self.chains.values = {
            name: state[f"chain_{name}"].T.astype(np.float32) for name in self.chains.values
        }

"""Markov chains that follow couplings from update to update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.learning.layer import Layer
from statmech_dsl.inference.problem.space import Arrays
from statmech_dsl.inference.states.replicas import Replicas
from statmech_dsl.ir.model import Tables
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.solvers.system import Values


class Chains(ABC):
    """States at T = 1, one in each column."""

    @abstractmethod
    def follow(self, tables: Arrays) -> None:
        """Take other couplings."""

    @abstractmethod
    def sweep(self, k: int) -> None:
        """Do k sweeps."""

    @property
    @abstractmethod
    def values(self) -> Values:
        """The states, as floats."""

    @values.setter
    @abstractmethod
    def values(self, new: Values) -> None: ...


class KernelChains(Chains):
    """Chains in compiled kernels, of any model; what is clamped may differ from state to state."""

    def __init__(self, task: Task, recovered: Recovered, n: int, seed: int) -> None:
        model, threads = task.posed.model, task.threads
        self._replicas = Replicas(model, recovered, n, threads, backend=task.backend)
        self._replicas.reset(seed)
        self._packed = self._replicas.start()

    def follow(self, tables: Arrays) -> None:  # noqa: D102
        if self._replicas.replaceable:
            self._replicas.follow(tables)
            return
        values = self.values
        self._replicas.follow(tables)
        self.values = values

    def sweep(self, k: int) -> None:  # noqa: D102
        self._replicas.sweep(self._packed, k)

    @property
    def values(self) -> Values:  # noqa: D102
        return self._replicas.values(self._packed, np.float32)

    @values.setter
    def values(self, new: Values) -> None:
        self._packed = self._replicas.pack(new)


class LayerChains(Chains):
    """Two layers in turn, each drawn as a whole: block Gibbs sampling by matrix products."""

    def __init__(self, visible: Layer, hidden: Layer, tables: Tables, n: int, seed: int) -> None:
        self._layers = visible, hidden
        self._tables: Arrays = dict(tables)
        self._rng = np.random.Generator(np.random.SFC64(seed))
        self.values = {
            name: self._rng.choice(np.array(x.levels[name], np.float32), (size, n))
            for x in self._layers
            for name, size in x.sizes.items()
        }

    def follow(self, tables: Arrays) -> None:  # noqa: D102
        self._tables |= tables
        self._couplings = [x.couplings(self._tables, np.float32) for x in self._layers]

    def sweep(self, k: int) -> None:  # noqa: D102
        for _ in range(k):
            for x, c in zip(self._layers, self._couplings, strict=True):
                means = x.means(c, self._values)
                self._values |= x.draw(means, self._rng)
        self._expected = means

    @property
    def values(self) -> Values:  # noqa: D102
        return self._values

    @values.setter
    def values(self, new: Values) -> None:
        self._values = dict(new)

    @property
    def expected(self) -> Values:
        """The states, but of the hidden layer its expectations."""
        return self._values | self._expected


def clamped_to_data(task: Task) -> Recovered:
    """The model in which what was seen cannot move."""
    r = task.posed.recovered
    tables, clamped = dict(r.tables), dict(r.clamped)
    states = task.posed.states()
    for name, x in task.posed.data.items():
        v = r.ir.variable(name)
        clamped[name] = (x.known[0], states[name][:, 0])
        tables[v.free] = np.flatnonzero(~x.known[0]).astype(np.uint32)
        tables[v.free].setflags(write=False)
    return replace(r, tables=tables, clamped=clamped)

"""Independent replicas of a model whose couplings can be replaced, in the compiled kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from statmech_dsl.engine.compile import lower_recovered, sampler_of
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.lower.reductions import measure
from statmech_dsl.runs.sample import tuned
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import Values


class Simulator:
    """Replicas at T = 1, of the energies alone.

    Parameters
    ----------
    posed : Posed
        The model; its data play no part.
    n : int
        Replicas.
    couplings : ndarray
        All coupling tables, one after the other.
    """

    def __init__(
        self, posed: Posed, n: int, couplings: np.ndarray, seed: int, threads: int | None
    ) -> None:
        r = posed.recovered
        self.names, self.ir = posed.couplings, energies_alone(r)
        self._ends = np.cumsum([len(r.tables[name]) for name in self.names])[:-1]
        self._bare = r.tables | {name: np.zeros_like(r.tables[name]) for name in self.names}
        tables = r.tables | self._split(couplings)
        recovered: Recovered = replace(r, ir=self.ir, tables=tables)
        measured = measure(posed.model, self.ir, tables)
        compiled = lower_recovered(recovered, measured, "auto")
        self._sampler = sampler_of(posed.model, compiled, n, "numba", threads)
        self._kernels: Any = self._sampler.kernels
        numbers = np.arange(n)
        first = self._sampler.start(seed, numbers, np.zeros(n, int), np.ones(n), "hot")
        self._packed = self._kernels.pack(first)
        self._first = first.values

    def restart(self) -> None:
        """Go back to the random first states; random numbers go on."""
        state = self._kernels.unpack(self._packed)
        self._packed = self._kernels.pack(replace(state, values=self._first))

    def follow(self, couplings: np.ndarray) -> None:
        """Take other couplings."""
        self._kernels.replace_tables(self._split(couplings))
        self._kernels.refresh(self._packed)

    def tune(self, sweeps: int) -> None:
        """Sweep and adapt the widths of proposals."""
        state = tuned(
            self._sampler, self._kernels.unpack(self._packed), sweeps, lambda n, note="": None
        )
        self._packed = self._kernels.pack(state)

    def sweep(self, n: int) -> None:
        """Do n sweeps."""
        self._kernels.sweep(self._packed, n)

    @property
    def values(self) -> Values:
        """The states, one in each column."""
        names = [v.name for v in self.ir.variables]
        return {name: self._kernels.values(self._packed, name).T.astype(float) for name in names}

    def statistics(self) -> np.ndarray:
        """Statistics S of each replica, [replica, coupling]."""
        each = slopes(self.ir, self._bare, self.values, self.names)
        return np.concatenate([each[name] for name in self.names], axis=1)

    def _split(self, couplings: np.ndarray) -> dict[str, np.ndarray]:
        """Read-only tables: the type that kernels are compiled for."""
        parts = np.split(np.array(couplings, float), self._ends)
        out = dict(zip(self.names, map(np.ascontiguousarray, parts), strict=True))
        for x in out.values():
            x.setflags(write=False)
        return out


def energies_alone(r: Recovered) -> ModelIR:
    """The terms that Z is the sum of."""
    own = tuple(f for f in r.ir.families if f.tempered)
    return ModelIR(r.ir.variables, own, r.ir.sums)

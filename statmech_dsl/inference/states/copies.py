"""Independent copies of a model under compiled sweeps, whose couplings follow the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from statmech_dsl.backends import BACKENDS, build_kernels
from statmech_dsl.engine.compile import lower_recovered, n_threads
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.ir.state import State
from statmech_dsl.lower.collective.terms import Asymmetric
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.lower.reductions import Measured
from statmech_dsl.lower.symmetry import symmetry
from statmech_dsl.runs.tuning import BLOCK, adapt
from statmech_dsl.solvers.system import Values

WORTH_SHARING = 1 << 15
"""Sites from which on threads share the copies: handing out work takes as long as some thousand sites."""


CLUSTERED = 256
"""Sites of a copy from which on cluster moves pay: large systems are slow near their transitions."""


class Copies:
    """Kernels for n copies of a model; compiled once, for all couplings.

    Parameters
    ----------
    recovered : Recovered
        The model: its energies, what is clamped, and the tables of its couplings.
    n : int
        Number of copies.
    threads : int, optional
        Threads over copies; all cores unless given.
    clusters : bool
        Whether large copies make cluster moves too, where these are legal whatever the couplings are.
    """

    def __init__(
        self, recovered: Recovered, n: int, threads: int | None = None, *, clusters: bool = False
    ) -> None:
        self.recovered, self.n = recovered, n
        nothing = Measured((), ModelIR(recovered.ir.variables, ()), {}, {}, {}, (), None)
        updates, tables = cluster_moves(recovered) if clusters else ({}, recovered.tables)
        lowered = lower_recovered(replace(recovered, tables=tables), nothing, updates).lowered
        self._program = lowered.program
        sites = n * sum(v.n_sites for v in recovered.ir.variables)
        threads = n_threads(threads) if sites > WORTH_SHARING else 1
        # That couplings can be replaced is a promise of this backend alone.
        self._kernels: Any = build_kernels(
            BACKENDS["numba"], lowered.program, lowered.tables, n, threads
        )
        params = [(number, q) for number, p in enumerate(lowered.program.passes) for q in p.params]
        self._tuned = [number for number, _ in params]
        self._targets = np.array([q.target for _, q in params])
        self._start = np.array([[q.start] * n for _, q in params]).reshape(len(params), n)
        orders = [lowered.program.passes[number].order for number in self._tuned]
        self._moves = BLOCK * np.array([len(lowered.tables[order]) for order in orders])
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin anew: another stream of random numbers, proposals of sites not yet tuned."""
        self._seed, self._sweep, self._adapted = seed, 0, 0
        self._params = self._start.copy()

    def follow(self, tables: Mapping[str, np.ndarray]) -> None:
        """Take other couplings."""
        new = {}
        for name, x in tables.items():
            new[name] = np.ascontiguousarray(x)
            new[name].setflags(write=False)
        self._kernels.replace_tables(new)

    def pack(self, values: Values) -> Any:
        """States, one in each column, in the layout of the kernels."""
        own = {
            v.name: values[v.name].T.astype(v.domain.storage_dtype)
            for v in self.recovered.ir.variables
        }
        accepted = np.zeros((len(self._program.steps), self.n), np.int64)
        state = State(
            own, np.arange(self.n, dtype=np.uint32), np.ones(self.n), self._seed, self._sweep,
            self._params.copy(), accepted,
        )  # fmt: skip
        return self._kernels.pack(state)

    def scrambled(self, values: Values, generator: np.random.Generator) -> Values:
        """States whose free sites are random, as at infinite temperature."""
        out = {}
        for v in self.recovered.ir.variables:
            free, vector = self.recovered.tables[v.free], v.domain.components
            x = np.array(values[v.name].T, float).reshape(self.n, v.n_sites, vector)
            hot = v.domain.hot(generator, self.n * len(free))
            x[:, free] = np.reshape(hot, (self.n, len(free), vector))
            out[v.name] = x.reshape(self.n, -1).T
        return out

    def sweep(self, packed: Any, n: int) -> None:
        """Do n sweeps in place."""
        packed.state.sweep = self._sweep
        self._kernels.sweep(packed, n)
        self._sweep = packed.state.sweep

    def adapt(self, packed: Any) -> None:
        """Sweep a little, and adapt the proposals of sites as `sample` does."""
        if not self._tuned:
            return
        before = self._kernels.accepted(packed)
        self.sweep(packed, BLOCK)
        moved = self._kernels.accepted(packed) - before
        state = replace(packed.state, params=self._params, accepted=moved)
        adapt(state, self._tuned, self._targets, self._moves, self._adapted)
        self._kernels.set_beta(packed, state.beta, self._params)
        self._adapted += 1

    def energy(self, packed: Any) -> np.ndarray:
        """Energy of each copy, the part that T divides."""
        return self._kernels.energy(packed)[0]

    def values(self, packed: Any) -> Values:
        """States, one in each column."""
        return {
            v.name: np.array(self._kernels.values(packed, v.name).T, float)
            for v in self.recovered.ir.variables
        }


def cluster_moves(recovered: Recovered) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Updates with cluster moves, and tables to lower them with.

    Whether a reflection leaves the energy as it is, is proven at couplings of both signs; then it does at all.
    The tables are those that promise least: clusters are recolored at will in ferromagnets only.
    """
    generator = np.random.default_rng(1)
    size = {name: 0.5 + generator.random(len(recovered.tables[name])) for name in recovered.random}
    updates, plain = {}, dict(recovered.tables)
    tables = [plain | {name: sign * x for name, x in size.items()} for sign in (1, -1)]
    tamest = 0
    for v in recovered.ir.variables:
        if len(plain[v.free]) < CLUSTERED or v.domain.values is None:
            continue
        try:
            found = [symmetry(recovered.ir, t, v.name) for t in tables]
        except Asymmetric:
            continue
        if any(s.fields for s in found):
            continue
        updates[v.name] = [("auto", 1), ("swendsen_wang", 1)]
        tamest = int(found[0].recolor)
    return updates, tables[tamest] if updates else plain

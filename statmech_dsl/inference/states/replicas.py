"""Independent replicas of a model in compiled kernels, whose couplings follow the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm

from statmech_dsl.backends import build_kernels
from statmech_dsl.engine.compile import lower_recovered, n_threads, sampler_of
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.ir.state import State
from statmech_dsl.lower.collective.terms import Asymmetric
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.lower.reductions import Measured
from statmech_dsl.lower.symmetry import symmetry
from statmech_dsl.runs.tuning import BLOCK, adapt
from statmech_dsl.solvers.system import Values

WORTH_SHARING = 1 << 15
"""Sites from which on threads share replicas: handing out work takes as long as some thousand sites."""
CLUSTERED = 256
"""Sites of a replica from which on cluster moves pay: large systems are slow near their transitions."""


class Replicas:
    """Kernels for n replicas at T = 1; compiled once, for all couplings.

    Parameters
    ----------
    model : Model
        What the factors come from.
    recovered : Recovered
        Its energies, what is clamped, and the tables of its couplings.
    n : int
        Number of replicas.
    threads : int, optional
        Threads over replicas; all cores unless given.
    backend : str
        What runs them.
    clusters : bool
        Whether large replicas make cluster moves too, where these are legal whatever the couplings are.

    Attributes
    ----------
    replaceable : bool
        Whether couplings are replaced in place. Other backends build kernels anew: what was packed is lost.
    """

    def __init__(
        self,
        model: pm.Model,
        recovered: Recovered,
        n: int,
        threads: int | None = None,
        *,
        backend: str = "numba",
        clusters: bool = False,
    ) -> None:
        self.recovered, self.n = recovered, n
        nothing = Measured((), ModelIR(recovered.ir.variables, ()), {}, {}, {}, (), None)
        updates, tables = cluster_moves(recovered) if clusters else ({}, recovered.tables)
        compiled = lower_recovered(replace(recovered, tables=tables), nothing, updates)
        sites = n * sum(v.n_sites for v in recovered.ir.variables)
        self._threads = n_threads(threads) if sites > WORTH_SHARING else 1
        self._sampler = sampler_of(model, compiled, n, backend, self._threads)
        self._kernels: Any = self._sampler.kernels
        self._tables = dict(self._sampler.tables)
        self.replaceable = self._sampler.backend.name == "numba"
        self._tuned = [number for number, _ in self._sampler.params]
        self._targets = np.array([q.target for _, q in self._sampler.params])
        self._moves = BLOCK * self._sampler.moves[self._tuned]
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin anew: another stream of random numbers, proposals of sites not yet tuned."""
        self._seed, self._sweep, self._adapted = seed, 0, 0
        n = self.n
        self._first = self._sampler.start(seed, np.arange(n), np.zeros(n, int), np.ones(n), "hot")
        self._params = self._first.params.copy()

    def follow(self, tables: Mapping[str, np.ndarray]) -> None:
        """Take other couplings."""
        if self.replaceable:
            self._kernels.replace_tables(tables)
            return
        self._tables |= {name: np.asarray(x, float) for name, x in tables.items()}
        s = self._sampler
        self._kernels = build_kernels(s.backend, s.program, self._tables, self.n, self._threads)

    def start(self) -> Any:
        """Random states, as at infinite temperature: the same ones until they are `reset`."""
        return self._pack(self._first.values)

    def pack(self, values: Values) -> Any:
        """States, one in each column, in the layout of the kernels."""
        return self._pack(
            {
                v.name: values[v.name].T.astype(v.domain.storage_dtype)
                for v in self.recovered.ir.variables
            }
        )

    def _pack(self, values: dict[str, np.ndarray]) -> Any:
        state: State = replace(
            self._first, values=values, sweep=self._sweep, params=self._params
        ).copy()
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
        state: State = getattr(packed, "state", packed)  # the reference packs nothing
        state.sweep = self._sweep  # no two states take the same random numbers
        self._kernels.sweep(packed, n)
        self._sweep = state.sweep

    def adapt(self, packed: Any) -> None:
        """Sweep a little, and adapt the proposals of sites as `sample` does."""
        if not self._tuned:
            return
        before = self._kernels.accepted(packed)
        self.sweep(packed, BLOCK)
        moved = self._kernels.accepted(packed) - before
        widths = self._params[: len(self._tuned)]
        state = replace(packed.state, params=widths, accepted=moved)
        adapt(state, self._tuned, self._targets, self._moves, self._adapted)
        self._kernels.set_beta(packed, state.beta, self._params)
        self._adapted += 1

    def tune(self, packed: Any, sweeps: int) -> None:
        """Do about so many sweeps, and adapt proposals meanwhile."""
        if not self._tuned:
            self.sweep(packed, sweeps)
        for _ in range(-(-sweeps // BLOCK)):
            self.adapt(packed)

    def energy(self, packed: Any) -> np.ndarray:
        """Energy of each replica, the part that T divides."""
        return self._kernels.energy(packed)[0]

    def values(self, packed: Any, dtype: Any = float) -> Values:
        """States, one in each column."""
        return {
            v.name: np.array(self._kernels.values(packed, v.name).T, dtype)
            for v in self.recovered.ir.variables
        }


def of_energies(recovered: Recovered) -> Recovered:
    """The model of the energies alone: what Z is the sum of."""
    ir = recovered.ir
    own = tuple(f for f in ir.families if f.tempered)
    return replace(recovered, ir=ModelIR(ir.variables, own, ir.sums))


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

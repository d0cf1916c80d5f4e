"""Factors of a discrete system whose energies are linear functions of couplings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from scipy.sparse import csr_array

from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.lower.derivative import derivative
from statmech_dsl.solvers.factors import factorize, instances
from statmech_dsl.solvers.system import System, discrete_system


@dataclass(frozen=True, eq=False)
class LinearFactors:
    """Energies of all factors for all values of their sites, one after the other: ``fixed + slopes c``.

    Attributes
    ----------
    sites, shapes : sequence
        Sites of each factor, ascending, and how many values each has.
    """

    system: System
    sites: Sequence[tuple[int, ...]]
    shapes: Sequence[tuple[int, ...]]
    fixed: np.ndarray
    slopes: csr_array

    @property
    def ends(self) -> np.ndarray:
        """Where each factor ends."""
        return np.cumsum([prod(shape) for shape in self.shapes])

    def energies(self, c: np.ndarray) -> np.ndarray:
        """At given couplings."""
        return self.fixed + self.slopes @ c

    def split(self, x: np.ndarray) -> list[np.ndarray]:
        """What belongs to each factor, an axis for each site."""
        parts = np.split(x, self.ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def means(self, p: np.ndarray) -> np.ndarray:
        """<S> from the probabilities of the values of the sites of each factor."""
        return self.slopes.T @ p


def linear_factors(posed: Posed) -> LinearFactors:
    """Find the factors of the energies alone.

    Raises
    ------
    ModelError
        A free site is continuous.
    InfeasibleError
        The energy depends on running sums, or a term couples too many sites.
    """
    r = posed.recovered
    own = tuple(f for f in r.ir.families if f.tempered)
    ir = ModelIR(r.ir.variables, own, r.ir.sums)
    bare = r.tables | {name: np.zeros_like(r.tables[name]) for name in posed.couplings}
    system = discrete_system(ir, bare, r.clamped)
    factors = factorize(system)
    shapes = [f.tempered.shape for f in factors]
    fixed = np.concatenate([(f.tempered + f.fixed).ravel() for f in factors])
    home = {s: k for k, f in enumerate(factors) for s in [f.sites, *((x,) for x in f.sites)]}
    first = np.cumsum([0, *(prod(shape) for shape in shapes)])
    begin = dict(
        zip(posed.couplings, np.cumsum([0, *(len(bare[x]) for x in posed.couplings)]), strict=False)
    )
    rows, columns, data = [], [], []
    for f in own:
        for k, c in enumerate(f.columns):
            if c.kind != "coefficient" or c.array not in begin:
                continue
            slope = replace(f, expr=derivative(f.expr, k))
            for m, sites, table in instances(slope, system):
                number = home[sites]
                axes = [
                    n if s in sites else 1
                    for s, n in zip(factors[number].sites, shapes[number], strict=True)
                ]
                whole = np.broadcast_to(table.reshape(axes), shapes[number]).ravel()
                rows.append(first[number] + np.arange(len(whole)))
                index = 0 if c.index is None else int(bare[c.index][m])
                columns.append(np.full(len(whole), begin[c.array] + index))
                data.append(whole)
    n_entries = sum(len(bare[name]) for name in posed.couplings)
    entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
    slopes = csr_array(entries, (len(fixed), n_entries))
    return LinearFactors(system, [f.sites for f in factors], shapes, fixed, slopes)

"""Pseudolikelihood: the product of the probabilities of all sites, each given all others.

It needs no Z and is consistent, but its curvature is not the information that states hold: the same neighbors
count many times, so that intervals are mostly too narrow where sites are strongly correlated
[J. Besag, J. R. Stat. Soc. D 24, 179 (1975)].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.pseudolikelihood.local_fields import Fields, Table, tabulate
from statmech_dsl.inference.pseudolikelihood.normalizers import Normalizer, normalizer
from statmech_dsl.inference.pseudolikelihood.site_terms import site_terms
from statmech_dsl.ir.arrays import distinct_rows
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.solvers.slopes import is_linear
from statmech_dsl.solvers.system import Values

FEW = 8
"""Entries of couplings up to which fields are tabulated."""
MAX_TABLE = 2**25
"""Most numbers of such a table."""


@dataclass(frozen=True, eq=False)
class Part:
    """The sites of a variable: own functions ``seen``, their fields, and how often each row counts."""

    seen: np.ndarray
    fields: Fields | Table
    normalizer: Normalizer
    weights: np.ndarray | float = 1.0

    def minus_log(self, c: np.ndarray) -> np.ndarray:
        """Of the probability of each row, times its weight."""
        H = self.fields.at(c)
        return ((self.seen * H).sum(axis=0) + self.normalizer(H)[0]) * self.weights

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Their sum, and its gradient."""
        H = self.fields.at(c)
        log_sum, means = self.normalizer(H)
        value = (((self.seen * H).sum(axis=0) + log_sum) * self.weights).sum()
        if not np.isfinite(value):
            return np.inf, np.zeros(len(c))
        return float(value), self.fields.pull((self.seen - means) * self.weights)


@dataclass(frozen=True, eq=False)
class Conditionals:
    """The one-site conditionals of given states, as functions of the vector of all couplings.

    Attributes
    ----------
    names : tuple of str
        Coefficient tables, one after the other in the vector.
    sizes : tuple of int
        Their entries.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    parts: tuple[Part, ...]
    by_state: tuple[Part, ...]

    def __call__(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the logarithm of the pseudolikelihood of all states, and its gradient."""
        found = [p(c) for p in self.parts]
        return sum(value for value, _ in found), sum(g for _, g in found)  # type: ignore[return-value]

    def each(self, c: np.ndarray) -> np.ndarray:
        """Log pseudolikelihood of each state."""
        return -sum(p.minus_log(c).sum(axis=0) for p in self.by_state)  # type: ignore[return-value]

    def vector(self, tables: Mapping[str, np.ndarray]) -> np.ndarray:
        """Coupling tables as one vector."""
        return np.concatenate([np.asarray(tables[name], float) for name in self.names])

    def tables(self, c: np.ndarray) -> dict[str, np.ndarray]:
        """A vector as coupling tables."""
        parts = np.split(c, np.cumsum(self.sizes)[:-1])
        return dict(zip(self.names, parts, strict=True))


def conditionals(ir: ModelIR, tables: Tables, values: Values, names: Sequence[str]) -> Conditionals:
    """One-site conditionals of states, from the terms of the energy.

    Parameters
    ----------
    ir, tables
        The model.
    values : dict of str to ndarray, shape (rows, states)
        The states, one in each column; all free sites have been seen.
    names : sequence of str
        Tables of couplings; the energy is linear in them.

    Returns
    -------
    Conditionals
        Call it for value and gradient.

    Raises
    ------
    InfeasibleError
        The energy is not linear in the couplings, depends on sums over sites, or a conditional is not known.

    Examples
    --------
    >>> import pymc as pm, statmech_dsl as sm
    >>> from statmech_dsl.inference.problem.posed import pose
    >>> with sm.Model() as model:
    ...     h = pm.Normal("h", 0, 1)
    ...     s = sm.Spin("s", 4)
    ...     zeeman = sm.Energy("zeeman", -h * s)
    >>> p = pose(model, {"s": [1, 1, 1, -1]})
    >>> found = conditionals(p.recovered.ir, p.recovered.tables, p.states(), p.couplings)
    >>> value, gradient = found(np.array([-0.5]))  # the coefficient is -h
    >>> bool(np.isclose(value, 4 * np.log(2 * np.cosh(0.5)) - 2 * 0.5))
    True
    """
    if not is_linear(ir, names):
        raise InfeasibleError(
            "the energy is no linear function of its couplings",
            mend="write it as a sum of parameters times functions of states",
        )
    sizes = [len(tables[name]) for name in names]
    first = dict(zip(names, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    parts, by_state = [], []
    for v in ir.variables:
        if not len(tables[v.free]):
            continue
        sites = site_terms(ir, tables, values, first, sum(sizes), v.name)
        x = values[v.name].reshape(v.n_sites, -1, values[v.name].shape[-1])[tables[v.free]]
        whole = Part(sites.seen, sites.fields, normalizer(v.domain, sites.own, x))
        by_state.append(whole)
        few = sum(sizes) <= FEW and (sum(sizes) + 1) * sites.seen.size <= MAX_TABLE
        parts.append(_counted(whole) if few and sites.seen.size else whole)
    return Conditionals(tuple(names), tuple(sizes), tuple(parts), tuple(by_state))


def _counted(part: Part) -> Part:
    """Equal rows once, weighted by their number."""
    assert isinstance(part.fields, Fields)
    table = tabulate(part.fields)
    seen = part.seen.reshape(len(part.seen), -1)
    rows = np.concatenate([seen, table.constant, table.slopes.reshape(-1, seen.shape[1])])
    kept, which = distinct_rows(list(rows), rows.shape[1])
    weights = np.bincount(which, minlength=len(kept)).astype(float)
    r = len(seen)
    slopes = kept.T[2 * r :].reshape(r, -1, len(kept))
    return Part(kept.T[:r], Table(kept.T[r : 2 * r], slopes), part.normalizer, weights)

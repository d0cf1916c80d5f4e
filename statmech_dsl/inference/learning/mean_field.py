"""Mean-field inversion: couplings from the inverse of the matrix of correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import logit

from statmech_dsl.errors import ModelError
from statmech_dsl.inference.learning.base import Fit, Learner, Task
from statmech_dsl.inference.learning.climb import climb, unbounded
from statmech_dsl.inference.learning.products import Product, product_of
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.problem.space import Arrays


@dataclass(frozen=True)
class MeanField(Learner):
    """Naive mean field: J_ij = -(C^-1)_ij, and fields that give the means that were seen.

    Energies of two-valued sites, x^T K x and b^T x. Given K and b of all pairs and sites, parameters are fitted
    to them by least squares.
    """

    name: ClassVar[str] = "mean_field"
    assumes: ClassVar[str] = (
        "takes correlations for those of mean-field theory: right for weak couplings"
    )

    @classmethod
    def refuse(cls, posed: Posed) -> str | None:  # noqa: D102
        r = posed.recovered
        if posed.hidden:
            return f"{', '.join(posed.hidden)} was not seen, or not everywhere"
        if other := [v.name for v in r.ir.variables if len(v.domain.values or ()) != 2]:
            return f"{other[0]} has not two values"
        for f in r.ir.families:
            if f.tempered and product_of(f, r.ir, r.tables) is None:
                return f"{f.term!r} is no coupling of two sites or field of one"
        return None

    def fit(self, task: Task) -> Fit:  # noqa: D102
        wanted = _Wanted(task)

        def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = wanted(task.space.tables(x))
            return value, task.space.gradient(x, slope)

        x, history = climb(task, objective, 1000, 1e-9)
        return Fit(x, {"gradient_norm": history["gradient_norm"]})


class _Wanted:
    """Minus half the squared distance of all pair couplings and fields from those of mean field."""

    def __init__(self, task: Task) -> None:
        r = task.posed.recovered
        self.tables = r.tables
        found = [product_of(f, r.ir, r.tables) for f in r.ir.families if f.tempered]
        self.products = [p for p in found if p is not None]
        names = [v.name for v in r.ir.variables]
        sizes = {v.name: v.n_sites for v in r.ir.variables}
        ends = np.cumsum([sizes[name] for name in names])
        self.first = dict(zip(names, (ends - list(sizes.values())).tolist(), strict=True))
        self.size = int(ends[-1])
        free = np.concatenate([self.first[v.name] + r.tables[v.free] for v in r.ir.variables])
        states = task.posed.states()
        x = np.concatenate([states[name] for name in names])
        low, high = (
            np.repeat([(v.domain.values or ())[k] for v in r.ir.variables], list(sizes.values()))
            for k in (0, 1)
        )
        self.target = _mean_field(task, x, low, high, free.astype(int))
        self.read = np.zeros((self.size, self.size + 1), bool)
        for p in self.products:
            if p.table in task.posed.couplings:
                self.read[self._at(p)] = True

    def _at(self, p: Product) -> tuple[np.ndarray, np.ndarray]:
        """Place of each instance: row and column of its pair in order, the last column for fields."""
        a = self.first[p.a] + p.a_rows
        if not p.b:
            return a, np.full(len(a), self.size)
        b = self.first[p.b] + p.b_rows
        return np.minimum(a, b), np.maximum(a, b)

    def __call__(self, tables: Arrays) -> tuple[float, Arrays]:
        every = dict(self.tables) | tables
        M = np.zeros((self.size, self.size + 1))
        for p in self.products:
            each = every[p.table][p.entry] if p.table else 1.0
            np.add.at(M, self._at(p), p.factor * each)
        R = np.where(self.read, self.target - M, 0.0)
        slope = {name: np.zeros(len(x)) for name, x in tables.items()}
        for p in self.products:
            if p.table in slope:
                slope[p.table] += np.bincount(
                    p.entry, p.factor * R[self._at(p)], len(slope[p.table])
                )
        return -0.5 * float((R**2).sum()), slope


def _mean_field(
    task: Task, x: np.ndarray, low: np.ndarray, high: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Couplings of all pairs in the upper triangle, and fields in the last column, as energies.

    Raises
    ------
    ModelError
        The correlations have no inverse.
    """
    n = len(x)
    m = x.mean(axis=1)
    C = np.cov(x[free], bias=True).reshape(len(free), len(free))
    if (np.diag(C) == 0).any():
        raise unbounded(task, 0)
    if np.linalg.matrix_rank(C) < len(free):
        raise ModelError(
            "method='mean_field' cannot serve these data: the matrix of correlations has no inverse",
            mend="give more states than sites, or use method='pseudolikelihood' with l2=",
        )
    J = np.zeros((n, n))
    J[np.ix_(free, free)] = -np.linalg.inv(C)
    np.fill_diagonal(J, 0.0)
    out = np.zeros((n, n + 1))
    out[:, :n] = np.triu(-J, 1)
    p = (m[free] - low[free]) / (high[free] - low[free])
    out[free, n] = -(logit(p) / (high[free] - low[free]) - (J @ m)[free])
    return out

"""Elimination: log Z by summing over one site after another.

The weight is a product of factors. Two at a time are multiplied, and summed over the sites that no
other factor has; the order decides how large the products become. They have one site for an open
chain, W sites for an open strip of width W and 2 W for a torus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.factors import Factor, factorize
from statmech_dsl.solvers.order import Plan, Step, plan
from statmech_dsl.solvers.series import ORDERS, boltzmann, scaled, toeplitz
from statmech_dsl.solvers.system import System
from statmech_dsl.solvers.thermal import Thermal


@dataclass(frozen=True, eq=False)
class Tensor:
    """Series for all combinations of levels of some sites; the last axis holds the coefficients."""

    sites: tuple[int, ...]
    series: np.ndarray

    def summed(self, lonely: Sequence[int]) -> Tensor:
        """Sum over the sites among ``lonely`` that it has."""
        axes = tuple(self.sites.index(s) for s in lonely if s in self.sites)
        rest = tuple(s for s in self.sites if s not in lonely)
        return Tensor(rest, self.series.sum(axis=axes)) if axes else self

    def grouped(self, *groups: Sequence[int]) -> np.ndarray:
        """Merge the axes of each group of sites into one; the coefficients stay last."""
        axes = [self.sites.index(s) for group in groups for s in group]
        sizes = [prod(self.series.shape[self.sites.index(s)] for s in group) for group in groups]
        return self.series.transpose(*axes, -1).reshape(*sizes, ORDERS)


@dataclass(frozen=True, eq=False)
class Elimination:
    """Factors, and the order in which they are multiplied."""

    factors: tuple[Factor, ...]
    plan: Plan

    @property
    def cost(self) -> Cost:
        """Products of series take six multiplications and additions."""
        return Cost(12 * self.plan.multiplications, self.plan.bytes)

    def thermal(self, beta: float) -> Thermal:
        """Sum over all free sites.

        Raises
        ------
        ImproperDistributionError
            All weights are 0.
        """
        log_Z = np.zeros(ORDERS)
        tensors = {}
        for number, f in enumerate(self.factors):
            series, log_scale = boltzmann(f.tempered, f.fixed, beta)
            tensors[number] = Tensor(f.sites, series)
            log_Z += log_scale
        for number, step in enumerate(self.plan.steps, len(self.factors)):
            a, b = (tensors.pop(k).summed(step.lonely) for k in step.pair)
            product = multiply(a, b, step)
            series, log_scale = scaled(product.series)
            tensors[number] = Tensor(product.sites, series)
            log_Z += log_scale
        variance = max(2.0 * log_Z[2], 0.0)
        return Thermal(beta, float(log_Z[0]), float(-log_Z[1]), float(variance))


def elimination(system: System) -> Elimination:
    """Find the factors of a system and a cheap order.

    Raises
    ------
    InfeasibleError
        The energy is a function of running sums, or the products become too large.
    ImproperDistributionError
        A term is NaN or minus infinity.
    """
    factors = factorize(system)
    order = plan([f.sites for f in factors], [len(x) for x in system.levels])
    return Elimination(tuple(factors), order)


def multiply(a: Tensor, b: Tensor, step: Step) -> Tensor:
    """Multiply two tensors by one matrix product; the series of b stand in it as matrices."""
    left = a.grouped(step.common, step.left, step.summed)
    right = toeplitz(b.grouped(step.common, step.summed, step.right))
    n, rows, inner, _ = left.shape
    columns = right.shape[2]
    series = left.reshape(n, rows, inner * ORDERS) @ (
        right.transpose(0, 1, 3, 2, 4).reshape(n, inner * ORDERS, columns * ORDERS)
    )
    sizes = dict(zip(a.sites + b.sites, a.series.shape[:-1] + b.series.shape[:-1], strict=True))
    return Tensor(step.product, series.reshape(*(sizes[s] for s in step.product), ORDERS))

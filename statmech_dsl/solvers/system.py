"""The discrete system that the solvers sum over: which sites are free, and what they can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.model import Column, ModelIR, Tables, Variable

Values = dict[str, np.ndarray]
"""Rows of each variable: site * components + component, on the first axis."""
SMALLER = "take a smaller system, clamp sites with observed=, or sample it"
"""What helps where an exact computation is not feasible."""


@dataclass(frozen=True, eq=False)
class System:
    """A model with all its continuous sites clamped.

    Free sites are numbered through all variables: ``sites[k]`` is the variable and the row of free
    site k and ``levels[k]`` the values that it takes. ``base`` holds the clamped values, and zeros
    elsewhere.
    """

    ir: ModelIR
    tables: Tables
    base: Values
    sites: tuple[tuple[str, int], ...]
    levels: tuple[np.ndarray, ...]

    @property
    def n_states(self) -> int:
        """Number of states of the free sites."""
        return math.prod(len(values) for values in self.levels)

    @cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """The number of the free site in each row of a variable, -1 where it is clamped."""
        numbers = {name: np.full(len(base), -1) for name, base in self.base.items()}
        for k, (name, row) in enumerate(self.sites):
            numbers[name][row] = k
        return numbers


def discrete_system(
    ir: ModelIR, tables: Tables, clamped: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> System:
    """Collect the free sites of a model.

    Parameters
    ----------
    ir, tables
        The model.
    clamped : mapping of str to (mask, values)
        For variables with clamped sites: which these are, and values of all sites.

    Returns
    -------
    System
        What the solvers work on.

    Raises
    ------
    ModelError
        A site that is not clamped is continuous.
    """
    base, sites, levels = {}, [], []
    for v in ir.variables:
        base[v.name] = np.zeros(v.n_sites * v.domain.components)
        if v.name in clamped:
            mask, values = clamped[v.name]
            base[v.name].reshape(v.n_sites, -1)[mask] = values.reshape(v.n_sites, -1)[mask]
        free = tables[v.free].tolist()
        sites += [(v.name, row) for row in free]
        levels += [_levels(v)] * len(free) if free else []
    return System(ir, tables, base, tuple(sites), tuple(levels))


def power_of_two(n: int) -> str:
    """Write a large number for messages.

    Examples
    --------
    >>> power_of_two(3**100)
    '2^158.5'
    """
    return f"2^{math.log2(n):.4g}"


def rows(c: Column, ir: ModelIR, tables: Tables) -> np.ndarray:
    """Rows of its variable that a state column reads, one for each instance (or one for all)."""
    site = np.zeros(1, np.int64) if c.index is None else tables[c.index].astype(np.int64)
    return site * ir.variable(c.array).domain.components + c.component


def _levels(v: Variable) -> np.ndarray:
    if v.domain.values is None:
        raise ModelError(
            "exact needs discrete variables: it sums over all their values",
            where=f"{v.domain.label} {v.name!r} is continuous",
            mend=f"clamp {v.name!r} with observed=, use a Clock or Levels variable, or sample",
        )
    return np.asarray(v.domain.values)

"""Counting: energies that depend on the sites through sums only, such as mean-field energies.

Sites that enter all sums alike form a class. All that matters of a class is how many of its sites have
each value, and the number of states with these counts is a multinomial coefficient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import comb, prod

import numpy as np
from scipy.special import gammaln

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.ir.model import Family
from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.enumeration import CHUNK, MAX_STATES, Spectrum
from statmech_dsl.solvers.evaluate import coefficients, evaluate, exclude, require_defined
from statmech_dsl.solvers.factors import instances
from statmech_dsl.solvers.system import SMALLER, System, Values, power_of_two
from statmech_dsl.solvers.thermal import Thermal

SEED = 1
"""Of the arrangements of sites with which observables are tried."""


@dataclass(frozen=True, eq=False)
class Class:
    """Sites that enter alike, their values, and what each of these adds: to the two energies and the sums."""

    sites: np.ndarray
    levels: np.ndarray
    added: np.ndarray

    @property
    def n_counts(self) -> int:
        """In how many ways the sites can be divided among the values."""
        levels = len(self.added)
        return comb(len(self.sites) + levels - 1, levels - 1)


@dataclass(frozen=True, eq=False)
class Counting:
    """Classes of sites, and what clamped sites add."""

    system: System
    classes: tuple[Class, ...]
    constant: np.ndarray

    @property
    def n_counts(self) -> int:
        """Number of different counts of all classes."""
        return prod(c.n_counts for c in self.classes)

    @property
    def cost(self) -> Cost:
        """The spectrum is made once; each temperature takes a few passes over it."""
        return Cost(10 * self.n_counts, 8 * self.n_counts * (len(self.constant) + 6))

    @cached_property
    def spectrum(self) -> Spectrum:
        """Energies of all counts, with the number of states that have them."""
        sums, log_number = self.constant[np.newaxis], np.zeros(1)
        for c, counts in zip(self.classes, self._counts, strict=True):
            sums = (sums[:, np.newaxis] + counts @ c.added).reshape(-1, sums.shape[1])
            ways = gammaln(len(c.sites) + 1) - gammaln(counts + 1).sum(axis=1)
            log_number = (log_number[:, np.newaxis] + ways).ravel()
        total = sums[:, :2].T.copy()
        first = _first_columns(self.system)
        for f in self.system.ir.energy_families:
            if _reads_sums(f):
                total[0 if f.tempered else 1] += self._function(f, sums, first)
        return Spectrum(*exclude(*total), log_number)

    def thermal(self, beta: float) -> Thermal:
        """Sum over all states."""
        return self.spectrum.thermal(beta)

    def states(self, shuffled: bool = False) -> Iterator[Values]:
        """A state for each of the counts, in the order of the spectrum, some at a time.

        Parameters
        ----------
        shuffled : bool
            Whether the sites of a class have their values in random order, instead of one after another.
        """
        rng = np.random.default_rng(SEED)
        places = np.unravel_index(np.arange(self.n_counts), [len(c) for c in self._counts])
        step = max(1, CHUNK // max(map(len, self.system.base.values())))
        for start in range(0, self.n_counts, step):
            n = min(step, self.n_counts - start)
            x = {k: np.repeat(b[:, np.newaxis], n, axis=1) for k, b in self.system.base.items()}
            for c, counts, place in zip(self.classes, self._counts, places, strict=True):
                until = counts[place[start : start + n]].cumsum(axis=1)
                position = np.arange(len(c.sites))[:, np.newaxis, np.newaxis]
                level = (position >= until[:, :-1]).sum(axis=2)
                values = c.levels[rng.permutation(level) if shuffled else level]
                for name in x:
                    row = self.system.numbers[name]
                    here = np.isin(row, c.sites)
                    x[name][here] = values[np.searchsorted(c.sites, row[here])]
            yield x

    @cached_property
    def _counts(self) -> list[np.ndarray]:
        return [divisions(len(c.sites), len(c.added)) for c in self.classes]

    def _function(self, f: Family, sums: np.ndarray, first: dict[str, int]) -> np.ndarray:
        """A term that is a function of sums, for all counts."""
        n = f.n_instances(self.system.tables)
        slots = []
        for c in f.columns:
            index = np.zeros(1, int) if c.index is None else self.system.tables[c.index].astype(int)
            if c.kind == "sum":
                slots.append(sums[:, first[c.array] + index].T)
            else:
                slots.append(coefficients(c, self.system.tables)[:, np.newaxis])
        term = np.broadcast_to(evaluate(f.expr, slots), (n, len(sums))).sum(axis=0)
        require_defined(f, term)
        return term


def counting(system: System) -> Counting:
    """Find out which sites enter all sums alike.

    Raises
    ------
    InfeasibleError
        A term couples sites without a sum, or there are too many counts.
    ImproperDistributionError
        A term is NaN or minus infinity.
    """
    first = _first_columns(system)
    width = 2 + sum(s.size for s in system.ir.sums)
    added = [np.zeros((len(levels), width)) for levels in system.levels]
    constant = np.zeros(width)
    for f in system.ir.families:
        if _reads_sums(f):
            if any(c.kind == "state" for c in f.columns):
                raise _coupled(f.term)
            continue
        for m, sites, table in instances(f, system):
            if len(sites) > 1:
                raise _coupled(f.term)
            column = 0 if f.tempered else 1
            if f.feeds is not None:
                element = 0 if f.element is None else int(system.tables[f.element][m])
                column = first[f.feeds] + element
            if sites:
                added[sites[0]][:, column] += table
            else:
                constant[column] += table
    if not all(np.isfinite(x).all() for x in added):
        raise InfeasibleError("counting takes no forbidden values of single sites", mend=SMALLER)
    alike: dict[tuple[bytes, bytes], list[int]] = {}
    for k, (levels, x) in enumerate(zip(system.levels, added, strict=True)):
        alike.setdefault((levels.tobytes(), x.tobytes()), []).append(k)
    classes = tuple(
        Class(np.array(sites), system.levels[sites[0]], added[sites[0]]) for sites in alike.values()
    )
    result = Counting(system, classes, constant)
    if result.n_counts * width > MAX_STATES:
        raise InfeasibleError(
            f"counting finds {len(classes)} kinds of sites and {power_of_two(result.n_counts)} ways to "
            f"divide them among their values, at most {power_of_two(MAX_STATES // width)} are allowed",
            mend=SMALLER,
        )
    return result


def divisions(n: int, levels: int) -> np.ndarray:
    """All ways to write n as a sum of so many counts.

    Examples
    --------
    >>> divisions(2, 2)
    array([[0, 2],
           [1, 1],
           [2, 0]])
    """
    counts, left = np.zeros((1, 0), int), np.array([n])
    for _ in range(levels - 1):
        parents = np.repeat(np.arange(len(left)), left + 1)
        starts = np.repeat(np.cumsum(left + 1) - left - 1, left + 1)
        chosen = np.arange(len(parents)) - starts
        counts = np.column_stack([counts[parents], chosen])
        left = left[parents] - chosen
    return np.column_stack([counts, left])


def _first_columns(system: System) -> dict[str, int]:
    """Where the elements of each running sum begin, behind the two energies."""
    first, column = {}, 2
    for s in system.ir.sums:
        first[s.name], column = column, column + s.size
    return first


def _reads_sums(f: Family) -> bool:
    return any(c.kind == "sum" for c in f.columns)


def _coupled(term: str) -> InfeasibleError:
    return InfeasibleError(
        f"counting needs an energy that depends on sums over sites only; {term!r} couples sites",
        mend=SMALLER,
    )

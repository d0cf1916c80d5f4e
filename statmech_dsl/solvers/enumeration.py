"""Enumeration of all states of the free sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.system import SMALLER, System, Values, power_of_two
from statmech_dsl.solvers.thermal import Thermal, no_weight

MAX_STATES = 2**24
"""Most states that are enumerated: about a gigabyte."""
CHUNK = 2**17
"""Numbers in an array of a chunk: 1 MB, which stays in the cache."""
MAX_WHOLE = 2**53
"""Numbers of states above this are floats."""
TIE = 1e-9
"""States within this (relative) of the lowest energy are ground states."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Energies of all states: the part that T divides, and the part that it does not.

    A state may stand for many of the same energy; ``log_number`` is the logarithm of how many.
    """

    tempered: np.ndarray
    fixed: np.ndarray
    log_number: np.ndarray

    def log_weights(self, beta: float) -> np.ndarray:
        """Logarithm of exp(-beta E - E_fixed) of every state, times their number."""
        return self.log_number - (beta * self.tempered + self.fixed)

    def part(self, start: int, stop: int) -> Spectrum:
        """Return the states with these numbers."""
        return Spectrum(*(x[start:stop] for x in (self.tempered, self.fixed, self.log_number)))

    def thermal(self, beta: float) -> Thermal:
        """Sum over all states.

        Raises
        ------
        ImproperDistributionError
            All weights are 0.
        """
        log_weights = self.log_weights(beta)
        top = log_weights.max()
        if top == -np.inf:
            raise no_weight()
        weights = np.exp(log_weights - top)
        Z = weights.sum()
        energy = weights @ self.tempered / Z
        variance = weights @ (self.tempered - energy) ** 2 / Z
        return Thermal(beta, float(top + np.log(Z)), float(energy), float(variance))

    def ground(self) -> tuple[float, float]:
        """Lowest tempered energy of the states that are not forbidden, and their number."""
        allowed = np.isfinite(self.fixed)
        energy, log_number = self.tempered[allowed], self.log_number[allowed]
        lowest = energy.min()
        tie = TIE * max(1.0, float(np.abs(energy).max()))
        with np.errstate(over="ignore"):
            number = np.exp(log_number[energy <= lowest + tie]).sum()
        return float(lowest), float(number) if number > MAX_WHOLE else round(number)


@dataclass(frozen=True, eq=False)
class Enumeration:
    """A system few enough of whose states there are."""

    system: System

    @property
    def cost(self) -> Cost:
        """The spectrum is made once; each temperature takes a few passes over it."""
        return Cost(10 * self.system.n_states, 48 * self.system.n_states)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Energies of all states.

        Raises
        ------
        ImproperDistributionError
            An energy is NaN or minus infinity.
        """
        s = self.system
        pairs = [energies(s.ir, s.tables, x) for x in self.states()]
        tempered, fixed = (np.concatenate(part) for part in zip(*pairs, strict=True))
        return Spectrum(tempered, fixed, np.broadcast_to(0.0, len(fixed)))

    def thermal(self, beta: float) -> Thermal:
        """Sum over all states."""
        return self.spectrum.thermal(beta)

    def states(self) -> Iterator[Values]:
        """All states, in the order of the spectrum, some at a time."""
        return chunks(self.system)


def enumeration(system: System) -> Enumeration:
    """Prepare an enumeration.

    Raises
    ------
    InfeasibleError
        There are more than `MAX_STATES`.
    """
    if system.n_states > MAX_STATES:
        raise InfeasibleError(
            f"enumeration would visit {power_of_two(system.n_states)} states, at most "
            f"{power_of_two(MAX_STATES)} are allowed",
            mend=SMALLER,
        )
    return Enumeration(system)


def chunks(system: System) -> Iterator[Values]:
    """All states, some at a time: arrays (rows, states) that the next chunk overwrites.

    The first free sites run through all their values within a chunk (mixed-radix counting), each
    other site has one value in all its states.
    """
    n_low, n = _within_chunk(system)
    x = {name: np.repeat(base[:, np.newaxis], n, axis=1) for name, base in system.base.items()}
    stride = 1
    for (name, row), levels in zip(system.sites[:n_low], system.levels[:n_low], strict=True):
        x[name][row] = levels[np.arange(n) // stride % len(levels)]
        stride *= len(levels)
    for high in product(*system.levels[n_low:]):
        for (name, row), value in zip(system.sites[n_low:], high, strict=True):
            x[name][row] = value
        yield x


def _within_chunk(system: System) -> tuple[int, int]:
    """How many sites vary within a chunk, and the states that this makes."""
    longest = max(
        [len(base) for base in system.base.values()]
        + [f.n_instances(system.tables) for f in system.ir.families]
    )
    sizes = [len(levels) for levels in system.levels]
    n_low = 0
    while n_low < len(sizes) and prod(sizes[: n_low + 1]) * longest <= CHUNK:
        n_low += 1
    return n_low, prod(sizes[:n_low])

"""What a backend offers: kernels for a program, over replicas that it keeps in its own layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.ir.state import State

Measures = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Energy that T divides, energy that it does not, sums."""


class Kernels(Protocol):
    """Compiled primitives of one program. ``packed`` is whatever the backend keeps a state in."""

    def pack(self, state: State) -> Any:
        """Bring a state into the backend's layout."""
        ...

    def unpack(self, packed: Any) -> State:
        """Copy it back into plain arrays."""
        ...

    def set_beta(self, packed: Any, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures, and the parameters that were tuned at them."""
        ...

    def take(self, packed: Any, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has, and nothing else of it."""
        ...

    def sweep(self, packed: Any, n: int) -> None:
        """Do n sweeps in place."""
        ...

    def accepted(self, packed: Any) -> np.ndarray:
        """Moves that each replica has accepted so far, shape (passes, replicas)."""
        ...

    def values(self, packed: Any, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows); read-only."""
        ...

    def energy(self, packed: Any) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        ...

    def swept_energy(self, packed: Any, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then, as exactly as weights need it.

        Couplings may be rounded to 2^-30 of the largest field of a site. Records want `energy`.
        """
        ...

    def measure(self, packed: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both energies, and the elements of all sums of ``program.measured``, (replicas, elements)."""
        ...

    def record(self, packed: Any, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times: the measures with a leading axis of draws."""
        ...

    def source(self) -> str:
        """Generated source, or a word on why there is none."""
        ...


def record(kernels: Kernels, packed: Any, draws: int, thin: int) -> Measures:
    """`Kernels.record` by a loop over draws."""
    found = []
    for _ in range(draws):
        kernels.sweep(packed, thin)
        found.append(kernels.measure(packed))
    tempered, fixed, sums = zip(*found, strict=True)
    return np.stack(tempered), np.stack(fixed), np.stack(sums)


def swept_energy(kernels: Kernels, packed: Any, n: int) -> np.ndarray:
    """`Kernels.swept_energy` by its two parts."""
    kernels.sweep(packed, n)
    return kernels.energy(packed)[0]


@dataclass(frozen=True)
class Backend:
    """A backend: its name, why it cannot run here (or None), and how to build kernels."""

    name: str
    missing: Callable[[], str | None]
    build: Callable[[Program, Tables, int, int], Kernels]
    """Program, tables, number of replicas, number of threads."""
    bits: bool = False
    """Whether it runs bit-sliced programs; others are lowered without."""
    gains_from: Callable[[Program, Tables], int | None] | None = None
    """Replicas from which it beats the processor, or None if never; not given: it is no rival."""

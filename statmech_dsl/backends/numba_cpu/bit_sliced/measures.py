"""Energies and sums of observables from the numbers of set bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.backends.base import Kernels, Measures
from statmech_dsl.ir.bits import BitSum
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Family, Tables
from statmech_dsl.ir.reduction import front_and_inner
from statmech_dsl.ir.state import State

Build = Callable[[Program], Kernels]


class Counted:
    """What a bit-sliced program measures, from the counts of its sums.

    ``build`` gives kernels for a program, which measure sums that are no counts.
    """

    def __init__(self, program: Program, tables: Tables, build: Build) -> None:
        assert program.bits is not None
        self.program, self.tables = program, tables
        self._sums: dict[str, list[tuple[int, BitSum]]] = {}
        for k, s in enumerate(program.bits.sums):
            self._sums.setdefault(s.family, []).append((k, s))
        self.n_terms = [_n_terms(s, tables, program.bits.fold or 1) for s in program.bits.sums]
        """Number of terms of each sum."""
        families = program.model.families + program.measured.families
        self._fronts = {f.name: self._front(f) for f in families if f.name in self._sums}
        self._build = build
        self._generic: Kernels | None = None

    @property
    def all(self) -> bool:
        """Whether all sums of observables are counts."""
        return all(f.name in self._sums for f in self.program.measured.families)

    def measures(self, counts: np.ndarray, unpack: Callable[[], State]) -> Measures:
        """Energies [draw, replica] and sums [draw, replica, element] from counts [draw, sum, replica].

        Sums that are no counts are those of the present state.
        """
        measured, n = self.program.measured, counts.shape[::2]
        energy = np.zeros(n)
        for f in self.program.model.energy_families:
            energy += self._sum_of(f, counts)
        sums: list[np.ndarray] = []
        others = None if self.all else self._unpacked_sums(unpack())
        for s in measured.sums:
            families = measured.feeding(s.name)
            if others is None or all(f.name in self._sums for f in families):
                total = np.zeros((*n, 1))
                for f in families:
                    total[..., 0] += self._sum_of(f, counts)
                sums.append(total)
            else:
                first = sum(x.shape[-1] for x in sums)
                sums.append(others[None, :, first : first + s.size])
        columns = np.concatenate(sums, axis=-1) if sums else np.zeros((*n, 0))
        return energy, np.zeros_like(energy), columns

    def _sum_of(self, f: Family, counts: np.ndarray) -> np.ndarray:
        """The sum of a family from the numbers of its bits."""
        total = 0
        for k, s in self._sums[f.name]:
            count = counts[:, k]
            total = total + s.weight * (self.n_terms[k] - count if s.term.flip is True else count)
        base, unit = self.tables[self._sums[f.name][0][1].scale]
        return self._fronts[f.name] * (base + unit * total)

    def _front(self, f: Family) -> float:
        """What all terms of a family have in common."""
        scalars = [
            float(self.tables[c.array][0]) if c.kind == "coefficient" else 0.0 for c in f.columns
        ]
        return evaluate(front_and_inner(f)[0], scalars, {})

    def _unpacked_sums(self, state: State) -> np.ndarray:
        """Sums that are no counts, by the program without its bits."""
        if self._generic is None:
            self._generic = self._build(replace(self.program, bits=None))
        return self._generic.measure(self._generic.pack(state))[2]


def _n_terms(s: BitSum, tables: Tables, fold: int) -> int:
    """Number of terms of a sum."""
    return tables[s.term.columns[0].index].size * fold if s.term.columns else 0

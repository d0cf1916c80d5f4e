"""The inverse propagator of a field on a periodic lattice: masses that let all Fourier modes move alike."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from statmech_dsl.ir.expr import Expr, evaluate
from statmech_dsl.ir.model import Tables

NODES, HALVINGS = 40, 60
"""Points of a mean over normal numbers, and halvings of the interval in which the mass lies."""
SMALLEST = 1e-6
"""Least eigenvalue of the inverse propagator, as a part of the largest coupling in Fourier space."""


@dataclass(frozen=True, slots=True)
class Propagator:
    """Fourier transform of the couplings between sites, and the curvature of the terms of one site.

    ``spectrum`` names a table, half of the modes, on a lattice with these ``periods``; ``curvature`` is an
    expression over slot 0, the field.
    """

    periods: tuple[int, ...]
    spectrum: str
    curvature: Expr

    def inverse(self, tables: Tables, beta: float) -> np.ndarray:
        """The couplings and an effective mass squared, times beta.

        The mass is the mean curvature under the normal distribution that has this very propagator
        (Hartree's approximation), exact where the energy is quadratic.
        """
        couplings = tables[self.spectrum]
        modes = np.broadcast_to(self.multiplicity(), couplings.shape)
        n, size = modes.sum(), float(np.abs(couplings).max())
        floor = SMALLEST * size - float(couplings.min())
        x, weight = np.polynomial.hermite_e.hermegauss(NODES)
        weight /= sqrt(2 * pi)

        def excess(mass: float) -> float:
            """The mass less the mean curvature that it leads to; it grows with the mass."""
            spread = sqrt((modes / (couplings + mass)).sum() / (n * beta))
            values = [evaluate(self.curvature, (float(y),), {}) for y in spread * x]
            return mass - float(weight @ np.array(values, float))

        low, high = floor, floor + size
        while excess(high) < 0 and high < 1e12 * size:
            high = floor + 4.0 * (high - floor)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if excess(middle) < 0 else (low, middle)
        return beta * (couplings + high)

    def multiplicity(self) -> np.ndarray:
        """How many modes each of the last axis stands for: those of a real field come in pairs."""
        last = self.periods[-1]
        pairs = np.full(last // 2 + 1, 2.0)
        pairs[0] = 1.0
        if last % 2 == 0:
            pairs[-1] = 1.0
        return pairs

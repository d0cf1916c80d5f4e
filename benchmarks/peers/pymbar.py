"""pymbar: the multistate Bennett acceptance ratio, compiled by JAX."""

from __future__ import annotations

import numpy as np
from pymbar import MBAR

PROTOCOLS = {
    "default": None,
    "adaptive": ({"method": "adaptive", "options": {"min_sc_iter": 0}},),
}
"""What solves the equations; the adaptive method alone is its fastest here."""


def free_energies(
    u: np.ndarray, counts: np.ndarray, protocol: str
) -> tuple[np.ndarray, np.ndarray]:
    """All of them relative to the first state, and their errors."""
    pool = MBAR(u, counts, solver_protocol=PROTOCOLS[protocol])
    found = pool.compute_free_energy_differences()
    return found["Delta_f"][0], found["dDelta_f"][0]

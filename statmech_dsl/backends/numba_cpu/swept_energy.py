"""Energies that the last pass of a sweep by lookup leaves behind.

Where the sites of that pass take part in every pair, the fields that decided them are all that their energy
needs: ``E = constant + sum_j linear_j n_j + sum_i n_i field_i``, over the sources j and the sites i, n being 1
where a site has its high value and 0 elsewhere. Fields count whole steps of couplings, so these are the
energies of couplings rounded to 2^-30 of the largest field.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from statmech_dsl.backends.numba_cpu.dense_energy import polynomial
from statmech_dsl.backends.numba_cpu.lookups import CODES, LINE, lines_of, sum_raised
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables


@dataclass(frozen=True, eq=False)
class Rest:
    """What energies are besides the fields: a constant, and what fours of sources add (nothing if empty)."""

    constant: float
    fours: np.ndarray


def rest_of(program: Program, tables: Tables) -> Rest | None:
    """What energies are besides the fields of the last pass; None if other pairs add to them."""
    last = program.passes[-1]
    if last.dense is None or last.dense.method != "lookups":
        return None
    constant, linear, pairs = polynomial(program.model, tables)
    sources = last.dense.sources
    others = {name for name, x in linear.items() if x.any()} - {last.variable}
    of_last = all(last.variable in names for names in pairs)
    every_site = len(tables[last.order]) == program.model.variable(last.variable).n_sites
    if not of_last or not every_site or not others <= set(sources):
        return None
    alone = np.concatenate([linear[name] for name in sources])
    fours = lines_of(alone[None], np.float64)[0, :, :, 0].ravel() if alone.any() else np.zeros(0)
    return Rest(constant, fours)


@njit(error_model="numpy", nogil=True)
def add_sources(c0, c1, codes, stride, fours, energy):
    """Add to the energies of replicas what their sources add."""
    for c in range(c0, c1):
        for four in range(fours.shape[0] // CODES):
            energy[c] += fours[four * CODES + codes[c * stride + four]]


@njit(error_model="numpy", nogil=True)
def add_fields(c0, c1, fields, states, run, values, high, unit, energy):
    """Add the fields of a line's sites that are high.

    The line stands in ``states`` from ``run`` on; ``values`` holds lines that are short or out of order (-1).
    """
    flat, n_sites = states.reshape(-1), states.shape[1]
    for c in range(c0, c1):
        if run >= 0:
            total = sum_raised(fields, c * LINE, flat, c * n_sites + run, high)
        else:
            total = sum_raised(fields, c * LINE, values, c * LINE, high)
        energy[c] += unit * total

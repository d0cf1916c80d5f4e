"""Columns of the results: dimensions, names and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statmech_dsl.ir.temperatures import Temperatures
from statmech_dsl.solvers.enumeration import Spectrum
from statmech_dsl.solvers.thermal import QUANTITIES, Thermal

CONVENTION = (
    "p(x) = exp(-E(x)/T) / Z; counting measure, Lebesgue measure for Field; "
    "T in units of energy, k_B = 1"
)

Column = tuple[tuple[str, ...], Any, dict[str, str]]
"""Dimensions, values, attributes."""


def temperature(at: Temperatures) -> Column:
    """Make the coordinate."""
    return _leading(at), at.T, {"long_name": "temperature", "units": "energy / k_B"}


def thermodynamics(sums: Sequence[Thermal], at: Temperatures) -> dict[str, Column]:
    """All that follows from log Z."""
    columns = {}
    for name, q in QUANTITIES.items():
        values = np.reshape([q.value(x) for x in sums], at.T.shape)
        attrs = {"long_name": q.long_name, "units": q.units, "formula": q.formula}
        columns[name] = (_leading(at), values, attrs)
    return columns


def rounding(sums: Sequence[Thermal], at: Temperatures) -> dict[str, Column]:
    """Rounding errors, of a method that reports them."""
    seen = [x.rounding for x in sums if x.rounding is not None]
    if not seen:
        return {}
    attrs = {"long_name": "largest relative rounding error of a factor of Z", "units": "1"}
    return {"rounding_error": (_leading(at), np.reshape(seen, at.T.shape), attrs)}


def ground_state(spectrum: Spectrum) -> dict[str, Column]:
    """Lowest energy and degeneracy."""
    energy, degeneracy = spectrum.ground()
    return {
        "min_energy": ((), energy, {"long_name": "lowest energy, total", "units": "energy"}),
        "degeneracy": ((), degeneracy, {"long_name": "states of the lowest energy", "units": "1"}),
    }


def means(values: Mapping[str, np.ndarray], at: Temperatures) -> dict[str, Column]:
    """Means of observables; the dimensions of an array are ``name_dim_0``, ``name_dim_1``, ..."""
    columns = {}
    for name, x in values.items():
        dims = (f"{name}_dim_{k}" for k in range(x.ndim - 1))
        attrs = {"long_name": f"mean of {name}", "formula": f"<{name}>"}
        columns[name] = ((*_leading(at), *dims), x.reshape(at.T.shape + x.shape[1:]), attrs)
    return columns


def _leading(at: Temperatures) -> tuple[str, ...]:
    return ("T",) * at.T.ndim

"""Free energies as a labelled table over T, and several routes side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.ir.temperatures import Temperatures
from statmech_dsl.results.tree import CONVENTION

Pair = tuple[np.ndarray, np.ndarray]
Row = tuple[tuple[float, float], ...]
AGREE = 4.0
"""Standard errors up to which two routes agree."""
ROUNDING = 1e-12
"""Relative differences that say nothing: where log Z is known, routes have no errors but those of rounding."""

ABOUT = {
    "log_partition": ("logarithm of the partition function, total", "1"),
    "free_energy": ("free energy, total", "energy"),
    "energy": ("mean energy, total", "energy"),
    "heat_capacity": ("heat capacity, total", "k_B"),
    "entropy": ("entropy, total", "k_B"),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """What one route found, as (values, errors) by ascending beta (or x, on the way from a reference).

    ``entropy`` is beta <E> + log_partition. ``effective_size`` is the number of independent draws that speak of
    each temperature; ``trouble`` says, in words, why the numbers cannot be trusted; ``start`` is log Z of
    what each was followed from, 0 as long as log Z is relative to it.
    """

    log_partition: Pair
    energy: Pair
    heat_capacity: Pair
    entropy: Pair
    effective_size: np.ndarray
    trouble: tuple[str, ...] = ()
    start: np.ndarray | float = 0.0

    @classmethod
    def of_rows(cls, rows: Sequence[Row], size: ArrayLike, trouble: tuple[str, ...]) -> Curve:
        """From the (value, error) of each quantity, in the order of the fields, one row for each x."""
        pairs = (tuple(np.array(column).T) for column in zip(*rows, strict=True))
        return cls(*pairs, np.asarray(size, float), trouble)  # type: ignore[arg-type]


def to_dataset(curve: Curve, at: Temperatures, attrs: Mapping[str, Any]) -> xr.Dataset:
    """The table of one route, in the order of the temperatures that were asked for."""
    back = np.argsort(np.argsort(at.beta.reshape(-1), kind="stable"), kind="stable")
    lead = ("T",) * at.T.ndim
    with np.errstate(invalid="ignore"):
        free = tuple(
            sign * at.T.reshape(-1) * x[back]
            for sign, x in zip((-1, 1), curve.log_partition, strict=True)
        )
    table: dict[str, Any] = {}
    for name, (title, units) in ABOUT.items():
        pair = free if name == "free_energy" else [x[back] for x in getattr(curve, name)]
        value, error = (np.reshape(x, at.T.shape) for x in pair)
        table[name] = (lead, value, {"long_name": title, "units": units})
        table[f"{name}_error"] = (lead, error, {"long_name": f"standard error of {name}"})
    difference = np.reshape((curve.log_partition[0] - curve.start)[back], at.T.shape)
    about = {"long_name": "log Z, relative to that of the reference"}
    table["log_partition_difference"] = (lead, difference, about)
    size = np.reshape(curve.effective_size[back], at.T.shape)
    table["effective_sample_size"] = (lead, size, {"long_name": "effective number of draws"})
    T = (lead, at.T, {"long_name": "temperature", "units": "energy / k_B"})
    about = {"convention": CONVENTION, "trouble": "; ".join(curve.trouble)}
    return xr.Dataset(table, {"T": T}, about | dict(attrs))


def panel_dataset(
    curves: Mapping[str, Curve], at: Temperatures, attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Routes side by side, and whether they agree."""
    tables = [to_dataset(curve, at, attrs).drop_attrs(deep=False) for curve in curves.values()]
    method = xr.Variable("method", list(curves))
    data = xr.concat(tables, method, coords="minimal", compat="override")
    trouble = ["; ".join(c.trouble) for c in curves.values()]
    worst = worst_sigma(data.log_partition.to_numpy(), data.log_partition_error.to_numpy())
    agreed = len(curves) > 1 and worst < AGREE and not any(trouble)
    return data.assign(
        trouble=("method", trouble),
        worst_sigma=((), worst, {"long_name": "largest difference of two routes in its errors"}),
        agreed=((), agreed),
    ).assign_attrs({"convention": CONVENTION, "method": "panel"} | dict(attrs))


def worst_sigma(value: np.ndarray, error: np.ndarray) -> float:
    """The largest difference between two rows in units of its standard error; 0 for a single row.

    Infinite where a value or an error is NaN, or where values differ that have no error.

    Examples
    --------
    >>> worst_sigma(np.array([[1.0], [1.5]]), np.array([[0.3], [0.4]]))
    1.0
    """
    found = [0.0]
    for a, b in combinations(range(len(value)), 2):
        apart, error_of = np.abs(value[a] - value[b]), np.hypot(error[a], error[b])
        same = apart <= ROUNDING * np.maximum(1.0, np.abs(value[a]))
        with np.errstate(divide="ignore", invalid="ignore"):
            sigmas = np.where(same, 0.0, apart / error_of)
        found.append(float(np.where(np.isnan(sigmas), np.inf, sigmas).max()))
    return max(found)

"""Functions of means as data, and their labelled jackknife estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.diagnostics.checks import ChainCheck, at_temperature
from statmech_dsl.diagnostics.posterior import over_copies, variable
from statmech_dsl.estimators import JackknifeEstimate, jackknife


@dataclass(frozen=True)
class Derived:
    """A function of means, such as a heat capacity or a cumulant.

    Attributes
    ----------
    of : mapping of str to str or callable
        What is averaged, under names of your choice: a variable of the posterior, or a function
        from the draws at one temperature (a Dataset over (chain, draw), with the scalar
        coordinate ``T``) to an array over (chain, draw, ...).
    value : callable
        Takes the means as arguments of these names; returns a number or an array.
    long_name : str
        A description for tables and plots.
    formula : str
        The formula in plain text.

    Examples
    --------
    >>> variance = Derived(
    ...     of={"e": "energy", "e2": lambda draws: draws.energy**2},
    ...     value=lambda e, e2: e2 - e**2,
    ... )
    >>> variance.value(e=1.0, e2=3.0)
    2.0
    """

    of: Mapping[str, str | Callable[[xr.Dataset], xr.DataArray]]
    value: Callable[..., Any]
    long_name: str = ""
    formula: str = ""


def estimate(functions: Mapping[str, Derived], draws: xr.Dataset, check: ChainCheck) -> xr.Dataset:
    """Estimate functions of means of the draws at one temperature.

    Returns
    -------
    xarray.Dataset
        For each function its value under its name, and its jackknife error under ``name_error``;
        a result of the shape of one of the averaged arrays keeps the dimensions of that array.
    """
    T = float(draws["T"]) if "T" in draws.coords else None
    results: dict[str, xr.DataArray] = {}
    for name, function in functions.items():
        sources = {key: over_copies(source(draws, what)) for key, what in function.of.items()}
        result = jackknife(function.value, {key: array.values for key, array in sources.items()})
        check.see(at_temperature(name, T), result.tau, result.n_blocks)
        results |= labelled(name, function, result, sources)
    return xr.Dataset(results, coords=None if T is None else {"T": T})


def labelled(
    name: str, function: Derived, result: JackknifeEstimate, sources: Mapping[str, xr.DataArray]
) -> dict[str, xr.DataArray]:
    """Return value and error with the dimensions of a source (chain, draw, ...) of their shape."""
    about = {"long_name": function.long_name or name, "formula": function.formula}
    return {
        name: _labelled(name, result.value, sources).assign_attrs(about),
        f"{name}_error": _labelled(name, result.error, sources).assign_attrs(
            long_name=f"standard error of {about['long_name']}"
        ),
    }


def source(draws: xr.Dataset, what: str | Callable[[xr.Dataset], xr.DataArray]) -> xr.DataArray:
    """Return what is averaged, dimensions chain and draw first."""
    if isinstance(what, str):
        return variable(draws, what)
    return what(draws).transpose("chain", "draw", ...)


def _labelled(name: str, value: Any, sources: Mapping[str, xr.DataArray]) -> xr.DataArray:
    for array in sources.values():
        template = array.isel(chain=0, draw=0, drop=True)
        if template.shape == np.shape(value):
            return template.drop_attrs().copy(data=value)
    dims = [f"{name}_dim_{axis}" for axis in range(np.ndim(value))]
    return xr.DataArray(value, dims=dims)

"""Reading what the verbs return: draws, temperatures and the number of sites."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from statmech_dsl.errors import DiagnosticsError

COPIES = {"copy", "copy_pair"}
"""Dimensions along which replicas of one temperature lie: means are taken over them too."""
SCALAR = {"chain", "draw", "T"} | COPIES
"""Dimensions of a variable that is one number in a state."""


def over_copies(array: xr.DataArray) -> xr.DataArray:
    """Mean over the replicas of one temperature, which may hang together: one number for each draw."""
    return array.mean([d for d in array.dims if d in COPIES])


def read_posterior(data: xr.DataTree) -> xr.Dataset:
    """Return the draws, with the temperature as the coordinate ``T`` (a scalar for one of them).

    Raises
    ------
    DiagnosticsError
        If this is not a DataTree with a group ``posterior`` over (chain, draw).
    """
    if not isinstance(data, xr.DataTree) or "posterior" not in data.children:
        raise DiagnosticsError(
            "diagnostics need the draws of a run",
            where=f"got {type(data).__name__}",
            mend="pass the DataTree that sample or temper returns; it has a group `posterior`",
        )
    posterior = data["posterior"].to_dataset()
    if not {"chain", "draw"} <= set(posterior.dims):
        raise DiagnosticsError(
            "the posterior has no dimensions chain and draw",
            where=f"dims {tuple(posterior.dims)}",
            mend="keep both when selecting: data.sel(chain=[0]) instead of data.sel(chain=0)",
        )
    attrs = {**data.attrs, **posterior.attrs}
    if "T" not in posterior.coords and "T" in attrs:
        posterior = posterior.assign_coords(T=float(attrs["T"]))
    return posterior


def log_weights(data: xr.DataTree) -> np.ndarray | None:
    """Log weights (chain, draw) that make all states count alike, if the draws are of a flat histogram."""
    if "sample_stats" not in data.children:
        return None
    found = data["sample_stats"].to_dataset().get("log_weight")
    return None if found is None else found.transpose("chain", "draw").to_numpy()


def per_temperature(
    posterior: xr.Dataset, compute: Callable[[xr.Dataset], xr.Dataset]
) -> xr.Dataset:
    """Apply ``compute`` to the draws at each temperature and join the results along ``T``."""
    if "T" not in posterior.dims:
        return compute(posterior)
    slices = [posterior.isel(T=index) for index in range(posterior.sizes["T"])]
    results: list[xr.Dataset] = []
    for draws in slices:
        try:
            results.append(compute(draws))
        except DiagnosticsError as error:
            error.add_note(f"at T={draws['T'].item():g}")
            raise
    return xr.concat(results, dim="T", coords="different", compat="equals")


def variable(posterior: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable by name, dimensions chain and draw first.

    Raises
    ------
    DiagnosticsError
        If there is no such variable.
    """
    if name not in posterior.data_vars:
        raise DiagnosticsError(
            f"the posterior has no variable {name!r}",
            where=f"it has {', '.join(map(str, posterior.data_vars))}",
            mend="declare it with sm.Observable, or keep the states of a variable with store=",
        )
    return posterior[name].transpose("chain", "draw", ...)


def sites_of(data: xr.DataTree, n_sites: int | None) -> int:
    """Return the number of sites that "per site" refers to.

    Raises
    ------
    DiagnosticsError
        If it is not given and the run has several variables, or does not say.
    """
    if n_sites is not None:
        return n_sites
    sites: dict[str, int] = json.loads(data.attrs.get("n_sites", "{}"))
    if len(sites) != 1:
        raise DiagnosticsError(
            "it is not clear how many sites `per site` refers to",
            where=f"sites of each variable: {sites or 'not recorded'}",
            mend="pass n_sites=, for instance the number of sites of the lattice",
        )
    return next(iter(sites.values()))

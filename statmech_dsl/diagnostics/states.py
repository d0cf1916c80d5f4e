"""Stored states as vectors of what is correlated, a chunk of states at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from statmech_dsl.errors import DiagnosticsError

CHUNK = 2**22
"""Numbers held at a time (32 MB)."""

type Real = NDArray[np.float64]
type Component = Callable[[NDArray], NDArray]


def over_states(
    function: Callable[[Real], Real],
    states: xr.DataArray,
    component: Component | tuple[Component, ...] | None,
    size: int,
) -> Real:
    """Apply a function of spin vectors (states, sites, components) to all stored states.

    Parameters
    ----------
    function : callable
        From an array (states, sites, components) to one (states, ...).
    states : xarray.DataArray, dims (chain, draw, site) or (chain, draw, site, component)
        The stored states.
    component : callable, tuple of callables or None
        From stored values to what is correlated; several are stacked as components of a vector.
    size : int
        Numbers that the function holds for each state.

    Returns
    -------
    ndarray, shape (chain, draw, ...)
        The results.
    """
    values = states.values.reshape(-1, *states.shape[2:])
    step = max(1, CHUNK // size)
    chunks = [values[first : first + step] for first in range(0, len(values), step)]
    results = np.concatenate([function(_vectors(chunk, component)) for chunk in chunks])
    return results.reshape(*states.shape[:2], *results.shape[1:])


def _vectors(values: NDArray, component: Component | tuple[Component, ...] | None) -> Real:
    if isinstance(component, tuple):
        values = np.stack([part(values) for part in component], axis=-1)
    elif component is not None:
        values = component(values)
    vectors = np.asarray(values, dtype=np.float64)
    return vectors[..., np.newaxis] if vectors.ndim == 2 else vectors


def check_sites(states: xr.DataArray, n_sites: int) -> None:
    """Check that stored states have one entry for each site.

    Raises
    ------
    DiagnosticsError
        If they do not.
    """
    if states.ndim < 3 or states.shape[2] != n_sites:
        mend = "pass the variable declared on this lattice, stored with store=, and its lattice"
        if "copy" in states.dims:
            mend = 'take the copies one by one: data.isel(copy=0, missing_dims="ignore")'
        raise DiagnosticsError(
            f"{states.name!r} does not have one value for each of the {n_sites} sites",
            where=f"sizes {dict(states.sizes)}",
            mend=mend,
        )

"""What a flat-histogram run says about the density of states, as groups of its results."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from statmech_dsl.estimators import density_of_states
from statmech_dsl.results.ladder import add_variables

BLOCKS = 64
"""Blocks of draws of each walker, in which visits are counted: errors come from them."""


def add_density(
    tree: xr.DataTree, log_law: np.ndarray, low: float, width: float, window: tuple, whole: float
) -> xr.DataTree:
    """Add the weight of each draw, and the density of states; ``whole`` is log of its sum, or NaN.

    ``log_law`` is the log weight of bins from ``low`` on; all beyond them has that of the last ones.
    """
    energy = tree["posterior"]["energy"].to_numpy()
    index = np.rint((energy - low) / width).astype(np.int64)
    log_law_of = log_law[np.clip(index, 0, len(log_law) - 1)]
    about = {"long_name": "log weight that makes all states count alike"}
    tree = add_variables(
        tree, "sample_stats", {"log_weight": (("chain", "draw"), -log_law_of, about)}
    )
    levels = np.unique(index)
    inside = (low + width * levels >= window[0]) & (low + width * levels <= window[1])
    levels = levels[inside]
    counts = _visits(index, levels)
    law = log_law[np.clip(levels, 0, len(log_law) - 1)]
    absolute = not math.isnan(whole)
    found = density_of_states(counts, law, whole if absolute else 0.0)
    visits = counts.sum(axis=(0, 1)).astype(np.int64)
    reference = "absolute" if absolute else "its sum over the levels is 1"
    table = {
        "log_density_of_states": (
            "level",
            found.value,
            {"long_name": "ln g(E)", "reference": reference},
        ),
        "log_density_of_states_error": ("level", found.error),
        "visits": ("level", visits),
    }
    coords = {"level": ("level", low + width * levels, {"long_name": "energy E, total"})}
    attrs = {"flatness": float(visits.min() / visits.mean()), "width": width}
    if absolute:
        attrs["log_volume"] = whole
    tree["density_of_states"] = xr.DataTree(xr.Dataset(table, coords, attrs))
    # No temperature: what reads one must not take these draws for those of any.
    for node in (tree, tree["posterior"]):
        del node.attrs["T"]
    return tree


def _visits(index: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Visits of levels by chain and block; draws elsewhere do not count."""
    n_chains, n_draws = index.shape
    n_blocks = min(BLOCKS, n_draws)
    place = np.searchsorted(levels, index)
    known = levels[np.minimum(place, len(levels) - 1)] == index
    block = np.arange(n_draws) * n_blocks // n_draws
    flat = (np.arange(n_chains)[:, None] * n_blocks + block) * len(levels) + place
    counts = np.bincount(flat[known], minlength=n_chains * n_blocks * len(levels))
    return counts.reshape(n_chains, n_blocks, len(levels)).astype(float)

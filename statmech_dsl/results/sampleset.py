"""Results of annealing for tools that work on dimod's sample sets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.errors import ArgumentError
from statmech_dsl.lang.bqm import import_dimod
from statmech_dsl.lang.labels import site_labels

VARTYPES = {("Spin",): "SPIN", ("Occupation",): "BINARY"}


def to_sampleset(result: xr.Dataset) -> Any:
    """Return the states and energies of an annealing as a `dimod.SampleSet`.

    Parameters
    ----------
    result : Dataset
        What `sm.anneal` returned for a model of spins, or of occupations.

    Returns
    -------
    dimod.SampleSet
        One row for each read. Labels are those of `sm.to_bqm`.

    Raises
    ------
    ArgumentError
        The result is not one of `sm.anneal`, or its variables have other values.
    PackageError
        dimod is not installed.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> result = sm.anneal(sm.models.max_cut(), progressbar=False)
    >>> sm.to_sampleset(result).first.energy  # doctest: +SKIP
    """
    if not isinstance(result, xr.Dataset) or "variables" not in result.attrs:
        raise ArgumentError(
            f"expected the result of sm.anneal, got {type(result).__name__}",
            mend="give what sm.anneal returned",
        )
    kinds = json.loads(result.attrs["variables"])
    vartype = VARTYPES.get(tuple(sorted(set(kinds.values()))))
    if vartype is None:
        raise ArgumentError(
            "a sample set has spins, or occupations, and nothing else",
            where=", ".join(f"{kind} {name!r}" for name, kind in kinds.items()),
        )
    dimod = import_dimod()
    arrays = {name: result[name] for name in kinds}
    states = np.concatenate([x.to_numpy().reshape(x.sizes["read"], -1) for x in arrays.values()], 1)
    coords = {d: c.to_numpy() for x in arrays.values() for d, c in x.coords.items() if d != "read"}
    labels = site_labels({n: (x.dims[1:], x.shape[1:]) for n, x in arrays.items()}, coords)
    return dimod.SampleSet.from_samples(
        (states, labels), vartype=vartype, energy=result["energy"].to_numpy()
    )

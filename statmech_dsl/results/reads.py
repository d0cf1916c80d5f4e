"""Results of searches: the best energy and state of each read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.results.tree import common_attrs, dims_by_name


def to_reads(
    sampler: Sampler,
    model: Any,
    seed: int,
    energy: np.ndarray,
    values: dict[str, np.ndarray],
    steps: dict[str, np.ndarray],
    attrs: dict[str, Any],
) -> xr.Dataset:
    """Build the Dataset that searches return.

    ``energy`` and ``values`` have one row for each read, ``steps`` one number for each step of the schedule.
    """
    named = dims_by_name(sampler, model)
    data: dict[str, Any] = {"energy": ("read", energy, {"long_name": "lowest energy E, total"})}
    for v in sampler.program.model.variables:
        x = values[v.name].reshape(-1, *v.shape)
        dims = named.get(v.name) or tuple(f"{v.name}_dim_{k}" for k in range(len(v.shape)))
        data[v.name] = (("read", *dims), x)
    data |= {name: ("step", x) for name, x in steps.items() if name != "beta"}
    used = {d for dims, *_ in data.values() for d in dims}
    given = {d: np.asarray(c) for d, c in model.coords.items() if c is not None and d in used}
    coords = {"read": np.arange(len(energy)), "beta": ("step", steps["beta"])}
    kinds = {v.name: v.domain.label for v in sampler.program.model.variables}
    common = common_attrs(sampler, seed) | {"variables": json.dumps(kinds)}
    return xr.Dataset(data, coords=coords | given, attrs=common | attrs)

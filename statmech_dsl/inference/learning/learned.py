"""What `learn` returns: labelled arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.inference.learning import Fit, Learner, Task


def labelled(learner: Learner, task: Task, fit: Fit, attrs: dict[str, Any]) -> xr.DataTree:
    """Groups ``point``, ``standard_error``, ``history`` and ``state``."""
    space = task.space
    groups = {"point": _dataset(task, space.natural(fit.x))}
    if fit.covariance is not None:
        groups["standard_error"] = _dataset(task, space.spread(fit.x, fit.covariance))
    steps = np.arange(1, 1 + max(len(x) for x in fit.history.values())) if fit.history else []
    history = {name: ("step", x) for name, x in fit.history.items()}
    groups["history"] = xr.Dataset(history, coords={"step": steps} if fit.history else {})
    state = {"unconstrained": fit.x} | fit.state
    groups["state"] = xr.Dataset(
        {name: ([f"{name}_dim_{k}" for k in range(np.ndim(x))], x) for name, x in state.items()}
    )
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    named = {"method": learner.name, "assumes": learner.assumes, "n_states": task.posed.n_states}
    tree.attrs = named | attrs | fit.attrs
    return tree


def _dataset(task: Task, values: dict[str, np.ndarray]) -> xr.Dataset:
    """Parameters under their names, with the dimensions that the model gives them."""
    model = task.posed.model
    out, coords = {}, {}
    for name, x in values.items():
        dims = model.named_vars_to_dims.get(name) or [f"{name}_dim_{k}" for k in range(x.ndim)]
        out[name] = (list(dims), x)
        coords |= {d: np.asarray(c) for d in dims if (c := model.coords.get(d)) is not None}
    return xr.Dataset(out, coords=coords)

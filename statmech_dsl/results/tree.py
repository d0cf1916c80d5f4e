"""From recorded arrays to a DataTree: groups, dimensions, coordinates, attributes."""

from __future__ import annotations

import importlib.metadata
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.marks import mark_of
from statmech_dsl.ir.state import State

CONVENTION = "p(x) = exp(-E(x)/T) / Z; E is the total energy; T in units of energy, k_B = 1"
LIBRARIES = ("statmech_dsl", "numpy", "numba", "pymc", "pytensor", "xarray")


def to_tree(
    sampler: Sampler,
    arrays: dict[str, np.ndarray],
    state: State,
    T: np.ndarray,
    many: bool,
    model: Any,
    attrs: dict[str, Any],
    statistics: dict[str, np.ndarray],
) -> xr.DataTree:
    """Build the tree that verbs return.

    ``arrays`` have axes (replica, draw, ...), replicas running over T first, then over chains;
    ``statistics`` have one number for each replica.
    """
    n_T = len(T)
    dims_of = dims_by_name(sampler, model)
    posterior: dict[str, tuple] = {
        name: _labelled(x, n_T, many, dims_of.get(name), name) for name, x in arrays.items()
    }
    coords: dict[str, Any] = {}
    if many:
        coords["T"] = ("T", np.round(T, 12), {"units": "energy / k_B"})
    chains = len(state.replicas) // n_T
    coords["chain"] = np.arange(chains)
    coords["draw"] = np.arange(arrays["energy"].shape[1])
    named = {d for dims, *_ in posterior.values() for d in dims}
    given = {d: np.asarray(v) for d, v in model.coords.items() if v is not None and d in named}
    scalar_T = {} if many else {"T": float(T[0])}
    common = common_attrs(sampler, state.seed) | scalar_T | attrs
    stats = {
        name: (("chain", "draw", "T") if many else ("chain", "draw"), _spread(x, n_T, coords, many))
        for name, x in statistics.items()
    }
    posterior["energy"] = (*posterior["energy"][:2], {"long_name": "energy E, total"})
    tree = xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=common),
            "/posterior": xr.Dataset(posterior, coords=coords | given, attrs=common | scalar_T),
            "/sample_stats": xr.Dataset(stats, coords=coords),
            "/constant_data": xr.Dataset(_couplings(sampler)),
            "/final_state": _state_dataset(sampler, state, n_T, many, dims_of, coords),
        }
    )
    return tree


def common_attrs(sampler: Sampler, seed: int) -> dict[str, Any]:
    """What was run, and with what."""
    return {
        "inference_library": "statmech_dsl",
        "versions": json.dumps({name: importlib.metadata.version(name) for name in LIBRARIES}),
        "created_at": datetime.now(UTC).isoformat(),
        "convention": CONVENTION,
        "seed": str(seed),
        "backend": sampler.backend.name,
        "model_hash": sampler.content_hash,
        "n_sites": json.dumps(sampler.n_sites),
        "updates": json.dumps({p.variable: p.update for p in sampler.program.passes}),
        "tiers": json.dumps(sampler.program.tiers),
    }


def dims_by_name(sampler: Sampler, model: Any) -> dict[str, tuple[str, ...]]:
    """Names of the trailing dimensions of variables and observables that the model knows."""
    named = model.named_vars_to_dims
    known = {v.name: named[v.name] for v in sampler.program.model.variables if v.name in named}
    for d in model.deterministics:
        if mark_of(d) is not None and d.name in named:
            known[mark_of(d).name] = named[d.name]
    return known


def _labelled(
    x: np.ndarray, n_T: int, many: bool, dims: tuple[str, ...] | None, name: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Split replicas into T and chain; ArviZ wants chain and draw first."""
    x = x.reshape(n_T, -1, *x.shape[1:])
    x = np.moveaxis(x, 0, 2) if many else x[0]
    n_lead = 3 if many else 2
    trailing = dims or tuple(f"{name}_dim_{k}" for k in range(x.ndim - n_lead))
    return (*("chain", "draw", "T")[:n_lead], *trailing), x


def _spread(x: np.ndarray, n_T: int, coords: dict[str, Any], many: bool) -> np.ndarray:
    """One number for each replica, repeated for every draw as ArviZ expects of statistics."""
    x = np.moveaxis(x.reshape(n_T, -1, 1), 0, 2) if many else x.reshape(-1, 1)
    shape = (x.shape[0], len(coords["draw"]), *x.shape[2:])
    return np.array(np.broadcast_to(x, shape))


def _couplings(sampler: Sampler) -> dict[str, Any]:
    """The coefficients of every energy term; `explain` shows where they stand."""
    out: dict[str, Any] = {}
    for f in sampler.program.model.families:
        for k, c in enumerate(f.columns):
            if c.kind == "coefficient":
                name = f"{f.term}.{f.name}.{k}"
                table = sampler.tables[c.array]
                values = table[sampler.tables[c.index]] if c.index else table[0]
                out[name] = ((f"{name}_instance",) if c.index else (), values)
    return out


# ---- the state at the end of a run --------------------------------------------------------------------


def _state_dataset(
    sampler: Sampler, state: State, n_T: int, many: bool, dims_of: dict, coords: dict
) -> xr.Dataset:
    lead = ("chain", "T") if many else ("chain",)

    def arranged(x: np.ndarray) -> np.ndarray:
        x = x.reshape(n_T, -1, *x.shape[1:])
        return np.moveaxis(x, 0, 1) if many else x[0]

    data: dict[str, Any] = {}
    for v in sampler.program.model.variables:
        x = arranged(state.values[v.name].reshape(-1, *v.shape))
        trailing = dims_of.get(v.name) or tuple(f"{v.name}_dim_{k}" for k in range(len(v.shape)))
        data[v.name] = ((*lead, *trailing), x)
    for k, (number, q) in enumerate(sampler.params):
        variable = sampler.program.passes[number].variable
        data[f"{variable}.{q.name}"] = (lead, arranged(state.params[k]))
    kept = {k: c for k, c in coords.items() if k in lead}
    return xr.Dataset(data, coords=kept, attrs={"sweep": state.sweep, "seed": str(state.seed)})


def final_state(sampler: Sampler, tree: xr.DataTree, start: State) -> State:
    """The state that a run ended with, to go on from; ``start`` gives the arrangement of replicas.

    Raises
    ------
    ArgumentError
        The tree holds another model, or other chains or temperatures.
    """
    if "final_state" not in tree.children or tree.attrs.get("model_hash") != sampler.content_hash:
        raise ArgumentError(
            "init= is the result of a run of another model", mend="give states by variable name"
        )
    data = tree["final_state"].to_dataset()
    many = "T" in data.dims
    state = start.copy()

    def flat(x: xr.DataArray) -> np.ndarray:
        a = x.to_numpy()
        return (np.moveaxis(a, 1, 0) if many else a[None]).reshape(-1, *a.shape[1 + many :])

    for v in sampler.program.model.variables:
        x = flat(data[v.name]).reshape(-1, int(np.prod(v.shape)))
        if x.shape != state.values[v.name].shape:
            raise ArgumentError(
                "init= has other chains or temperatures than this run",
                where=f"{len(x)} replicas against {state.n_replicas}",
            )
        state.values[v.name] = x.astype(v.domain.storage_dtype)
    for k, (number, q) in enumerate(sampler.params):
        variable = sampler.program.passes[number].variable
        state.params[k] = flat(data[f"{variable}.{q.name}"])
    state.sweep, state.seed = int(data.attrs["sweep"]), int(data.attrs["seed"])
    return state

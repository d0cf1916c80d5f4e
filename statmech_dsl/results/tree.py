"""From recorded arrays to a DataTree: groups, dimensions, coordinates, attributes."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.engine.composition import composition
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.marks import mark_of
from statmech_dsl.ir.state import State

CONVENTION = "p(x) = exp(-E(x)/T) / Z; E is the total energy; T in units of energy, k_B = 1"
LIBRARIES = ("statmech_dsl", "numpy", "numba", "pymc", "pytensor", "xarray")


@dataclass(frozen=True)
class Lead:
    """The dimensions that replicas become: chain, T if there are many, copy if there are several."""

    n_T: int
    many: bool
    copies: int

    @property
    def dims(self) -> tuple[str, ...]:
        """Without the draws."""
        return ("chain", *["T"] * self.many, *["copy"] * (self.copies > 1))

    @property
    def with_draw(self) -> tuple[str, ...]:
        """With the draws; ArviZ wants chain and draw first."""
        return ("chain", "draw", *self.dims[1:])

    def arrange(self, x: np.ndarray) -> np.ndarray:
        """Split the first axis, of replicas, into these dimensions."""
        x = np.moveaxis(x.reshape(self.n_T, -1, self.copies, *x.shape[1:]), 0, 1)
        x = x if self.copies > 1 else x[:, :, 0]
        return x if self.many else x[:, 0]

    def flatten(self, x: np.ndarray) -> np.ndarray:
        """The inverse."""
        x = np.moveaxis(x, 1, 0) if self.many else x[None]
        return x.reshape(-1, *x.shape[2 + (self.copies > 1) :])


def to_tree(
    sampler: Sampler,
    arrays: dict[str, np.ndarray],
    state: State,
    T: np.ndarray,
    many: bool,
    model: Any,
    attrs: dict[str, Any],
    statistics: dict[str, np.ndarray],
    copies: int = 1,
) -> xr.DataTree:
    """Build the tree that verbs return.

    ``arrays`` have axes (replica, draw, ...), replicas running over T first, then over chains, then over
    copies; ``statistics`` have one number for each replica, or axes like those.
    """
    lead = Lead(len(T), many, copies)
    dims_of = dims_by_name(sampler, model)
    posterior: dict[str, tuple] = {
        name: _labelled(x, lead, dims_of.get(name), name) for name, x in arrays.items()
    }
    coords: dict[str, Any] = {}
    if many:
        coords["T"] = ("T", np.round(T, 12), {"units": "energy / k_B"})
    coords["chain"] = np.arange(len(state.replicas) // (len(T) * copies))
    coords["draw"] = np.arange(arrays["energy"].shape[1])
    named = {d for dims, *_ in posterior.values() for d in dims}
    given = {d: np.asarray(v) for d, v in model.coords.items() if v is not None and d in named}
    scalar_T = {} if many else {"T": float(T[0])}
    common = common_attrs(sampler, state.seed) | scalar_T | attrs
    if copies > 1:
        coords["copy"] = np.arange(copies)
    n_draws = len(coords["draw"])
    stats = {
        name: (lead.with_draw, _spread(x, lead, n_draws))
        if x.ndim == 1
        else _labelled(x, lead, None, name)
        for name, x in statistics.items()
    }
    posterior["energy"] = (*posterior["energy"][:2], {"long_name": "energy E, total"})
    tree = xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=common),
            "/posterior": xr.Dataset(posterior, coords=coords | given, attrs=common | scalar_T),
            "/sample_stats": xr.Dataset(stats, coords=coords),
            "/constant_data": xr.Dataset(_couplings(sampler)),
            "/final_state": _state_dataset(sampler, state, lead, dims_of, coords),
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
        "updates": json.dumps(composition(sampler.program)),
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
    x: np.ndarray, lead: Lead, dims: tuple[str, ...] | None, name: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Split replicas into the leading dimensions."""
    x = np.moveaxis(lead.arrange(x), len(lead.dims), 1)
    trailing = dims or tuple(f"{name}_dim_{k}" for k in range(x.ndim - len(lead.with_draw)))
    return (*lead.with_draw, *trailing), x


def _spread(x: np.ndarray, lead: Lead, n_draws: int) -> np.ndarray:
    """One number for each replica, repeated for every draw as ArviZ expects of statistics."""
    x = lead.arrange(x)
    return np.repeat(x[:, None], n_draws, axis=1)


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
    sampler: Sampler, state: State, lead: Lead, dims_of: dict, coords: dict
) -> xr.Dataset:
    data: dict[str, Any] = {}
    for v in sampler.program.model.variables:
        x = lead.arrange(state.values[v.name].reshape(-1, *v.shape))
        trailing = dims_of.get(v.name) or tuple(f"{v.name}_dim_{k}" for k in range(len(v.shape)))
        data[v.name] = ((*lead.dims, *trailing), x)
    for k, name in enumerate(sampler.param_names):
        data[name] = (lead.dims, lead.arrange(state.params[k]))
    for name, rows in sampler.program.mass_rows.items():
        shape = sampler.program.model.variable(name).shape
        data[f"{name}.mass"] = (
            data[name][0],
            lead.arrange(state.params[rows].T.reshape(-1, *shape)),
        )
    kept = {k: c for k, c in coords.items() if k in lead.dims}
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
    lead = Lead(data.sizes.get("T", 1), "T" in data.dims, data.sizes.get("copy", 1))
    state = start.copy()

    for v in sampler.program.model.variables:
        x = lead.flatten(data[v.name].to_numpy()).reshape(-1, int(np.prod(v.shape)))
        if x.shape != state.values[v.name].shape:
            raise ArgumentError(
                "init= has other chains or temperatures than this run",
                where=f"{len(x)} replicas against {state.n_replicas}",
            )
        state.values[v.name] = x.astype(v.domain.storage_dtype)
    _require_tuned(sampler, data)
    for k, name in enumerate(sampler.param_names):
        state.params[k] = lead.flatten(data[name].to_numpy())
    for name, rows in sampler.program.mass_rows.items():
        x = lead.flatten(data[f"{name}.mass"].to_numpy())
        state.params[rows] = x.reshape(state.n_replicas, -1).T
    state.sweep, state.seed = int(data.attrs["sweep"]), int(data.attrs["seed"])
    return state


def _require_tuned(sampler: Sampler, data: xr.Dataset) -> None:
    """Raise unless the run had the tuned numbers that this one needs."""
    names = (*sampler.param_names, *(f"{v}.mass" for v in sampler.program.mass_rows))
    missing = [name for name in names if name not in data]
    if missing:
        raise ArgumentError(
            f"init= is the result of a run with other updates: it has no {', '.join(missing)}",
            mend="give updates= what that run had, its attrs['updates'], or states by variable name",
        )

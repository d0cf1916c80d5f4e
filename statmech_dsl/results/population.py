"""Results of population annealing: averages, members, families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.estimators.families import (
    block_of,
    family_sizes,
    log_mean_exp,
    n_blocks,
    shares,
    weighted_mean,
)
from statmech_dsl.ir.state import State
from statmech_dsl.results.tree import common_attrs, dims_by_name

Vars = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Step:
    """A population at one temperature; arrays of members have the axes (run, member)."""

    beta: float
    energy: np.ndarray
    observed: dict[str, np.ndarray]
    families: np.ndarray
    log_z: np.ndarray
    """log Z by each run."""
    errors: np.ndarray
    """Its errors."""
    error: float
    """Error of the log of the mean Z."""


def to_population(
    sampler: Sampler,
    model: Any,
    state: State,
    steps: Sequence[Step],
    reference: str,
    attrs: Vars,
) -> xr.DataTree:
    """Build the tree that population annealing returns; ``reference`` says what log Z is relative to."""
    runs, members = steps[0].energy.shape
    beta = np.array([step.beta for step in steps])
    with np.errstate(divide="ignore"):
        T = np.round(1 / beta, 12)
    at = {"T": ("T", T, {"units": "energy / k_B"}), "beta": ("T", beta)}
    chains = {"chain": np.arange(runs)}
    each = chains | {"draw": np.arange(members)}
    dims = dims_by_name(sampler, model)
    common = common_attrs(sampler, state.seed) | attrs
    posterior: Vars = {
        name: (
            ("chain", "draw", "T", *_trailing(name, x[0].ndim - 2, dims)),
            np.stack(x, axis=2),
        )
        for name, x in _members(steps).items()
    }
    final: Vars = {}
    for v in sampler.program.model.variables:
        x = state.values[v.name].reshape(runs, members, *v.shape)
        final[v.name] = (("chain", "draw", *_trailing(v.name, len(v.shape), dims)), x)
    averages = xr.Dataset(_averages(steps, T, dims), coords=at)
    averages["log_partition"].attrs["reference"] = reference
    named = {d for x in (*posterior.values(), *final.values()) for d in x[0]}
    given = {d: np.asarray(c) for d, c in model.coords.items() if c is not None and d in named}

    def labelled(data: Vars, coords: Vars, attrs: Vars | None = None) -> xr.Dataset:
        used = {d for x in data.values() for d in x[0]}
        labels = {d: c for d, c in given.items() if d in used}
        return xr.Dataset(data, coords=coords | labels, attrs=attrs)

    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=common),
            "/averages": averages.assign_coords(
                {d: c for d, c in given.items() if d in averages.dims}
            ),
            "/posterior": labelled(posterior, each | at, common),
            "/sample_stats": xr.Dataset(_statistics(steps), coords=chains | at),
            "/final_state": labelled(final, each, {"seed": str(state.seed)}),
        }
    )


def _members(steps: Sequence[Step]) -> dict[str, list[np.ndarray]]:
    names = steps[0].observed
    return {"energy": [s.energy for s in steps]} | {
        n: [s.observed[n] for s in steps] for n in names
    }


def _trailing(name: str, n: int, dims: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return dims.get(name) or tuple(f"{name}_dim_{k}" for k in range(n))


def _averages(steps: Sequence[Step], T: np.ndarray, dims: dict[str, tuple[str, ...]]) -> Vars:
    """Averages over members and runs, with errors from blocks of families."""
    found: dict[str, list[tuple[Any, Any]]] = {}
    for step, temperature in zip(steps, T, strict=True):
        runs, members = step.energy.shape
        share = np.repeat(shares(step.log_z) / members, members)
        n = n_blocks(members)
        block = (block_of(step.families, members) + np.arange(runs)[:, None] * n).ravel()
        blocks = block, n * runs
        quantities = {"energy": step.energy} | step.observed
        mean: dict[str, tuple[Any, Any]] = {
            name: weighted_mean(x.reshape(runs * members, *x.shape[2:]), share, *blocks)
            for name, x in quantities.items()
        }
        fluctuation = step.beta**2 * (step.energy.ravel() - mean["energy"][0]) ** 2
        mean["heat_capacity"] = weighted_mean(fluctuation, share, *blocks)
        log_z = float(log_mean_exp(step.log_z))
        mean["log_partition"] = log_z, step.error
        with np.errstate(invalid="ignore"):  # inf * 0 at infinite temperature
            mean["free_energy"] = -temperature * log_z, temperature * step.error
        for name, pair in mean.items():
            found.setdefault(name, []).append(pair)
    out: Vars = {}
    for name, pairs in found.items():
        values, errors = (np.stack([np.asarray(p[k]) for p in pairs]) for k in (0, 1))
        trailing = ("T", *_trailing(name, values.ndim - 1, dims))
        out[name], out[f"{name}_error"] = (trailing, values), (trailing, errors)
    return out


def _statistics(steps: Sequence[Step]) -> Vars:
    """Free energies and families of each run."""
    sizes = [[asdict(family_sizes(f)) for f in step.families] for step in steps]
    out: Vars = {
        "log_partition": np.stack([step.log_z for step in steps], 1),
        "log_partition_error": np.stack([step.errors for step in steps], 1),
    }
    for name in ("rho_t", "rho_s", "families"):
        out[name] = np.array([[size[name] for size in step] for step in sizes]).T
    out["population"] = np.full(out["rho_t"].shape, steps[0].energy.shape[1])
    return {name: (("chain", "T"), x) for name, x in out.items()}

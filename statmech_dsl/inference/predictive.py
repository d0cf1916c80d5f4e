"""States drawn at parameters of the posterior, to hold against the data."""

from __future__ import annotations

import numpy as np
import xarray as xr

from statmech_dsl.inference.methods.base import Run, couplings_of_draws
from statmech_dsl.inference.problem.parameter_model import parameter_model
from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.inference.states.replicas import Replicas, of_energies

SWEEPS = 100
"""Sweeps of each state at least."""


def predictive(posed: Posed, tree: xr.DataTree, n: int, run: Run) -> xr.Dataset:
    """Draw states of all variables, each at another draw of the parameters, evenly through the posterior."""
    c = couplings_of_draws(posed, parameter_model(posed), tree)
    chosen = np.linspace(0, len(c) - 1, n).round().astype(int)
    recovered, sweeps = of_energies(posed.recovered), max(run.tune, SWEEPS)
    replicas = Replicas(posed.model, recovered, 1, run.threads)
    replicas.reset(run.seed)
    replicas.follow(posed.tables_of(c.mean(axis=0)))
    replicas.tune(replicas.start(), sweeps)
    states: dict[str, list] = {v.name: [] for v in recovered.ir.variables}
    for k in chosen:
        packed = replicas.start()
        replicas.follow(posed.tables_of(c[k]))
        replicas.sweep(packed, sweeps)
        for name, x in replicas.values(packed).items():
            states[name].append(x[:, 0])
    columns = {}
    for v in recovered.ir.variables:
        dims = ("chain", "draw", *(f"{v.name}_dim_{k}" for k in range(len(v.shape))))
        x = np.array(states[v.name]).reshape(1, n, *v.shape)
        columns[v.name] = (dims, x.astype(v.domain.graph_dtype))
    return xr.Dataset(columns, coords={"chain": [0], "draw": np.arange(n)})

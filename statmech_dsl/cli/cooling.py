"""What `statmech anneal` and `statmech population-anneal` do and print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import statmech_dsl as sm
from statmech_dsl.cli.loading import load_model
from statmech_dsl.cli.report import variables, with_error
from statmech_dsl.cli.results import finish, plain_table, prepared

LOWEST = 10
"""Energies that are shown."""


def anneal_model(model: str, param: Sequence[str], output: Path | None, **options: Any) -> None:
    """Anneal the named model; `options` are passed on, read where they are text."""
    console, arguments = prepared(output, options)
    result = sm.anneal(load_model(model, param), **arguments)
    attrs = result.attrs
    head = (
        f"{variables(attrs)}\n{result.sizes['read']} reads x {attrs['sweeps']} sweeps, "
        f"{attrs['schedule']}, T from {1 / float(result.beta[0]):.4g} to "
        f"{1 / float(result.beta[-1]):.4g}, seed {attrs['seed']}, {attrs['sampling_time']:.1f} s"
    )
    energies, counts = np.unique(result["energy"].to_numpy(), return_counts=True)
    table = plain_table("energy", "reads")
    for energy, count in list(zip(energies, counts, strict=True))[:LOWEST]:
        table.add_row(f"{energy:.10g}", str(count))
    if len(energies) > LOWEST:
        table.add_row("...", str(counts[LOWEST:].sum()))
    finish(console, (head, table), xr.DataTree(result), output)


def population_anneal_model(
    model: str, param: Sequence[str], output: Path | None, **options: Any
) -> None:
    """Cool a population of the named model."""
    console, arguments = prepared(output, options)
    data = sm.population_anneal(load_model(model, param), **arguments)
    attrs, means, stats = (
        data.attrs,
        data["averages"].to_dataset(),
        data["sample_stats"].to_dataset(),
    )
    head = (
        f"{variables(attrs)}\n{data['posterior'].sizes['chain']} x {attrs['population']} members, "
        f"{attrs['sweeps']} sweeps at each T, seed {attrs['seed']}, {attrs['sampling_time']:.1f} s"
    )
    relative = means["log_partition"].attrs["reference"] != "absolute"
    table = plain_table("T", "energy", "log Z, relative" if relative else "log Z", "rho_t")
    for k in range(means.sizes["T"]):
        row = {n: float(x[k]) for n, x in means.data_vars.items() if x.dims == ("T",)}
        table.add_row(
            f"{float(means['T'][k]):.4g}",
            *(with_error(row[n], row[f"{n}_error"]) for n in ("energy", "log_partition")),
            f"{float(stats['rho_t'][:, k].max()):.1f}",
        )
    finish(console, (head, table), data, output)

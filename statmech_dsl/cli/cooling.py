"""What `statmech anneal` and `statmech population-anneal` do and print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer
import xarray as xr
from rich import box
from rich.console import Console
from rich.table import Table

import statmech_dsl as sm
from statmech_dsl.cli.arguments import read_numbers, read_updates
from statmech_dsl.cli.files import check_output, write
from statmech_dsl.cli.loading import load_model
from statmech_dsl.cli.report import variables, with_error

LOWEST = 10
"""Energies that are shown."""


def anneal_model(model: str, param: Sequence[str], output: Path | None, **options: Any) -> None:
    """Anneal the named model; `options` are passed on, read where they are text."""
    console, arguments = _prepared(output, options)
    result = sm.anneal(load_model(model, param), **arguments)
    attrs = result.attrs
    head = (
        f"{variables(attrs)}\n{result.sizes['read']} reads x {attrs['sweeps']} sweeps, "
        f"{attrs['schedule']}, T from {1 / float(result.beta[0]):.4g} to "
        f"{1 / float(result.beta[-1]):.4g}, seed {attrs['seed']}, {attrs['sampling_time']:.1f} s"
    )
    energies, counts = np.unique(result["energy"].to_numpy(), return_counts=True)
    table = _table("energy", "reads")
    for energy, count in list(zip(energies, counts, strict=True))[:LOWEST]:
        table.add_row(f"{energy:.10g}", str(count))
    if len(energies) > LOWEST:
        table.add_row("...", str(counts[LOWEST:].sum()))
    _finish(console, (head, table), xr.DataTree(result), output)


def population_anneal_model(
    model: str, param: Sequence[str], output: Path | None, **options: Any
) -> None:
    """Cool a population of the named model."""
    console, arguments = _prepared(output, options)
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
    table = _table("T", "energy", "log Z, relative" if relative else "log Z", "rho_t")
    for k in range(means.sizes["T"]):
        row = {n: float(x[k]) for n, x in means.data_vars.items() if x.dims == ("T",)}
        table.add_row(
            f"{float(means['T'][k]):.4g}",
            *(with_error(row[n], row[f"{n}_error"]) for n in ("energy", "log_partition")),
            f"{float(stats['rho_t'][:, k].max()):.1f}",
        )
    _finish(console, (head, table), data, output)


def _prepared(output: Path | None, options: dict[str, Any]) -> tuple[Console, dict[str, Any]]:
    """Where to print, and the arguments of the verb."""
    if output is not None:
        check_output(output)
    console = Console(highlight=False, markup=False)
    read: dict[str, Any] = {
        name: None if options[name] is None else read_numbers(name, options[name])
        for name in ("T", "beta")
    }
    read["updates"] = read_updates(options["updates"])
    read["progressbar"] = options["progressbar"] and console.is_terminal
    return console, options | read


def _finish(
    console: Console, report: tuple[str, Table], data: xr.DataTree, output: Path | None
) -> None:
    head, table = report
    console.print(head, "", table, "", sep="\n")
    if output is None:
        typer.echo("not written to a file; -o FILE.nc does that")
    else:
        write(data, output)
        typer.echo(f"written to {output}")


def _table(*titles: str) -> Table:
    table = Table(*titles, box=box.SIMPLE_HEAD, show_edge=False)
    for column in table.columns:
        column.justify = "right"
    return table

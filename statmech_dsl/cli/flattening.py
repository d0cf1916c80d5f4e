"""`statmech flat-histogram`: the command, and what it prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statmech_dsl.cli.failures import INTERRUPTED, friendly
from statmech_dsl.cli.options import (
    Backend,
    Debug,
    Draws,
    Init,
    Model,
    Output,
    Parameters,
    Progress,
    Seed,
    Store,
    Thin,
    Threads,
    Tune,
    Updates,
)

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

ROWS = 12
"""Levels that are shown, from the lowest to the highest."""


def flat_histogram(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    energies: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH[:N]",
            help="Keep to a range, or cut it into N bins. All levels unless given.",
        ),
    ] = None,
    draws: Draws = 20_000,
    tune: Tune = 20_000,
    chains: Annotated[int, typer.Option(metavar="N", help="Walkers that learn the weights.")] = 32,
    thin: Thin = 1,
    seed: Seed = None,
    init: Init = "hot",
    updates: Updates = "auto",
    backend: Backend = "auto",
    threads: Threads = None,
    store: Store = (),  # type: ignore[assignment]
    progressbar: Progress = True,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Estimate the density of states by walkers that visit all energies.

    statmech flat-histogram ising -p L=8 -o states.nc
    """
    with friendly(debug):
        _run(
            model,
            param,
            output,
            energies=energies,
            draws=draws,
            tune=tune,
            chains=chains,
            thin=thin,
            seed=seed,
            init=init,
            updates=updates,
            backend=backend,
            threads=threads,
            store=store,
            progressbar=progressbar,
        )


def _run(model: str, param: Sequence[str], output: Path | None, **options: Any) -> None:
    from rich.console import Console

    import statmech_dsl as sm
    from statmech_dsl.cli.arguments import read_range, read_updates
    from statmech_dsl.cli.files import check_output, write
    from statmech_dsl.cli.loading import load_model
    from statmech_dsl.cli.report import summary

    if output is not None:
        check_output(output)
    console = Console(highlight=False, markup=False)
    given = options["energies"]
    options |= {
        "energies": None if given is None else read_range("energies", given),
        "updates": read_updates(options["updates"]),
        "progressbar": options["progressbar"] and console.is_terminal,
    }
    data = sm.flat_histogram(load_model(model, param), **options)
    try:
        console.print(summary(data), "", states_table(data), "", sep="\n")
    finally:
        if output is not None:
            write(data, output)
            typer.echo(f"written to {output}")
    if output is None:
        typer.echo("not written to a file; -o FILE.nc does that")
    if data["posterior"].sizes["draw"] < options["draws"]:
        raise typer.Exit(INTERRUPTED)


def states_table(data: xr.DataTree) -> Table:
    """Some levels, from the lowest to the highest, with ln g and how often they were visited."""
    import numpy as np
    from rich import box
    from rich.table import Table

    from statmech_dsl.cli.report import with_error

    states = data["density_of_states"].to_dataset()
    log_g = states["log_density_of_states"]
    absolute = log_g.attrs["reference"] == "absolute"
    out = Table(
        "energy", "ln g" if absolute else "ln g, relative", "visits",
        box=box.SIMPLE_HEAD, show_edge=False,
    )  # fmt: skip
    for column in out.columns:
        column.justify = "right"
    n = states.sizes["level"]
    for k in np.unique(np.linspace(0, n - 1, ROWS).round().astype(int)):
        row = states.isel(level=k)
        error = float(row["log_density_of_states_error"])
        out.add_row(
            f"{float(row['level']):.6g}",
            with_error(float(log_g[k]), error),
            f"{int(row['visits'])}",
        )
    out.caption = f"{n} levels, flatness {states.attrs['flatness']:.2f}"
    return out

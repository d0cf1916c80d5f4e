"""`statmech run` and `temper`: check the options, run, write, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
import xarray as xr
from rich.console import Console
from rich.table import Table

import statmech_dsl as sm
from statmech_dsl.cli.arguments import read_ladder, read_numbers, read_updates
from statmech_dsl.cli.failures import INTERRUPTED
from statmech_dsl.cli.files import SUFFIXES, check_output, read, write
from statmech_dsl.cli.loading import load_model
from statmech_dsl.cli.report import ladder_table, summary, table


def run_model(model: str, param: Sequence[str], output: Path | None, **options: Any) -> None:
    """Sample the named model; `options` are passed on to `sample`, read where they are text."""
    _run(sm.sample, read_numbers, table, model, param, output, **options)


def temper_model(model: str, param: Sequence[str], output: Path | None, **options: Any) -> None:
    """Temper the named model."""
    _run(sm.temper, read_ladder, ladder_table, model, param, output, **options)


def _run(
    verb: Callable[..., xr.DataTree],
    numbers: Callable[[str, str], Any],
    report: Callable[[xr.DataTree], Table],
    model: str,
    param: Sequence[str],
    output: Path | None,
    *,
    T: str,
    beta: str | None,
    init: str,
    updates: str,
    progressbar: bool,
    **options: Any,
) -> None:
    if output is not None:
        check_output(output)
    arguments = {
        "T": numbers("T", T),
        "beta": None if beta is None else numbers("beta", beta),
        "init": read(Path(init)) if init.endswith(SUFFIXES) else init,
        "updates": read_updates(updates),
    }
    console = Console(highlight=False, markup=False)
    data = verb(
        load_model(model, param),
        progressbar=progressbar and console.is_terminal,
        **arguments,
        **options,
    )
    try:
        console.print(summary(data), "", report(data), "", sep="\n")
    finally:  # a run may have taken hours: it is kept though its table may fail
        if output is not None:
            write(data, output)
            typer.echo(f"written to {output}")
    if output is None:
        typer.echo("not written to a file; -o FILE.nc does that")
    if data["posterior"].sizes["draw"] < options["draws"]:
        raise typer.Exit(INTERRUPTED)

"""What commands that read no draws share: their arguments, and how results are printed and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
import xarray as xr
from rich import box
from rich.console import Console
from rich.table import Table

from statmech_dsl.cli.arguments import read_numbers, read_updates
from statmech_dsl.cli.files import check_output, write


def prepared(output: Path | None, options: dict[str, Any]) -> tuple[Console, dict[str, Any]]:
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


def finish(
    console: Console, report: Sequence[str | Table], data: xr.DataTree, output: Path | None
) -> None:
    """Print a head, a table and lines below it, and write the results."""
    head, table, *lines = report
    console.print(head, "", table, "", sep="\n")
    if lines:
        console.print(*lines, "", sep="\n")
    if output is None:
        typer.echo("not written to a file; -o FILE.nc does that")
    else:
        write(data, output)
        typer.echo(f"written to {output}")


def plain_table(*titles: str) -> Table:
    """A table of numbers."""
    table = Table(*titles, box=box.SIMPLE_HEAD, show_edge=False)
    for column in table.columns:
        column.justify = "right"
    return table

"""`statmech models`: the models to start from."""

from __future__ import annotations

import inspect

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from statmech_dsl.cli.loading import zoo_function
from statmech_dsl.cli.parameters import signature
from statmech_dsl.models import MODELS


def show_models() -> None:
    """Print name, one line and parameters of every model."""
    table = Table("model", "what it is, and its parameters", box=None, padding=(0, 2, 1, 0))
    for name, function in MODELS.items():
        line = (inspect.getdoc(function) or "").partition("\n")[0].removeprefix("Return ")
        table.add_row(name, Text.assemble(line, "\n", (signature(function), "dim")))
    Console(highlight=False, markup=False).print(table)
    typer.echo("statmech models NAME tells more; statmech run NAME -p PARAMETER=VALUE runs one")


def show_model(name: str) -> None:
    """Print the documentation of a model."""
    function = zoo_function(name)
    typer.echo(f"{name}({signature(function)})\n\n{inspect.getdoc(function)}")

"""`statmech models`: the models to start from."""

from __future__ import annotations

import inspect

import typer

from statmech_dsl.cli.loading import zoo_function
from statmech_dsl.cli.parameters import signature
from statmech_dsl.models import MODELS


def show_models() -> None:
    """Print name, parameters and one line about every model."""
    for name, function in MODELS.items():
        line = (inspect.getdoc(function) or "").partition("\n")[0]
        typer.echo(f"{typer.style(name, bold=True)}({signature(function)})")
        typer.echo(f"    {line.removeprefix('Return ')}")
    typer.echo("\nstatmech models NAME tells more; statmech run NAME -p L=64 runs one.")


def show_model(name: str) -> None:
    """Print the documentation of a model."""
    function = zoo_function(name)
    typer.echo(f"{name}({signature(function)})\n\n{inspect.getdoc(function)}")

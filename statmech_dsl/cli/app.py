"""The commands and their options; options have the names and defaults of the API's arguments.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import statmech_dsl
from statmech_dsl.cli.failures import friendly

# Help in plain text: the boxes of typer's rich help take longer to import than all the rest.
app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        show_default=False,
        help="A name that `statmech models` lists, FILE.py or FILE.py:NAME.",
    ),
]
Parameters = Annotated[
    list[str],
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        default_factory=list,
        show_default=False,
        help="Parameter of the model; may be repeated.",
    ),
]
Updates = Annotated[
    str, typer.Option("--updates", help="auto, an update, or VARIABLE=UPDATE,... for each.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.callback(invoke_without_command=True)
def statmech(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Monte Carlo for any energy that you can write in Python."""
    if version:
        typer.echo(statmech_dsl.__version__)
        raise typer.Exit


@app.command()
def run(
    model: Model,
    param: Parameters,
    T: Annotated[
        str | None,
        typer.Option("--T", help="Temperature: 2.3, a list 2.0,2.3 or LOW:HIGH:COUNT. [default: 1]"),
    ] = None,
    beta: Annotated[
        str | None, typer.Option("--beta", help="Inverse temperature, instead of T.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Recorded draws of each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Sweeps before recording.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains at each temperature.")] = 4,
    thin: Annotated[int, typer.Option(help="Sweeps from draw to draw.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="The results are a function of it. [default: a fresh one]")
    ] = None,
    init: Annotated[
        str, typer.Option(help="First states: hot, cold, both, or the file of a run to go on with.")
    ] = "hot",
    updates: Updates = "auto",
    backend: Annotated[str, typer.Option(help="What runs the sweeps.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="[default: all cores]")] = None,
    store: Annotated[
        list[str],
        typer.Option(
            default_factory=list,
            show_default=False,
            help="Variable whose states are recorded; may be repeated.",
        ),
    ] = ...,
    progressbar: Annotated[bool, typer.Option(help="Show progress, if in a terminal.")] = True,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for the results: .nc (netCDF) or .zarr."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Sample a model and print energies, heat capacities and |m| with errors.

    statmech run ising -p L=64 --T 2.0:2.6:13 --seed 1 -o ising.nc
    """

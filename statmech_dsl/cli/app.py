"""The commands and their options, which have the names and defaults of the API's arguments.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import statmech_dsl
from statmech_dsl.cli.failures import friendly

# Help is plain text: importing what typer needs to draw boxes takes longer than all the rest.
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
        metavar="MODEL", help="A name from `statmech models`, FILE.py, or FILE.py:NAME in it."
    ),
]
Parameters = Annotated[
    list[str],
    typer.Option(
        "--param", "-p", metavar="NAME=VALUE", help="Parameter of the model; repeat for more."
    ),
]
Updates = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="auto, an update, or VARIABLE=UPDATE with commas between them."
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.callback(invoke_without_command=True)
def statmech(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Monte Carlo for any energy that you can write in Python."""
    if version:
        typer.echo(statmech_dsl.__version__)
        raise typer.Exit


@app.command()
def run(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    T: Annotated[
        str,
        typer.Option(
            "--T", metavar="NUMBERS", help="Temperature: 2.3, or 2.0,2.3, or LOW:HIGH:COUNT."
        ),
    ] = "1.0",
    beta: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Inverse temperature, instead of T.")
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", help="Recorded draws of each chain.")] = 1000,
    tune: Annotated[int, typer.Option(metavar="N", help="Sweeps before recording.")] = 1000,
    chains: Annotated[int, typer.Option(metavar="N", help="Chains at each temperature.")] = 4,
    thin: Annotated[int, typer.Option(metavar="N", help="Sweeps from draw to draw.")] = 1,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Makes a run repeatable; a fresh one unless given."),
    ] = None,
    init: Annotated[
        str,
        typer.Option(
            metavar="STATES", help="hot, cold, both, or the results of a run to go on with."
        ),
    ] = "hot",
    updates: Updates = "auto",
    backend: Annotated[
        str,
        typer.Option(metavar="NAME", help="What runs the sweeps: auto, numba, cupy, reference."),
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="All cores unless given.")
    ] = None,
    store: Annotated[
        list[str],
        typer.Option(metavar="VARIABLE", help="Record the states of a variable; repeat for more."),
    ] = (),  # type: ignore[assignment]
    progressbar: Annotated[
        bool, typer.Option(help="Show progress in a terminal.", show_default=False)
    ] = True,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Results: .nc (netCDF) or .zarr."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Sample a model and print its energy, heat capacity and |m|.

    statmech run ising -p L=64 --T 2.0:2.6:13 --draws 5000 -o ising.nc
    """
    with friendly(debug):
        from statmech_dsl.cli.running import run_model

        run_model(
            model,
            param,
            output,
            T=T,
            beta=beta,
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


@app.command()
def explain(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    updates: Updates = "auto",
    source: Annotated[
        bool, typer.Option("--source", help="Add the generated source of the kernels.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Show what the compiler makes of a model: terms, colors, updates."""
    with friendly(debug):
        import statmech_dsl as sm
        from statmech_dsl.cli.arguments import read_updates
        from statmech_dsl.cli.loading import load_model

        found = load_model(model, param)
        typer.echo(str(sm.explain(found, updates=read_updates(updates), source=source)))


@app.command()
def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show the documentation of this model.")
    ] = None,
    debug: Debug = False,
) -> None:
    """List the models to start from, with their parameters."""
    with friendly(debug):
        from statmech_dsl.cli.zoo import show_model, show_models

        if name is None:
            show_models()
        else:
            show_model(name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; `arguments` are those of the process unless given."""
    app(args=arguments, prog_name="statmech")

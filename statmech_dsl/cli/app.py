"""The commands and their options, which have the names and defaults of the API's arguments.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import statmech_dsl
from statmech_dsl.cli.annealing import anneal, population_anneal
from statmech_dsl.cli.failures import friendly
from statmech_dsl.cli.flattening import flat_histogram
from statmech_dsl.cli.free_energies import free_energy
from statmech_dsl.cli.options import (
    Backend,
    Beta,
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

# Help is plain text: importing what typer needs to draw boxes takes longer than all the rest.
app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    beta: Beta = None,
    draws: Draws = 1000,
    tune: Tune = 1000,
    chains: Annotated[int, typer.Option(metavar="N", help="Chains at each temperature.")] = 4,
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
def temper(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    T: Annotated[
        str,
        typer.Option(
            "--T", metavar="NUMBERS", help="A range LOW:HIGH to tune a ladder in, or a ladder."
        ),
    ] = "1.0",
    beta: Beta = None,
    draws: Draws = 1000,
    tune: Tune = 1000,
    chains: Annotated[int, typer.Option(metavar="N", help="Independent ladders.")] = 4,
    replicas_per_T: Annotated[
        int,
        typer.Option(
            "--replicas-per-T", metavar="N", help="From two on, their overlaps are recorded."
        ),
    ] = 1,
    houdayer: Annotated[
        bool,
        typer.Option("--houdayer", help="Exchange clusters between replicas of one temperature."),
    ] = False,
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
    """Sample by replicas that swap temperatures; print energies and swaps.

    statmech temper edwards_anderson -p L=6 --T 0.7:3.0 --tune 4000 -o glass.nc
    """
    with friendly(debug):
        from statmech_dsl.cli.running import temper_model

        temper_model(
            model,
            param,
            output,
            T=T,
            beta=beta,
            draws=draws,
            tune=tune,
            chains=chains,
            replicas_per_T=replicas_per_T,
            houdayer=houdayer,
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


app.command()(anneal)
app.command()(population_anneal)
app.command()(flat_histogram)
app.command()(free_energy)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; `arguments` are those of the process unless given."""
    app(args=arguments, prog_name="statmech")

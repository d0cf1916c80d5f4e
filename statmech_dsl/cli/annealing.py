"""`statmech anneal` and `statmech population-anneal`."""

from __future__ import annotations

from typing import Annotated

import typer

from statmech_dsl.cli.failures import friendly
from statmech_dsl.cli.options import (
    Backend,
    Beta,
    Debug,
    Model,
    Output,
    Parameters,
    Progress,
    Seed,
    Threads,
    Updates,
)


def anneal(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    reads: Annotated[int, typer.Option(metavar="N", help="Independent runs.")] = 64,
    sweeps: Annotated[int, typer.Option(metavar="N", help="Sweeps of each read.")] = 1000,
    schedule: Annotated[
        str | None, typer.Option(metavar="NAME", help="constant_speed, geometric or linear.")
    ] = None,
    T: Annotated[
        str | None,
        typer.Option("--T", metavar="HIGH,LOW", help="Temperatures; found out unless given."),
    ] = None,
    beta: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Inverse temperatures, instead of T.")
    ] = None,
    seed: Seed = None,
    init: Annotated[str, typer.Option(metavar="STATES", help="hot, cold, both.")] = "hot",
    updates: Updates = "auto",
    backend: Backend = "auto",
    threads: Threads = None,
    progressbar: Progress = True,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Search for states of low energy; print the lowest energies.

    statmech anneal max_cut -p graph=G11.txt --reads 256 --sweeps 10000 -o cut.nc
    """
    with friendly(debug):
        from statmech_dsl.cli.cooling import anneal_model

        anneal_model(
            model,
            param,
            output,
            reads=reads,
            sweeps=sweeps,
            schedule=schedule,
            T=T,
            beta=beta,
            seed=seed,
            init=init,
            updates=updates,
            backend=backend,
            threads=threads,
            progressbar=progressbar,
        )


def population_anneal(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    T: Annotated[
        str,
        typer.Option("--T", metavar="NUMBERS", help="Lowest temperature, or HIGH,LOW."),
    ] = "1.0",
    beta: Beta = None,
    population: Annotated[int, typer.Option(metavar="N", help="Members.")] = 1000,
    sweeps: Annotated[int, typer.Option(metavar="N", help="Sweeps at each temperature.")] = 10,
    overlap: Annotated[
        float, typer.Option(metavar="X", help="Overlap of energies at successive temperatures.")
    ] = 0.85,
    runs: Annotated[int, typer.Option(metavar="N", help="Independent populations.")] = 1,
    tune: Annotated[
        int, typer.Option(metavar="N", help="Sweeps before the first temperature of a Field.")
    ] = 1000,
    seed: Seed = None,
    updates: Updates = "auto",
    backend: Backend = "auto",
    threads: Threads = None,
    progressbar: Progress = True,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Cool a population; print energies and log Z at all temperatures.

    statmech population-anneal edwards_anderson -p L=6 --T 0.4 --population 20000 -o glass.nc
    """
    with friendly(debug):
        from statmech_dsl.cli.cooling import population_anneal_model

        population_anneal_model(
            model,
            param,
            output,
            T=T,
            beta=beta,
            population=population,
            sweeps=sweeps,
            overlap=overlap,
            runs=runs,
            tune=tune,
            seed=seed,
            updates=updates,
            backend=backend,
            threads=threads,
            progressbar=progressbar,
        )

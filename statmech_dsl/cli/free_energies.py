"""`statmech free-energy`: the command."""

from __future__ import annotations

from typing import Annotated

import typer

from statmech_dsl.cli.failures import friendly
from statmech_dsl.cli.options import (
    Backend,
    Beta,
    Debug,
    Draws,
    Model,
    Output,
    Parameters,
    Progress,
    Seed,
    Thin,
    Threads,
    Tune,
    Updates,
)


def free_energy(
    model: Model,
    param: Parameters = (),  # type: ignore[assignment]
    T: Annotated[
        str,
        typer.Option(
            "--T", metavar="NUMBERS", help="Temperature: 2.3, or 2.0,2.3, or LOW:HIGH:COUNT."
        ),
    ] = "1.0",
    beta: Beta = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, tempering, integration, population, annealing, flat_histogram, exact; or panel: "
            "all that sample, side by side.",
        ),
    ] = "auto",
    reference: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE",
            help="Begin from the same model, this parameter changed; repeat for more.",
        ),
    ] = (),  # type: ignore[assignment]
    ground_state: Annotated[
        str | None,
        typer.Option(
            metavar="ENERGY,NUMBER", help="Lowest energy and number of its states, where known."
        ),
    ] = None,
    draws: Draws = 1000,
    tune: Tune = 1000,
    chains: Annotated[
        int, typer.Option(metavar="N", help="Independent ladders, chains or populations.")
    ] = 4,
    thin: Thin = 1,
    seed: Seed = None,
    init: Annotated[str, typer.Option(metavar="STATES", help="hot, cold, both.")] = "cold",
    updates: Updates = "auto",
    backend: Backend = "auto",
    threads: Threads = None,
    progressbar: Progress = True,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Estimate log Z, the free energy and what follows from it.

    statmech free-energy ising -p L=8 --T 2.0:3.0:5 --method panel -o ising.nc
    """
    with friendly(debug):
        from statmech_dsl.cli.partition import free_energy_model

        free_energy_model(
            model,
            param,
            output,
            T=T,
            beta=beta,
            method=method,
            reference=reference,
            ground_state=ground_state,
            draws=draws,
            tune=tune,
            chains=chains,
            thin=thin,
            seed=seed,
            init=init,
            updates=updates,
            backend=backend,
            threads=threads,
            progressbar=progressbar,
        )

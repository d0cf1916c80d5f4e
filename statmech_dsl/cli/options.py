"""Options that several commands share; they have the names of the API's arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
        metavar="RECIPE",
        help="auto; updates with + between them, each NAME or NAME*TIMES; or VARIABLE=RECIPE,...",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Beta = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="Inverse temperature, instead of T.")
]
Draws = Annotated[int, typer.Option(metavar="N", help="Recorded draws of each chain.")]
Tune = Annotated[int, typer.Option(metavar="N", help="Sweeps before recording.")]
Thin = Annotated[int, typer.Option(metavar="N", help="Sweeps from draw to draw.")]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Makes a run repeatable; a fresh one unless given."),
]
Init = Annotated[
    str,
    typer.Option(metavar="STATES", help="hot, cold, both, or the results of a run to go on with."),
]
Backend = Annotated[
    str, typer.Option(metavar="NAME", help="What runs the sweeps: auto, numba, cupy, reference.")
]
Threads = Annotated[int | None, typer.Option(metavar="N", help="All cores unless given.")]
Store = Annotated[
    list[str],
    typer.Option(metavar="VARIABLE", help="Record the states of a variable; repeat for more."),
]
Progress = Annotated[bool, typer.Option(help="Show progress in a terminal.", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Results: .nc (netCDF) or .zarr."),
]

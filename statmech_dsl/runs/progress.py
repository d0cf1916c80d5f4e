"""What a long run shows while it works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

RESPONSE = 0.1
"""Seconds between two looks at the keyboard, about."""
Advance = Callable[..., None]
"""``advance(n, note)``: n more steps are done; the note says how it goes."""


@contextmanager
def progress(show: bool, what: str, total: int | None, unit: str = "sweeps") -> Iterator[Advance]:
    """A progress bar with a note, or nothing where nobody looks; without a total it only counts."""
    if not show or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield lambda n, note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    count = "{task.completed:.0f}" + ("/{task.total:.0f} " if total is not None else " ") + unit
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(count),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, note="")

        def advance(n: int, note: str = "") -> None:
            bar.advance(task, n)
            if note:
                bar.update(task, note=note)

        yield advance

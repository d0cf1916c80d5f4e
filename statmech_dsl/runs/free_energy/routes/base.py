"""What a route to log Z offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statmech_dsl.runs.free_energy.segment import Effort, Found, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.progress import Advance


@dataclass(frozen=True)
class Route:
    """Why it cannot be taken on a journey (or None), and how it follows a segment."""

    refuse: Callable[[Journey], str | None]
    run: Callable[[Segment, Effort, Advance], Found]

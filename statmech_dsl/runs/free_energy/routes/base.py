"""What a route to log Z offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.progress import Advance


@dataclass(frozen=True)
class Route:
    """How it follows a segment, and why it cannot be taken on a journey, or None: it works everywhere."""

    run: Callable[[Segment, Effort, Advance], Curve]
    refuse: Callable[[Journey], str | None] = lambda journey: None

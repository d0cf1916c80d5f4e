"""What an update that moves many sites at once returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.model import ModelIR, Tables

if TYPE_CHECKING:
    from statmech_dsl.lower.passes import SiteAnalysis


@dataclass(frozen=True, eq=False)
class Place:
    """Where a move stands in a program: ``stream`` is its number, ``tables`` takes the tables of its own."""

    ir: ModelIR
    source: Tables
    analysis: SiteAnalysis
    stream: int
    times: int
    tables: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class CollectiveSpec:
    """A collective move of a variable; each kind knows how to lower itself."""

    update: str
    variable: str

    def lower(self, at: Place) -> Collective:
        """Lower to a move; its tables are written into those of the place."""
        raise NotImplementedError

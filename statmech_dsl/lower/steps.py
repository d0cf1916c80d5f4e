"""One step of a sweep: what a variable's update builds, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.kernel import SitePass
from statmech_dsl.lower.collective import CollectiveSpec


@dataclass(frozen=True)
class Step:
    """What happens in a sweep, ``times`` times; a pass may visit its sites in the opposite order."""

    what: SitePass | CollectiveSpec
    times: int = 1
    reversed: bool = False

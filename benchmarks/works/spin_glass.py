"""The 3D +-J spin glass.

L = 16, 8 replicas at each of 32 temperatures from 1.6 to 4.7, without swaps on either side.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import ours, systems
from benchmarks.rows import Row, against

LADDER, REPLICAS, BURN_IN = np.linspace(1.6, 4.7, 32), 8, 500


def measure() -> Iterator[Row]:
    """The same couplings for all."""
    glass = systems.spin_glass(16)
    many = ours.chains(glass.model(), LADDER, REPLICAS).warm(BURN_IN)
    for name in ("peapods", "openjij"):
        yield against(
            "3D +-J glass, L=16, 32 T x 8 replicas",
            name,
            many,
            lambda peer: peer.chains(glass, LADDER, REPLICAS).warm(BURN_IN),
        )

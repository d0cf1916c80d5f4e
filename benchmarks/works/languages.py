"""General probabilistic programming: discrete samplers of PyMC and NumPyro.

The 2D Ising model, L = 64 at T = 4: their samplers evaluate the whole log-density at each update, so a
sweep takes a good part of a second, and a short correlation time is needed to see them in equilibrium.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import ours, systems
from benchmarks.rows import Row, against

T, BURN_IN = 4.0, 30


def measure() -> Iterator[Row]:
    """256 replicas here, one chain there."""
    square = systems.square(64)
    many = ours.chains(square.model(), T, 256).warm(BURN_IN)
    for name in ("pymc", "numpyro"):
        yield against(
            "2D Ising, L=64, T=4, 256 replicas",
            name,
            many,
            lambda peer: peer.chains(square, T, peer.CHAINS).warm(BURN_IN),
            repeats=41,
            seconds=0.1,
        )

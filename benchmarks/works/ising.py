"""The 2D Ising model, many replicas.

L = 128 at T = 1 / 0.42, close to the transition. This library runs 256 replicas; peers run as many chains
as suit them, from hot starts of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from benchmarks import ours, systems
from benchmarks.contender import Contender
from benchmarks.rows import Row, against

L, T, BURN_IN = 128, 1 / 0.42, 1000
PEERS = ("mcising", "dwave-samplers", "openjij", "peapods", "ferrotherm", "thrml", "hamon")


def measure() -> Iterator[Row]:
    """One row for each peer, and one with more replicas."""
    square = systems.square(L)

    def build(peer: ModuleType) -> Contender:
        return peer.chains(square, T, peer.CHAINS).warm(BURN_IN)

    many = ours.chains(square.model(), T, 256).warm(BURN_IN)
    for name in PEERS:
        yield against(f"2D Ising, L={L}, 256 replicas", name, many, build)
    more = ours.chains(square.model(), T, 1024).warm(BURN_IN)
    yield against(f"2D Ising, L={L}, 1024 replicas", "mcising", more, build)

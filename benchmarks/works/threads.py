"""Two threads against one."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import ours, systems
from benchmarks.rows import Row, compare

CORES = 2


def measure() -> Iterator[Row]:
    """Many replicas, and one lattice."""
    for what, L, replicas, turns in (
        ("2D Ising, L=128, 256 replicas, two threads", 128, 256, {}),
        ("2D Ising, L=1024, one chain, two threads", 1024, 1, {"repeats": 21}),
    ):
        model = systems.square(L).model()
        two, one = (
            ours.chains(model, 3.0, replicas, threads=n, name=f"{n} threads").warm(100)
            for n in (2, 1)
        )
        yield compare(what, "one thread", two, one, **turns)

"""One chain of one large lattice.

The lanes of the processor's vector registers are sites here, not replicas.
"""

from __future__ import annotations

from collections.abc import Iterator

import statmech_dsl as sm
from benchmarks import ours, systems
from benchmarks.rows import Comparison, Row, against, compare, tried

TURNS = {"repeats": 41, "seconds": 0.1}
"""Many short turns: one chain has its error from how its energy changes from turn to turn."""


LARGE, SMALL = "2D Ising, L=4096, one chain", "this library, L=1024"


def larger() -> Comparison:
    """A lattice that fits into no cache against one that does."""
    small, large = (
        ours.chains(sm.models.ising(L=L), 3.0, 1, name=f"L={L}").warm(100) for L in (1024, 4096)
    )
    return compare(LARGE, SMALL, large, small)


def measure() -> Iterator[Row]:
    """L = 1024 against mcising; L = 4096, Potts and XY against this library in other sizes."""
    square, T = systems.square(1024), 1 / 0.42
    chain = ours.chains(square.model(), T, 1).warm(1000)
    yield against(
        "2D Ising, L=1024, one chain",
        "mcising",
        chain,
        lambda peer: peer.chains(square, T, 1).warm(1000),
        **TURNS,
    )
    yield tried(LARGE, SMALL, larger)
    for what, model, T in (
        ("Potts q=4 heat bath", sm.models.potts(L=512, q=4), 1.2),
        ("XY heat bath", sm.models.xy(L=512), 1.2),
    ):
        one = ours.chains(model, T, 1).warm(200)
        eight = ours.chains(model, T, 8, name="8 replicas").warm(200)
        system, other = f"{what}, L=512, one chain", "this library, 8 replicas"
        yield compare(system, other, one, eight, repeats=21, seconds=0.1)

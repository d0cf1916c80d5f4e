"""Simulated annealing of Gaussian couplings, 64 reads.

A geometric schedule of beta from 0.1 to 3.0, one sweep for each beta, from random states. The energies are
means of the last states, not the best ones. The update is the heat bath in both libraries; the default rule
of dwave-samplers, Metropolis, goes lower in as many sweeps, so it is also compared with twice the sweeps
here, twice the time counted. Only sweeps are clocked, on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from benchmarks import ours, systems
from benchmarks.contender import Contender
from benchmarks.rows import Row, against

BETAS, READS = (0.1, 3.0), 64


def twice(contender: Contender) -> Contender:
    """Two sweeps instead of each one, at the price of two."""
    name = f"{contender.name}, 2 sweeps for 1"
    return dataclasses.replace(contender, name=name, sweep=lambda n: contender.sweep(2 * n))


def measure() -> Iterator[Row]:
    """Random regular graphs of two degrees, and the complete graph."""
    for what, system, sweeps in (
        ("random graph of degree 3, N=10000", systems.regular_graph(10_000, 3), 100),
        ("random graph of degree 6, N=10000", systems.regular_graph(10_000, 6), 100),
        ("SK model, N=1024", systems.complete(1024), 50),
    ):
        how = {"repeats": 5, "sweeps": sweeps, "minimizing": True}
        reads = ours.annealed(system.model(), BETAS, READS)
        for contender, rule, here in (
            (reads, "Gibbs", sweeps),
            (twice(reads), "Metropolis", 2 * sweeps),
        ):
            yield against(
                f"{what}, {here} sweeps / {sweeps} of {rule}",
                "dwave-samplers",
                contender,
                lambda peer, rule=rule: peer.annealed(system, BETAS, READS, rule),  # noqa: B023
                **how,
            )

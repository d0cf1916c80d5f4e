"""What the moves of single clusters in bits mean: as any others, but for the random words of ties."""

from __future__ import annotations

import math

from statmech_dsl import rng
from statmech_dsl.backends.collective.base import Seat
from statmech_dsl.backends.collective.clusters.bits.graph import graph_of
from statmech_dsl.backends.collective.clusters.definition import ClusterDefinition
from statmech_dsl.backends.collective.clusters.limits import limits_of

SHIFT = rng.PLANES + rng.TAIL - 32
"""Limits of 32 bits as thresholds of bit-sliced uniforms."""


class BitClusterDefinition(ClusterDefinition):
    """A tie has the uniform that a bit-sliced pass gives to the site whose rank is the row of the tie."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        limits = limits_of(seat.move, self.model, seat.tables)
        assert limits is not None
        n = self.model.variable(seat.move.variable).n_sites
        self._ranks = graph_of(seat.move, n, limits, seat.tables).ties.row

    def _tied(self, number: int, p: float, key: int, counters: tuple[int, int, int, int]) -> bool:
        replica, sweep, repetition, seed = counters
        stream = self.move_.stream | repetition << 8 | rng.MOVE_STREAM
        u = rng.replica_bits(int(self._ranks[number]), replica, sweep, stream, seed)
        return u < math.ceil(p * 2.0**32 - 0.5) << SHIFT

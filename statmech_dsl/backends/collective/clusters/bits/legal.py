"""When clusters are moved in bits."""

from __future__ import annotations

from statmech_dsl.backends.collective.base import WORD, Seat
from statmech_dsl.backends.collective.clusters.limits import limits_of
from statmech_dsl.ir.clusters import Clusters


def why_not(seat: Seat) -> str | None:
    """Why the clusters of all replicas are not moved at once in bits, or None."""
    move: Clusters = seat.move
    bits = seat.program.bits
    if not move.one:
        return "all clusters are moved"
    if move.reports:
        return "it has an improved estimator"
    if move.fields:
        return "there are fields or clamped sites"
    if seat.n_replicas < WORD:
        return f"there are fewer than {WORD} replicas"
    if bits is None:
        return "states are not in bits"
    if bits.fold is not None:
        return "words hold sites, not replicas"
    if limits_of(move, seat.program.model, seat.tables) is None:
        return "couplings depend on another variable"
    return None

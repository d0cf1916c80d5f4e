"""Which backend: decided by analysis, the same on every machine."""

from __future__ import annotations

from statmech_dsl.backends import BACKENDS, Backend
from statmech_dsl.backends.collective.base import KINDS, Seat
from statmech_dsl.errors import BackendError
from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables


def fastest_backend(program: Program, tables: Tables, n_replicas: int) -> Backend:
    """The backend that "auto" takes for a program: a card where there is one and the work is large enough."""
    for backend in BACKENDS.values():
        least = gains_from(backend, program, tables, n_replicas)
        if least is not None and n_replicas >= least and backend.missing() is None:
            return backend
    return choose_backend("auto")


def gains_from(backend: Backend, program: Program, tables: Tables, n_replicas: int) -> int | None:
    """Replicas from which a backend beats the processor, or None if it does not with moves of so many replicas.

    A card that leaves a move to the processor copies its state there and back in every sweep.
    """
    left = any(
        KINDS[type(move)].left(seat_of(move, program, tables, n_replicas))
        for move in program.collective
    )
    return None if left or backend.gains_from is None else backend.gains_from(program, tables)


def seat_of(move: Collective, program: Program, tables: Tables, n_replicas: int) -> Seat:
    """The seat of a move by itself."""
    params, counts = slice(0, len(move.params)), slice(0, len(move.counts))
    return Seat(move, program, tables, 0, params, counts, n_replicas)


def choose_backend(name: str) -> Backend:
    """The backend of a name; "auto" is the first that can run here, whatever the work."""
    if name == "auto":
        return next(b for b in BACKENDS.values() if b.missing() is None)
    if name not in BACKENDS:
        raise BackendError(
            f"there is no backend {name!r}", mend=f"use one of {', '.join(BACKENDS)}, or 'auto'"
        )
    missing = BACKENDS[name].missing()
    if missing is not None:
        raise BackendError(f"backend {name!r} cannot run here: {missing}")
    return BACKENDS[name]

"""Arguments that all runs share, checked in one place."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError


def count(name: str, value: object, least: int) -> int:
    """A whole number that is at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or int(value) < least:
        raise ArgumentError(f"{name} must be a whole number >= {least}", where=f"{name}={value!r}")
    return int(value)


def seed_of(seed: object) -> int:
    """The given seed, or a fresh one of 63 bits, which the results record."""
    if seed is None:
        return secrets.randbits(63)
    if (
        isinstance(seed, bool)
        or not isinstance(seed, int | np.integer)
        or not 0 <= int(seed) < 2**64
    ):
        raise ArgumentError("seed must be a whole number, 0 <= seed < 2^64", where=f"seed={seed!r}")
    return int(seed)


def stored(store: str | Sequence[str], sampler: Sampler) -> tuple[str, ...]:
    """Names of the variables whose states are recorded."""
    names = (store,) if isinstance(store, str) else tuple(store)
    known = [v.name for v in sampler.program.model.variables]
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ArgumentError(
            f"store= names {', '.join(map(repr, unknown))}, which is no variable of the model",
            mend=f"its variables are {', '.join(known)}",
        )
    return names

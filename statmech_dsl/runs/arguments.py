"""Arguments that all runs share, checked in one place."""

from __future__ import annotations

import secrets

import numpy as np

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

"""What was asked for, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One figure that was asked for, and what was measured."""

    what: str
    asked: str
    measured: str
    right: bool

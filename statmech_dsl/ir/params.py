"""Numbers that tuning moves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Param:
    """A number that tuning may move, one for each replica: start value and wanted acceptance.

    At the end of tuning it is set to an average where ``averaged``.
    """

    name: str
    start: float
    target: float
    averaged: bool = False

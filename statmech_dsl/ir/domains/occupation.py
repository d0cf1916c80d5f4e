"""Occupation number of a lattice gas, or a binary unit."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.domains.base import Finite


@dataclass(frozen=True)
class Occupation(Finite):
    """n = 0 or 1."""

    kind = "occupation"
    label = "Occupation"

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return (0.0, 1.0)

"""Potts color."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.domains.base import Finite, require_count


@dataclass(frozen=True)
class Potts(Finite):
    """s = 0, 1, ... or q-1; the numbers are names only."""

    kind = "potts"
    label = "Potts"
    q: int

    def __post_init__(self) -> None:
        require_count(self.label, self.q)

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return tuple(float(k) for k in range(self.q))

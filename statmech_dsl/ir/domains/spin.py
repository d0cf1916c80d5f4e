"""Ising spin."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.domains.base import Finite


@dataclass(frozen=True)
class Spin(Finite):
    """s = -1 or +1."""

    kind = "spin"
    label = "Spin"

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return (-1.0, 1.0)

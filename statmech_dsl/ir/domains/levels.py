"""A few integer levels, such as the spin 1 of the Blume-Capel model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.errors import DomainError
from statmech_dsl.ir.domains.base import Finite


@dataclass(frozen=True)
class Levels(Finite):
    """One of the given whole numbers."""

    kind = "levels"
    label = "Levels"
    levels: tuple[float, ...]

    def __init__(self, values: Sequence[int]) -> None:
        x = np.asarray(values, dtype=float).ravel()
        if len(np.unique(x)) < 2 or np.any(x != np.round(x)) or np.any(np.abs(x) > 32767):
            raise DomainError(
                "Levels needs at least two different whole numbers between -32767 and 32767",
                where=f"values={values!r}",
                mend="number the levels and put their physical values into the energy",
            )
        object.__setattr__(self, "levels", tuple(float(v) for v in np.unique(x)))

    @property
    def values(self) -> tuple[float, ...]:  # noqa: D102
        return self.levels

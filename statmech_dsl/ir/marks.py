"""What the language leaves in the tags of PyMC variables and the compiler reads.

Tags survive ``pm.observe``, ``copy`` and ``deepcopy``; attributes of a model subclass do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.ir.domains.base import Domain

_KEY = "statmech_dsl"


@dataclass(frozen=True, eq=False)
class VariableMark:
    """A variable of ours: its domain, shape and which of its sites are clamped to which values.

    ``shape`` is the shape of the random variable (with the component axis, if there is one);
    ``clamped`` is a boolean array over the sites, or None, and ``values`` holds the clamped values.
    """

    name: str
    domain: Domain
    shape: tuple[int, ...]
    clamped: np.ndarray | None = None
    values: np.ndarray | None = None

    @property
    def n_sites(self) -> int:
        """Number of sites; a site of a vector variable has several components."""
        return int(np.prod(self.shape, dtype=np.int64)) // self.domain.components


@dataclass(frozen=True)
class EnergyMark:
    """A ``pm.Potential`` that is minus an energy term."""

    name: str


@dataclass(frozen=True)
class ObservableMark:
    """A ``pm.Deterministic`` that is recorded at every draw."""

    name: str


@dataclass(frozen=True)
class NormalizerMark:
    """The ``pm.Potential`` that stands for -log Z(theta)."""


def attach(
    variable: Any, mark: VariableMark | EnergyMark | ObservableMark | NormalizerMark
) -> None:
    """Put a mark on a PyTensor variable."""
    setattr(variable.tag, _KEY, mark)


def mark_of(variable: Any) -> Any:
    """Mark of a PyTensor variable, or None."""
    return getattr(variable.tag, _KEY, None)


@contextmanager
def marked(marks: Mapping[Any, VariableMark]) -> Iterator[None]:
    """Let plain variables of PyMC count as ours, as long as the block lasts."""
    for variable, mark in marks.items():
        attach(variable, mark)
    try:
        yield
    finally:
        for variable in marks:
            delattr(variable.tag, _KEY)

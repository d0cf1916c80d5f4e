"""Data: independent states of some variables of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.marks import VariableMark
from statmech_dsl.lang.observed import legal


@dataclass(frozen=True, eq=False)
class Observations:
    """States of one variable.

    Attributes
    ----------
    mark : VariableMark
        The variable.
    values : ndarray, shape (states, sites * components)
        What was seen; of no meaning at missing sites.
    known : ndarray of bool, shape (states, sites)
        Which sites were seen.
    """

    mark: VariableMark
    values: np.ndarray
    known: np.ndarray

    @property
    def n_states(self) -> int:
        """Number of independent states."""
        return len(self.values)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return bool(self.known.all())

    @property
    def constant(self) -> bool:
        """Whether all that was seen is the same value."""
        sites = self.values.reshape(*self.known.shape, -1)[self.known]
        return len(sites) > 1 and bool((sites == sites[0]).all())


def observe(
    marks: Mapping[str, VariableMark], data: Mapping[str, ArrayLike]
) -> dict[str, Observations]:
    """Check data and bring them to one shape.

    Parameters
    ----------
    marks : mapping of str to VariableMark
        The variables of the model. Sites that are clamped there keep their values in every state.
    data : mapping of str to array_like
        For each observed variable one state, or independent states along the first axis. NaN or a mask is
        a site that was not seen.

    Raises
    ------
    ArgumentError
        Nothing is given, a name is unknown, a shape is wrong, or numbers of states differ.
    DomainError
        A value is none that the variable can have.
    """
    if not isinstance(data, Mapping) or not data:
        raise ArgumentError("there are no data", mend="give data={name of a variable: states}")
    if unknown := [name for name in data if name not in marks]:
        raise ArgumentError(
            f"data= names {', '.join(map(repr, unknown))}, which is no variable of the model",
            mend=f"its variables are {', '.join(marks)}",
        )
    found = {name: _states(marks[name], x) for name, x in data.items()}
    counts = {name: x.n_states for name, x in found.items()}
    if len(set(counts.values())) > 1:
        each = ", ".join(f"{n} of {name!r}" for name, n in counts.items())
        raise ArgumentError(
            f"data= holds different numbers of states: {each}",
            mend="give all observed variables of a state together, masked where they are missing",
        )
    return found


def _states(mark: VariableMark, given: ArrayLike) -> Observations:
    what = f"data= of {mark.name!r}"
    data: Any = given if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
    if data.dtype.kind not in "biuf":
        raise ArgumentError(f"{what} is of type {data.dtype}", mend="give an array of numbers")
    data = data[None] if data.shape == mark.shape else data
    if data.shape[1:] != mark.shape or not len(data):
        raise ArgumentError(
            f"{what} has shape {data.shape}, the variable has {mark.shape}",
            mend=f"give one state of shape {mark.shape}, or states along a first axis",
        )
    data = legal(mark.domain, what, data)
    n, components = len(data), mark.domain.components
    values = np.ma.getdata(data).reshape(n, mark.n_sites, components).copy()
    known = ~np.ma.getmaskarray(data).reshape(n, mark.n_sites, components).any(axis=-1)
    if mark.clamped is not None and mark.values is not None:
        values[:, mark.clamped] = mark.values.reshape(mark.n_sites, -1)[mark.clamped]
        known[:, mark.clamped] = True
    return Observations(mark, values.reshape(n, -1), known)

"""Given values of variables: which are missing, and whether the others are legal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statmech_dsl.errors import DomainError
from statmech_dsl.ir.domains.base import Domain


def masked(given: ArrayLike) -> Any:
    """An array whose missing entries (NaN) are masked; plain where nothing can be missing."""
    if isinstance(given, np.ma.MaskedArray) or np.asarray(given).dtype.kind == "f":
        return np.ma.masked_invalid(np.ma.asarray(given))
    return np.asarray(given)


def legal(domain: Domain, what: str, given: ArrayLike) -> Any:
    """Values in the type of graphs, masked where they are missing, of any number of sites or states.

    ``what`` is what a message calls them.

    Raises
    ------
    DomainError
        A value is none of the domain, or single components of a vector are missing.
    """
    data = masked(given)
    hidden = np.ma.getmaskarray(data)
    missing = hidden.any(axis=-1) if domain.components > 1 else hidden
    wrong = ~domain.contains(np.ma.getdata(data)) & ~missing
    if wrong.any():
        first = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise DomainError(
            f"{what} holds {np.ma.getdata(data)[first]}, which is no value of {domain.label}",
            where=f"at index {first}, and {int(wrong.sum()) - 1} more",
            mend=f"allowed: {domain.values or domain.measure}",
        )
    if domain.components > 1 and (missing != hidden.all(axis=-1)).any():
        raise DomainError(
            f"{what} masks single components of a vector",
            mend="mask all components of a site, or none",
        )
    values = np.ma.getdata(data)
    if hidden.any():
        # What a float cannot tell, such as NaN, is no whole number either.
        values = np.where(hidden, 0, values).astype(domain.graph_dtype)
        return np.ma.masked_array(values, hidden)
    return values.astype(domain.graph_dtype)

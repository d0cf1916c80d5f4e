"""Expectations of a model's observables by enumeration or counting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pymc as pm

from statmech_dsl.errors import ArgumentError, InfeasibleError
from statmech_dsl.lower.observables import Observables, observable_graphs
from statmech_dsl.solvers.counting import Counting
from statmech_dsl.solvers.enumeration import Spectrum
from statmech_dsl.solvers.system import Values
from statmech_dsl.solvers.thermal import QUANTITIES, Thermal

MAX_NUMBERS = 2**27
"""Most values of sites, of all counts together, for which observables are evaluated: some seconds."""
RESERVED = ("T", *QUANTITIES, "min_energy", "degeneracy", "rounding_error")
"""Names of other results."""


def observables_of(model: pm.Model, wanted: bool | Sequence[str]) -> Observables:
    """Observables of a model: all, none, or those named.

    Raises
    ------
    ArgumentError
        A name is not that of an observable, or is that of another result.
    """
    known = observable_graphs(model)
    if isinstance(wanted, bool):
        wanted = list(known) if wanted else []
    names = [wanted] if isinstance(wanted, str) else wanted
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"the model has no observable {name!r}",
                where=f"observables={wanted!r}",
                mend=f"choose among {', '.join(map(repr, known)) or 'none: it has no Observable'}",
            )
        if name in RESERVED:
            raise ArgumentError(
                f"the observable {name!r} has the name of another result of exact",
                mend="rename it, or name the others in observables=",
            )
    return Observables(model, names)


def countable(observables: Observables, counting: Counting, required: bool) -> list[str]:
    """Names of the observables that do not tell alike sites apart: their values fit the counts.

    They are evaluated in two arrangements of the sites, for all counts.

    Raises
    ------
    InfeasibleError
        One of them does, or there are too many states to find out, and all are ``required``.
    """
    names = set(observables.names)
    if names and len(counting.system.sites) * counting.n_counts > MAX_NUMBERS:
        names = set()
    elif names:
        for pair in zip(counting.states(), counting.states(shuffled=True), strict=True):
            a, b = (observables({k: v.T for k, v in x.items()}) for x in pair)
            names -= {k for k in names if not np.allclose(a[k], b[k], rtol=1e-9, atol=1e-9)}
    if required and (missing := sorted(set(observables.names) - names)):
        raise InfeasibleError(
            f"counting gives no mean of {missing[0]!r}: it tells apart sites that enter the energy alike, "
            "or has too many numbers to average",
            mend="measure a function of sums over sites, take a smaller system, or sample",
        )
    return [name for name in observables.names if name in names]


def expectations(
    observables: Observables,
    states: Iterator[Values],
    spectrum: Spectrum,
    at: Sequence[Thermal],
) -> dict[str, np.ndarray]:
    """Mean of each observable, <O> = sum over states of O exp(-beta E - E_fixed) / Z.

    Returns
    -------
    dict of str to ndarray, shape (temperatures, ...)

    Raises
    ------
    ModelError
        An observable depends on a random variable that this library does not declare.
    """
    means = dict.fromkeys(observables.names, np.zeros(()))
    if not means:
        return {}
    start = 0
    for x in states:
        part = spectrum.part(start, start := start + next(iter(x.values())).shape[1])
        p = np.exp([part.log_weights(t.beta) - t.log_partition for t in at])
        for name, values in observables({k: v.T for k, v in x.items()}).items():
            means[name] = means[name] + np.tensordot(p, values, 1)
    return means

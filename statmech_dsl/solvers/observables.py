"""Expectations of a model's observables by enumeration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm

from statmech_dsl.errors import ArgumentError
from statmech_dsl.lower.observables import Observables, observable_graphs
from statmech_dsl.solvers.enumeration import Spectrum, chunks
from statmech_dsl.solvers.system import System
from statmech_dsl.solvers.thermal import QUANTITIES, Thermal

RESERVED = ("T", *QUANTITIES, "min_energy", "degeneracy")
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


def expectations(
    observables: Observables,
    system: System,
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
    for x in chunks(system):
        part = spectrum.part(start, start := start + next(iter(x.values())).shape[1])
        p = np.exp([part.log_weights(t.beta) - t.log_partition for t in at])
        for name, values in observables({k: v.T for k, v in x.items()}).items():
            means[name] = means[name] + np.tensordot(p, values, 1)
    return means

"""Expectations of a model's observables by enumeration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ArgumentError, ModelError
from statmech_dsl.ir.marks import ObservableMark, VariableMark, mark_of
from statmech_dsl.solvers.enumeration import Spectrum, chunks
from statmech_dsl.solvers.system import System, Values
from statmech_dsl.solvers.thermal import QUANTITIES, Thermal

RESERVED = ("T", *QUANTITIES, "min_energy", "degeneracy")
"""Names of other results."""
Measure = Callable[[Values], list[np.ndarray]]
"""Values of observables in a chunk of states, each of shape (states, ...)."""


def observables_of(model: pm.Model, wanted: bool | Sequence[str]) -> dict[str, Any]:
    """Observables of a model by name: all, none, or those named.

    Raises
    ------
    ArgumentError
        A name is not that of an observable, or is that of another result.
    """
    known = {
        mark.name: v for v in model.deterministics if isinstance(mark := mark_of(v), ObservableMark)
    }
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
    return {name: known[name] for name in names}


def expectations(
    observables: Mapping[str, Any],
    model: pm.Model,
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
    if not observables:
        return {}
    measure = compile_observables(observables, model, system)
    means = dict.fromkeys(observables, np.zeros(()))
    start = 0
    for x in chunks(system):
        part = spectrum.part(start, start := start + next(iter(x.values())).shape[1])
        p = np.exp([part.log_weights(t.beta) - t.log_partition for t in at])
        for name, values in zip(means, measure(x), strict=True):
            means[name] = means[name] + np.tensordot(p, values, 1)
    return means


def compile_observables(observables: Mapping[str, Any], model: pm.Model, system: System) -> Measure:
    """Compile observables for many states at once, without C or Numba: they run for a moment only.

    Raises
    ------
    ModelError
        An observable depends on a random variable that this library does not declare.
    """
    declared = {
        mark.name: v
        for v in model.named_vars.values()
        if isinstance(mark := mark_of(v), VariableMark)
    }
    _require_states_only(observables, model, list(declared.values()))
    one = {name: v.type() for name, v in declared.items()}
    many = {name: pt.tensor(dtype=x.dtype, shape=(None, *x.type.shape)) for name, x in one.items()}
    graphs: Any = list(observables.values())
    graphs = clone_replace(graphs, {declared[name]: x for name, x in one.items()})
    # The views that Deterministics are would become loops over states, so they are removed first.
    graphs = rewrite_graph(graphs, include=("canonicalize",))
    function: Any = pytensor.function(  # type: ignore[reportPrivateImportUsage]
        list(many.values()),
        vectorize_graph(graphs, {one[name]: x for name, x in many.items()}),
        mode=Mode(linker="py", optimizer="fast_compile"),
        on_unused_input="ignore",
    )
    shapes = {v.name: v.shape for v in system.ir.variables}

    def measure(x: Values) -> list[np.ndarray]:
        states = {name: x[name].T.reshape(-1, *shapes[name]) for name in many}
        return function(*(states[name].astype(v.dtype) for name, v in many.items()))

    return measure


def _require_states_only(
    observables: Mapping[str, Any], model: pm.Model, declared: Sequence[Any]
) -> None:
    for name, observable in observables.items():
        behind = set(ancestors([observable], blockers=declared))
        for v in model.basic_RVs:
            if v in behind and v not in declared:
                raise ModelError(
                    f"the observable {name!r} depends on the random variable {v.name!r}",
                    mend="give it a number, or leave the observable out with observables=",
                )

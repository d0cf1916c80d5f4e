"""Expectations of a model's observables by enumeration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from statmech_dsl.solvers.thermal import Thermal

Measure = Callable[[Values], list[np.ndarray]]
"""Values of observables in a chunk of states, each of shape (states, ...)."""


def observables_of(model: pm.Model, wanted: bool | Sequence[str]) -> list[Any]:
    """Observables of a model: all, none, or those named.

    Raises
    ------
    ArgumentError
        A name is not that of an observable.
    """
    known = {v.name: v for v in model.deterministics if isinstance(mark_of(v), ObservableMark)}
    if isinstance(wanted, bool):
        return list(known.values()) if wanted else []
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"the model has no observable {name!r}",
                where=f"observables={wanted!r}",
                mend=f"choose among {', '.join(map(repr, known)) or 'none: it has no Observable'}",
            )
    return [known[name] for name in names]


def expectations(
    observables: Sequence[Any],
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
    means = dict.fromkeys([v.name for v in observables], np.zeros(()))
    start = 0
    for x in chunks(system):
        part = spectrum.part(start, start := start + next(iter(x.values())).shape[1])
        p = np.exp([part.log_weights(t.beta) - t.log_partition for t in at])
        for name, values in zip(means, measure(x), strict=True):
            means[name] = means[name] + np.tensordot(p, values, 1)
    return means


def compile_observables(observables: Sequence[Any], model: pm.Model, system: System) -> Measure:
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
    variables = [v for v in system.ir.variables if v.name in declared]
    one = [declared[v.name].type() for v in variables]
    many = [pt.tensor(dtype=x.dtype, shape=(None, *v.shape)) for v, x in zip(variables, one)]
    replace = {declared[v.name]: x for v, x in zip(variables, one, strict=True)}
    # Rewritten before they are vectorized: a view, as every Deterministic is one, becomes a slow loop.
    graphs = rewrite_graph(clone_replace(list(observables), replace), include=("canonicalize",))
    function = pytensor.function(
        many,
        vectorize_graph(graphs, dict(zip(one, many, strict=True))),
        mode=Mode(linker="py", optimizer="fast_compile"),
        on_unused_input="ignore",
    )

    def measure(x: Values) -> list[np.ndarray]:
        states = [x[v.name].T.reshape(-1, *v.shape) for v in variables]
        return function(*(a.astype(i.dtype) for a, i in zip(states, many, strict=True)))

    return measure


def _require_states_only(
    observables: Sequence[Any], model: pm.Model, declared: Sequence[Any]
) -> None:
    for observable in observables:
        behind = set(ancestors([observable], blockers=declared))
        for v in model.basic_RVs:
            if v in behind and v not in declared:
                raise ModelError(
                    f"observable {observable.name!r} depends on the random variable {v.name!r}",
                    mend="give it a number, or leave the observable out with observables=",
                )

"""From a PyMC model to a `Sampler`."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
import pymc as pm

from statmech_dsl.backends import build_kernels
from statmech_dsl.engine.choose import choose_backend, fastest_backend
from statmech_dsl.engine.composition import Updates, check_updates, choose_steps, situation_of
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ModelError, UnusedVariableWarning
from statmech_dsl.ir.marks import VariableMark, mark_of
from statmech_dsl.ir.model import ModelIR, content_hash
from statmech_dsl.lower.observables import Observables
from statmech_dsl.lower.pipeline import Lowered, lower
from statmech_dsl.lower.recovery import Recovered, recover
from statmech_dsl.lower.reductions import Measured, measure


@dataclass(frozen=True, eq=False)
class Compiled:
    """A model that is lowered but not tied to a number of replicas."""

    recovered: Recovered
    measured: Measured
    lowered: Lowered


def lower_model(
    model: pm.Model,
    updates: Updates = "auto",
    law: str = "boltzmann",
    n_replicas: int | None = None,
) -> Compiled:
    """Recover the factors of a model and lower a sweep over its variables.

    With a number of replicas the couplings are final, and the sweep may be bit-sliced.
    """
    recovered = recover(model)
    if not recovered.ir.variables:
        raise ModelError(
            "the model declares no variable of statmech_dsl",
            mend="declare sm.Spin, sm.Potts, sm.Angle, ... inside the model",
        )
    measured = measure(model, recovered.ir, recovered.tables)
    return lower_recovered(recovered, measured, updates, law, n_replicas)


def lower_recovered(
    recovered: Recovered,
    measured: Measured,
    updates: Updates,
    law: str = "boltzmann",
    n_replicas: int | None = None,
) -> Compiled:
    """Lower a sweep over the variables of factors that are known."""
    check_updates(recovered.ir, updates)
    ir, tables = recovered.ir, recovered.tables
    lowered = lower(
        ir,
        tables | measured.tables,
        lambda analysis: choose_steps(situation_of(ir, tables, analysis, law), updates),
        law,
        measured.ir,
        n_replicas,
    )
    return Compiled(recovered, measured, lowered)


def compile_model(
    model: pm.Model,
    n_replicas: int,
    *,
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    law: str = "boltzmann",
) -> Sampler:
    """Compile everything that a run of ``n_replicas`` replicas needs.

    Raises
    ------
    ModelError
        Nothing to sample, or a random variable that sampling states cannot handle.
    """
    chosen = choose_backend(backend)
    refuse_random(model)
    compiled = lower_model(model, updates, law, n_replicas if chosen.bits else None)
    warn_unused(compiled.recovered.ir, compiled.lowered)
    return sampler_of(model, compiled, n_replicas, backend, threads)


def sampler_of(
    model: pm.Model, compiled: Compiled, n_replicas: int, backend: str, threads: int | None
) -> Sampler:
    """Build the kernels of a lowered model, whose observables are those of ``model``."""
    ir, program, chosen = compiled.recovered.ir, compiled.lowered.program, choose_backend(backend)
    if backend == "auto":
        chosen = fastest_backend(program, compiled.lowered.tables, n_replicas)
    kernels = build_kernels(
        chosen, program, compiled.lowered.tables, n_replicas, n_threads(threads)
    )
    return Sampler(
        program,
        compiled.lowered.tables,
        compiled.lowered.analyses,
        compiled.recovered.clamped,
        chosen,
        kernels,
        compiled.measured,
        Observables(model, tuple(compiled.measured.unpacked)),
        content_hash(ir, compiled.recovered.tables | _clamped_tables(compiled.recovered)),
    )


def _clamped_tables(recovered: Recovered) -> dict[str, np.ndarray]:
    """Which sites are clamped to which values: part of what a run samples."""
    out = {}
    for name, (mask, values) in recovered.clamped.items():
        out[f"{name}.clamped"] = mask
        out[f"{name}.values"] = values.reshape(len(mask), -1)[mask]
    return out


def refuse_random(model: pm.Model) -> None:
    """Raise for random variables that are not ours: their posterior is not what sampling gives."""
    ours = {
        name
        for v in model.named_vars.values()
        if isinstance(m := mark_of(v), VariableMark)
        for name in (m.name, f"{m.name}_unobserved")
    }
    others = [v.name for v in model.free_RVs if v.name not in ours]
    if others:
        raise ModelError(
            f"the model has random variables that are no states: {', '.join(map(str, others))}",
            mend="give them numbers (or pm.Data), or use pm.sample, where sm.LocalGibbs moves the states",
        )


def warn_unused(ir: ModelIR, lowered: Lowered) -> None:
    """Warn of variables that no energy term depends on."""
    for analysis in lowered.analyses:
        if not analysis.occurrences:
            warnings.warn(
                f"no energy depends on {analysis.variable!r}: its sites are independent",
                UnusedVariableWarning,
                stacklevel=4,
            )


def n_threads(threads: int | None) -> int:
    """Number of threads: all cores that this process may use, unless given."""
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Where log Z is known, and the way from there to the temperatures that are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
from numpy.typing import ArrayLike

from statmech_dsl.engine.compile import lower_recovered, refuse_random, sampler_of
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError, InfeasibleError, ModelError
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lower.path import independent, path
from statmech_dsl.lower.recovery import Recovered, recover
from statmech_dsl.lower.reductions import measure
from statmech_dsl.results.recorder import raise_improper
from statmech_dsl.runs.free_energy.segment import Effort, Ground, Segment
from statmech_dsl.solvers.exact import exact

WIDER = 1.5
"""By how much independent sites are wider than those of a short run: their tails must cover the model's."""
LOOKS, SHORTEST = 10, 100
"""Looks at that run, in its second half, and its sweeps, at least."""


@dataclass(frozen=True, eq=False)
class Journey:
    """Segments from where log Z is ``log_z`` to the wanted temperatures, which are those of the last segment.

    With a ``reference`` model there is a journey for each temperature.
    """

    legs: tuple[tuple[Segment, ...], ...]
    log_z: tuple[float, ...]
    reference: str
    """What log Z is relative to: "absolute", or "the reference model"."""
    tempered: bool
    n_states: float
    """Of all sites; infinite where one is continuous."""
    from_infinity: bool
    """Whether x is beta, and the first one is 0."""
    discrete: bool


def plan(
    model: pm.Model,
    T: ArrayLike,
    beta: ArrayLike | None,
    reference: pm.Model | None,
    ground_state: tuple[float, float] | None,
    effort: Effort,
    options: Mapping[str, Any],
) -> Journey:
    """Choose where to start."""
    refuse_random(model)
    recovered = recover(model)
    ir, tables = recovered.ir, recovered.tables
    tempered = any(f.tempered for f in ir.energy_families)
    betas = np.sort(temperatures(T, beta, tempered).beta.reshape(-1))
    domains = [(v.domain, len(tables[v.free])) for v in ir.variables]
    discrete = all(d.values is not None for d, n in domains if n)
    n_states = math.prod(len(d.values or ()) ** n for d, n in domains) if discrete else math.inf
    volume = math.fsum(n * d.log_volume for d, n in domains if n)
    whole = compiler(recovered, options)
    common = tempered, n_states
    if reference is not None:
        refuse_random(reference)
        other = recover(reference)
        legs, known = [], []
        for b in betas:
            bridge = compiler(path(other, recovered, float(b)), options)
            legs.append((Segment(bridge, 0.0, np.ones(1)), Segment(whole, float(b), np.array([b]))))
            known.append(_log_z(reference, float(b)))
        absolute = not any(map(math.isnan, known))
        name = "absolute" if absolute else "the reference model"
        start = known if absolute else [0.0] * len(known)
        return Journey(tuple(legs), tuple(start), name, *common, False, discrete)
    if math.isfinite(volume) and all(f.tempered for f in ir.energy_families):
        leg = (Segment(whole, 0.0, betas, _ground(ground_state, volume)),)
        return Journey((leg,), (volume,), "absolute", *common, True, discrete)
    hottest = float(betas[0])
    if hottest == 0.0:
        raise ArgumentError(
            "log Z at beta = 0 is infinite, or that of terms which T does not divide",
            where="beta=0",
            mend="give temperatures above beta = 0",
        )
    sites, log_z = _independent(whole, recovered, hottest, effort)
    bridge = compiler(path(sites, recovered, hottest), options)
    leg = (Segment(bridge, 0.0, np.ones(1)), Segment(whole, hottest, betas))
    return Journey((leg,), (log_z,), "absolute", *common, False, discrete)


def _ground(given: tuple[float, float] | None, volume: float) -> Ground | None:
    """The ground state, its weight relative to all states."""
    if given is None:
        return None
    try:
        energy, degeneracy = (float(x) for x in given)
    except (TypeError, ValueError):
        energy, degeneracy = math.nan, 0.0
    if not (math.isfinite(energy) and degeneracy > 0):
        raise ArgumentError(
            "ground_state is (lowest energy, number of states that have it)",
            where=f"ground_state={given!r}",
        )
    return Ground(energy, math.log(degeneracy) - volume)


def compiler(recovered: Recovered, options: Mapping[str, Any]) -> Callable[..., Sampler]:
    """Samplers of a model for any number of replicas; they record no observables."""
    measured = measure(pm.Model(), recovered.ir, recovered.tables)

    def build(n_replicas: int, law: str = "boltzmann") -> Sampler:
        compiled = lower_recovered(recovered, measured, options["updates"], law, n_replicas)
        return sampler_of(pm.Model(), compiled, n_replicas, options["backend"], options["threads"])

    return build


def _log_z(reference: pm.Model, beta: float) -> float:
    """Exact log Z of a reference; NaN where that is not feasible."""
    try:
        return float(exact(reference, beta=beta, observables=False).log_partition)
    except (InfeasibleError, ModelError):
        return math.nan


def _independent(
    whole: Callable[..., Sampler], recovered: Recovered, beta: float, effort: Effort
) -> tuple[Recovered, float]:
    """Independent sites that look like those of a short run, and their log Z."""
    ir, tables = recovered.ir, recovered.tables
    fields = [v.name for v in ir.variables if not math.isfinite(v.domain.log_volume)]
    mean, width = _looks(whole, recovered, fields, beta, effort) if fields else ({}, {})
    log_z = math.fsum(
        float(np.log(w).sum()) + 0.5 * math.log(2 * math.pi) * len(w) for w in width.values()
    )
    for v in ir.variables:
        if v.name not in width:
            log_z += len(tables[v.free]) * v.domain.log_volume
    return independent(recovered, mean, width), log_z


def _looks(
    whole: Callable[..., Sampler],
    recovered: Recovered,
    fields: list[str],
    beta: float,
    effort: Effort,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mean of each free site of the fields in a short run, and a width that covers its tails."""
    n = max(8, effort.chains)
    sampler = whole(n)
    # Chains of numbers that the run proper does not use.
    state = sampler.start(effort.seed, np.arange(n), np.ones(n, int), np.full(n, beta), "hot")
    packed, sums = sampler.kernels.pack(state), dict.fromkeys(fields, np.zeros(()))
    for look in range(2 * LOOKS):
        sampler.kernels.sweep(packed, max(1, max(effort.tune, SHORTEST) // (2 * LOOKS)))
        for name in fields if look >= LOOKS else ():
            free = recovered.tables[recovered.ir.variable(name).free]
            x = sampler.kernels.values(packed, name)[:, free].astype(float)
            sums[name] = sums[name] + np.stack([x.mean(axis=0), (x**2).mean(axis=0)]) / LOOKS
    mean = {name: first for name, (first, _) in sums.items()}
    width = {
        name: WIDER * np.sqrt(np.maximum(second - first**2, 1e-12))
        for name, (first, second) in sums.items()
    }
    if not all(np.isfinite(w).all() for w in width.values()):
        raise_improper(sampler)
    return mean, width

"""What the checks run: samplers of a model under any law, and their first states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
from numpy.typing import ArrayLike

from statmech_dsl.backends import build_kernels
from statmech_dsl.engine.choose import choose_backend
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Init, Sampler
from statmech_dsl.errors import ValidationError
from statmech_dsl.ir.state import State
from statmech_dsl.lower.observables import Observables


def build(
    model: pm.Model,
    n_replicas: int = 1,
    *,
    updates: Updates = "auto",
    backend: str = "reference",
    law: str = "boltzmann",
    threads: int = 1,
    lowered_for: int | None = None,
) -> Sampler:
    """Compile a model for a given law and backend; ``lowered_for`` replicas it may be bit-sliced."""
    compiled, chosen = lower_model(model, updates, law, lowered_for), choose_backend(backend)
    program, tables = compiled.lowered.program, compiled.lowered.tables
    return Sampler(
        program,
        tables,
        compiled.lowered.analyses,
        compiled.recovered.clamped,
        chosen,
        build_kernels(chosen, program, tables, n_replicas, threads),
        compiled.measured,
        Observables(model, tuple(compiled.measured.unpacked)),
        content_hash="",
    )


def tiers(model: pm.Model, updates: Updates = "auto", law: str = "boltzmann") -> list[Sampler]:
    """The reference for every program that a model is lowered to: as it is, for one replica, for several."""
    found = {}
    for n in (None, 1, 2):
        sampler = build(model, updates=updates, law=law, lowered_for=n)
        bits = sampler.program.bits
        found.setdefault("as it is" if bits is None else bits.fold, sampler)
    return list(found.values())


def begin(sampler: Sampler, beta: ArrayLike, *, seed: int, init: Init = "hot") -> State:
    """First state, one replica for each beta; under a tabulated law with a random table."""
    beta = np.atleast_1d(np.asarray(beta, float))
    n = len(beta)
    state = sampler.start(seed, np.arange(n), np.zeros(n, int), beta, init)
    return random_law(state, seed) if sampler.program.law == "tabulated" else state


def random_law(state: State, seed: int, bins: int = 16) -> State:
    """The state under random log weights of bins of the energy, from -4 to 4 and beyond at the ends."""
    table = np.random.default_rng(seed).uniform(-1.0, 1.0, bins)
    return replace(state, law_table=table, law_range=(-4.0, 8.0 / (bins - 1)))


def take(state: State, rows: ArrayLike) -> State:
    """Some replicas of a state, in any order and also repeatedly."""
    rows = np.asarray(rows)
    return replace(
        state,
        values={name: v[rows] for name, v in state.values.items()},
        replicas=state.replicas[rows],
        beta=state.beta[rows],
        params=state.params[:, rows],
        accepted=state.accepted[:, rows],
    )


def copies(state: State, n: int) -> State:
    """Replicas number 0, 1, ... of n, all in the first state."""
    return replace(take(state, np.zeros(n, int)), replicas=np.arange(n, dtype=np.uint32))


def require(holds: bool | np.bool, what: str) -> None:
    """Raise ValidationError unless a condition holds."""
    if not holds:
        raise ValidationError(what)

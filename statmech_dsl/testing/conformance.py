"""Hold updates, variable types and backends against their definitions.

Each check takes a small model, runs on whatever the registries hold, and raises `ValidationError` where
a definition is violated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from statmech_dsl.backends import Kernels, build_kernels
from statmech_dsl.backends.collective import Composed
from statmech_dsl.backends.enumeration import Enumeration
from statmech_dsl.engine.choose import choose_backend
from statmech_dsl.engine.composition import Updates, conserved
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State
from statmech_dsl.testing.setup import begin, build, require, take, tiers

TOLERANCE = 1e-12
"""Largest deviation of an exact probability that is due to rounding."""


@dataclass(frozen=True)
class Transitions:
    """Facts about the exact transition matrix of a sweep."""

    n_states: int
    deviation: float
    """Largest component of ``pi P - pi``."""
    n_unit: int
    """Eigenvalues of modulus 1, in the sector that has most; one if and only if the chain is irreducible and
    aperiodic there."""
    simultaneous: float
    """Largest difference that it makes if the sites of a color decide all at once."""
    n_sectors: int = 1
    """Sets of states that hold the same values in another order, where all updates conserve them; else one."""
    leaving: float = 0.0
    """Largest probability to get from one sector to another."""


def transitions(enumeration: Enumeration, conserved: Collection[str] = ()) -> Transitions:
    """Measure a transition matrix; of the ``conserved`` variables each sector stands for itself."""
    program = enumeration.reference.program
    matrix, pi = enumeration.matrix(), enumeration.stationary()
    together = matrix if program.exclusive else enumeration.matrix(simultaneous=True)
    sector = enumeration.sectors(conserved)
    members = [np.flatnonzero(sector == k) for k in np.unique(sector)]
    return Transitions(
        len(pi),
        float(np.abs(pi @ matrix - pi).max()),
        max(_n_unit(matrix[np.ix_(m, m)]) for m in members),
        float(np.abs(together - matrix).max()),
        len(members),
        float(np.where(sector[:, None] != sector, matrix, 0.0).max()),
    )


def _n_unit(matrix: np.ndarray) -> int:
    """Eigenvalues of modulus 1."""
    return int(np.sum(np.abs(np.linalg.eigvals(matrix)) > 1 - 1e-9))


def check_transition_matrix(
    model: pm.Model,
    updates: Updates = "auto",
    *,
    beta: float = 1.0,
    law: str = "boltzmann",
    seed: int = 1,
) -> Transitions:
    """Check that a sweep leaves the right distribution alone, reaches all states and is aperiodic.

    All outcomes of all draws are followed in the reference interpreter, which gives the exact transition
    matrix P of a sweep. It must satisfy |pi P - pi| < 1e-12 and have exactly one eigenvalue of modulus 1,
    and the sites of a color must decide in the same way one after the other and all at once. Where all updates
    of a variable conserve its values, each set of states with the same values in another order must have one
    such eigenvalue, and no way may lead out of it.

    Parameters
    ----------
    model : Model
        A discrete model; up to about 500 states are feasible.
    updates : str, list or dict
        As in `sample`.
    beta : float
        Inverse temperature.
    law : {"boltzmann", "tabulated"}
        With "tabulated", weights are a table of random numbers.
    seed : int
        Seed of that table and of the clamped model's first state.

    Returns
    -------
    Transitions
        What was measured.

    Raises
    ------
    ValidationError
        The update is wrong.

    Examples
    --------
    >>> from statmech_dsl.testing import declarations, small_models
    >>> check_transition_matrix(small_models(declarations()[0])["pairs"], "heat_bath").n_unit
    1
    """
    sampler = build(model, updates=updates, law=law)
    state = begin(sampler, beta, seed=seed)
    found = transitions(enumeration(sampler, state), conserved(sampler.program))
    where = f"{updates} at beta={beta}, law {law}"
    require(found.deviation < TOLERANCE, f"{where}: pi P - pi is {found.deviation:.1e}")
    require(found.n_unit == 1, f"{where}: {found.n_unit} eigenvalues of modulus 1: not ergodic")
    require(found.leaving == 0, f"{where}: values are not conserved")
    require(
        found.simultaneous < TOLERANCE,
        f"{where}: sites of a color see each other: P changes by {found.simultaneous:.1e}",
    )
    return found


def enumeration(sampler: Sampler, state: State) -> Enumeration:
    """All states of a sampler of the reference backend, and the kernels between them."""
    kernels: Any = sampler.kernels
    if not isinstance(kernels, Composed):
        return Enumeration(kernels, state)
    passes: Any = kernels.passes
    movers: list[Any] = kernels.movers
    times = [move.times for move in sampler.program.collective]
    return Enumeration(passes, state, list(zip(movers, times, strict=True)))


def check_backend(
    model: pm.Model,
    backend: str = "numba",
    *,
    updates: Updates = "auto",
    law: str = "boltzmann",
    replicas: Sequence[int] = (1, 3, 9, 70),
    threads: Sequence[int] = (1, 2, 3),
    sweeps: int = 3,
    seed: int = 1,
) -> int:
    """Check that a backend follows the reference bit for bit, in every tier that the model allows.

    Every replica has a temperature of its own. Runs with fewer replicas take them out of the
    middle of the largest one, so that numbers have gaps and lanes are padded. Each run
    stops after every sweep count once, is unpacked and packed again, and goes on. A last one exchanges
    temperatures and values between its sweeps.

    Parameters
    ----------
    model : Model
        Any model with proper weights.
    backend : str
        Name of the backend.
    updates, law
        As in `check_transition_matrix`.
    replicas, threads : sequence of int
        Numbers that are tried, each with each.
    sweeps : int
        Length of the trajectories.
    seed : int
        Seed of the run.

    Returns
    -------
    int
        Number of runs that were compared.

    Raises
    ------
    ValidationError
        Values, energies, sums of observables or acceptance counts differ.
    """
    compared = 0
    for reference in tiers(model, updates, law):
        if choose_backend(backend).bits or reference.program.bits is None:
            compared += _compare(reference, backend, replicas, threads, sweeps, seed)
            _rearrange(reference, backend, seed)
    return compared


def _compare(
    reference: Sampler,
    backend: str,
    replicas: Sequence[int],
    threads: Sequence[int],
    sweeps: int,
    seed: int,
) -> int:
    """Hold a backend against the reference for one program."""
    n = max(replicas)
    begun = begin(reference, _betas(reference, n), seed=seed)
    program, tables = reference.program, reference.tables
    rng, compared = np.random.default_rng(seed), 0
    close = all(p.dense for p in program.passes)  # matrices have an order of their own
    for size in replicas:
        rows = rng.permutation(n)[:size]
        first = take(begun, rows)
        definition = build_kernels(reference.backend, program, tables, size, 1)
        path = _path(definition, first, sweeps)
        for count in threads:
            kernels = build_kernels(choose_backend(backend), program, tables, size, count)
            where = f"{backend}, {size} replicas, {count} threads"
            _follow(kernels, path, _close if close else _same, where)
            compared += sweeps  # one for each stop
    return compared


def _follow(
    kernels: Kernels, path: list[tuple[State, np.ndarray]], energies: Callable, where: str
) -> None:
    """Hold kernels against a path, with every stop once."""
    sweeps = len(path) - 1
    for stop in range(sweeps):
        here = f"{where}, packed again after {stop} sweeps"
        state = path[0][0]
        for until in (stop, sweeps):
            packed = kernels.pack(state)
            swept = kernels.swept_energy(packed, until - state.sweep) if until > stop else None
            if swept is None:
                kernels.sweep(packed, until - state.sweep)
            state = kernels.unpack(packed)
            expected, numbers = path[until]
            _require_equal(state, expected, here)
            if swept is not None:
                require(_weighs(swept, numbers[0]), f"{here}: other energies for weights")
            found = _numbers(kernels, packed)
            require(energies(found[:2], numbers[:2]), f"{here}: other energies")
            require(_same(found[2:], numbers[2:]), f"{here}: other sums")


def _betas(sampler: Sampler, n: int) -> np.ndarray:
    """Inverse temperatures, from 0 where the weights can be normalized there."""
    bounded = all(np.isfinite(v.domain.log_volume) for v in sampler.program.model.variables)
    return np.linspace(0.0 if bounded else 0.5, 1.5, n)


def _rearrange(reference: Sampler, backend: str, seed: int) -> None:
    """Exchange temperatures and values between sweeps; some values are both copied and overwritten."""
    rows, order = np.array([0, 0, 1, 8, 4, 4, 6, 2, 3]), np.array([3, 1, 2, 0, 4, 8, 6, 7, 5])
    first = begin(reference, _betas(reference, len(rows)), seed=seed)
    kernels = build_kernels(
        choose_backend(backend), reference.program, reference.tables, len(rows), 1
    )
    ends = []
    for k in (reference.kernels, kernels):
        packed = k.pack(first)
        k.sweep(packed, 1)
        k.take(packed, rows)
        k.set_beta(packed, first.beta[order], first.params[:, order])
        k.sweep(packed, 2)
        ends.append(k.unpack(packed))
    _require_equal(ends[1], ends[0], f"{backend}, temperatures and values exchanged")
    require(np.array_equal(ends[1].beta, ends[0].beta), f"{backend}: other temperatures")


def _path(kernels: Kernels, state: State, sweeps: int) -> list[tuple[State, np.ndarray]]:
    """The states after 0, 1, ... sweeps, with their energies and sums."""
    packed = kernels.pack(state)
    out = [(kernels.unpack(packed), _numbers(kernels, packed))]
    for _ in range(sweeps):
        kernels.sweep(packed, 1)
        out.append((kernels.unpack(packed), _numbers(kernels, packed)))
    return out


def _numbers(kernels: Kernels, packed: Any) -> np.ndarray:
    """Two energies and all sums, for each replica."""
    tempered, fixed, sums = kernels.measure(packed)
    return np.array([tempered, fixed, *sums.T])


def _close(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether energies agree but for the order of their terms."""
    return np.allclose(x, y, TOLERANCE, TOLERANCE * np.abs(y).max(initial=0.0), equal_nan=True)


def _weighs(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether energies agree as exactly as weights need it."""
    return np.allclose(x, y, 1e-6, 1e-6 * np.abs(y).max(initial=0.0), equal_nan=True)


def _same(x: np.ndarray, y: np.ndarray) -> bool:
    return np.array_equal(x, y, equal_nan=True)


def _require_equal(state: State, expected: State, where: str) -> None:
    for name, x in expected.values.items():
        found = state.values[name]
        wrong = np.argwhere((found != x) & ((found == found) | (x == x)))  # NaN equals NaN
        where_first = f", first in replica {wrong[0][0]} at row {wrong[0][1]}" if len(wrong) else ""
        require(
            not len(wrong),
            f"{where}: {len(wrong)} of {x.size} values of {name!r} differ{where_first}",
        )
    require(np.array_equal(state.accepted, expected.accepted), f"{where}: other acceptance counts")
    require(np.array_equal(state.params, expected.params), f"{where}: parameters have changed")
    require(state.sweep == expected.sweep, f"{where}: wrong sweep count")

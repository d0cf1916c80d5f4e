"""Hold samplers of continuous and mixed models against distributions known without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isinf

import numpy as np
import pymc as pm
from scipy import stats

from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.state import State
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.testing.quadrature import nodes
from statmech_dsl.testing.setup import begin, build, copies, require, take

MIN_P = 1e-4
"""Smallest p-value that passes; seeds are fixed, so that a test never flickers."""
MAX_Z = 5.0
"""Largest deviation that passes, in standard errors."""


def check_conditional(
    model: pm.Model,
    updates: Updates = "auto",
    *,
    beta: float = 1.0,
    sweeps: int = 1,
    replicas: int = 20_000,
    backend: str = "auto",
    seed: int = 1,
) -> float:
    """Check the distribution of a single free site against quadrature.

    Parameters
    ----------
    model : Model
        A model in which all sites but one are clamped.
    updates : str, list or dict
        As in `sample`.
    beta : float
        Inverse temperature.
    sweeps : int
        Sweeps from one hot state: 1 for an exact draw, enough to forget the start for Metropolis.
    replicas : int
        Independent draws.
    backend : str
        What runs the sweeps.
    seed : int
        Seed of the run.

    Returns
    -------
    float
        Smallest p-value of Kolmogorov and Smirnov's test, over the components and the energy.

    Raises
    ------
    ValidationError
        A p-value is below 1e-4.
    """
    sampler = build(model, replicas, updates=updates, backend=backend)
    ((variable, site),) = (
        (v, int(k)) for v in sampler.program.model.variables for k in sampler.tables[v.free]
    )
    state = begin(sampler, beta, seed=seed)
    drawn = _run(sampler, copies(state, replicas), sweeps)
    points, log_measure = nodes(variable.domain)
    grid = copies(state, len(points))
    n = variable.domain.components
    rows = slice(site * n, (site + 1) * n)
    grid.values[variable.name][:, rows] = points
    tempered, fixed = _energies(sampler, grid)
    log_weights = log_measure - beta * tempered - fixed
    weights = np.exp(log_weights - log_weights.max())
    exact = np.column_stack([points, tempered])
    found = np.column_stack([drawn.values[variable.name][:, rows], _energies(sampler, drawn)[0]])
    p = min(
        float(stats.kstest(x, _distribution(y, weights)).pvalue)
        for x, y in zip(found.T, exact.T, strict=True)
        if np.ptp(y) > 1e-9
    )
    require(p > MIN_P, f"{updates} at beta={beta}: p = {p:.1e} against quadrature")
    return p


def check_geweke(
    model: pm.Model,
    updates: Updates = "auto",
    *,
    beta: float = 1.0,
    sweeps: int = 3,
    replicas: int = 50_000,
    backend: str = "auto",
    seed: int = 1,
) -> float:
    """Check that sweeps leave the joint distribution alone.

    After Geweke (2004): independent exact states, drawn by rejection, must have the same
    distribution before and after some sweeps. Compared are the means of all components (cosine and sine
    of an angle), of their products and of the energy and its square; the differences are taken replica
    by replica.

    Parameters
    ----------
    model : Model
        A model of a few sites, so that rejection is feasible.
    updates, beta, backend, seed
        As in `check_conditional`.
    sweeps : int
        Sweeps that are done.
    replicas : int
        Independent exact states.

    Returns
    -------
    float
        The largest deviation in standard errors.

    Raises
    ------
    ValidationError
        A mean moves by more than 5 standard errors.

    References
    ----------
    J. Geweke, J. Am. Stat. Assoc. 99, 799 (2004).
    """
    sampler = build(model, replicas, updates=updates, backend=backend)
    before = exact_states(sampler, beta, replicas, seed)
    after = _run(sampler, before, sweeps)
    change = _moments(sampler, after) - _moments(sampler, before)
    spread = change.std(axis=0)
    moving = spread > 1e-9
    worst = np.abs(change.mean(axis=0)[moving]) * np.sqrt(replicas) / spread[moving]
    z = float(worst.max())
    require(z < MAX_Z, f"{updates} at beta={beta}: a mean moves by {z:.1f} standard errors")
    return z


def exact_states(sampler: Sampler, beta: float, n: int, seed: int) -> State:
    """Draw n independent states from exp(-beta E) by rejection from infinite temperature.

    Exact up to the weights above the largest of the proposals, whose share is about one part in their
    number. On the real line, where there is no infinite temperature, proposals are standard normal.
    """
    rng, size = np.random.default_rng(seed), 20 * n
    pool = copies(begin(sampler, beta, seed=seed), size)
    log_weights = np.zeros(size)
    for v in sampler.program.model.variables:
        free = sampler.tables[v.free]
        hot = v.domain.hot(rng, len(free) * size).reshape(size, len(free), -1)
        pool.values[v.name].reshape(size, v.n_sites, -1)[:, free] = hot
        if isinf(v.domain.log_volume):
            log_weights += 0.5 * (hot**2).sum(axis=(1, 2))
    tempered, fixed = _energies(sampler, pool)
    log_weights -= beta * tempered + fixed
    accepted = np.flatnonzero(np.log(rng.random(size)) < log_weights - log_weights.max())
    require(
        len(accepted) >= n, f"rejection accepts {len(accepted)} of {size}: use weaker couplings"
    )
    return replace(take(pool, accepted[:n]), replicas=np.arange(n, dtype=np.uint32))


def _run(sampler: Sampler, state: State, sweeps: int) -> State:
    packed = sampler.kernels.pack(state)
    sampler.kernels.sweep(packed, sweeps)
    return sampler.kernels.unpack(packed)


def _energies(sampler: Sampler, state: State) -> tuple[np.ndarray, np.ndarray]:
    """By NumPy: what is tested shares no arithmetic with it."""
    values = {name: x.T.astype(float) for name, x in state.values.items()}
    return energies(sampler.program.model, sampler.tables, values)


def _distribution(values: np.ndarray, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Distribution function of weighted points, linear between them; equal ones are one point."""
    points, number = np.unique(values.round(12), return_inverse=True)
    weight = np.bincount(number, weights)
    total = np.cumsum(weight)
    middle = (total - 0.5 * weight) / total[-1]
    return lambda x: np.interp(x, points, middle, left=0.0, right=1.0)


def _moments(sampler: Sampler, state: State) -> np.ndarray:
    """Features of every replica: components, their products, energy and its square."""
    parts = []
    for v in sampler.program.model.variables:
        x = state.values[v.name].reshape(state.n_replicas, v.n_sites, -1)[:, sampler.tables[v.free]]
        x = x.reshape(state.n_replicas, -1).astype(float)
        parts += [np.cos(x), np.sin(x)] if v.domain.transform == "circular" else [x]
    first = np.concatenate(parts, axis=1)
    a, b = np.triu_indices(first.shape[1])
    energy = np.sum(_energies(sampler, state), axis=0)[:, None]
    return np.concatenate([first, first[:, a] * first[:, b], energy, energy**2], axis=1)

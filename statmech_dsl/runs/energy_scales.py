"""How much the energy changes when one site moves: the range of temperatures that annealing needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ModelError

STATES, SITES = 8, 64
"""Random states, and sites of each variable, that are looked at."""
PROBES_SEED = 0
"""The range of a model depends on the model alone, not on the seed of a run."""
HOT, COLD = 0.5, 0.01
"""Odds of the largest change at the hot end; number of smallest ones, over all sites, at the cold end."""


def beta_range(sampler: Sampler, replicas: int) -> tuple[float, float]:
    """Inverse temperatures between which a model freezes.

    At the hot end the largest change of the energy is accepted with odds of 1/2. At the cold end a system
    has 1/100 of an excitation, if each site has one of the smallest energy: the lower quartile, over sites, of
    the smallest change in a few random states.
    """
    largest, smallest, n_sites = 0.0, [], 0
    for v in sampler.program.model.variables:
        changes = abs(_changes(sampler, v.name, replicas))
        resolved = 1e-9 * max(1.0, changes.max(initial=0.0))
        least = np.where(changes > resolved, changes, np.inf).min(axis=0, initial=np.inf)
        largest = max(largest, changes.max(initial=0.0))
        smallest.append(least[np.isfinite(least)])
        n_sites += len(sampler.tables[v.free])
    typical = np.concatenate(smallest)
    if not len(typical):
        raise ModelError(
            "no move of a single site changes the energy: there is nothing to anneal",
            mend="give the range, as T=(high, low), if larger moves change it",
        )
    return float(-np.log(HOT) / largest), float(np.log(n_sites / COLD) / np.quantile(typical, 0.25))


def _changes(sampler: Sampler, variable: str, replicas: int) -> np.ndarray:
    """Changes of the energy when a site takes another value, shape (states, sites)."""
    model, v = sampler.program.model, sampler.program.model.variable(variable)
    rng = np.random.default_rng(PROBES_SEED)
    free = sampler.tables[v.free]
    sites = np.sort(rng.choice(free, min(SITES, len(free)), replace=False))
    numbers = np.arange(STATES)
    start = sampler.start(PROBES_SEED, numbers, 0 * numbers, np.zeros(STATES), "hot")
    before = _energies(sampler, start.values, replicas)
    probes = {w.name: np.repeat(start.values[w.name], len(sites), 0) for w in model.variables}
    x = probes[variable].reshape(STATES, len(sites), v.n_sites, -1)
    for k, site in enumerate(sites):
        old = x[:, k, site]
        new = v.domain.hot(rng, STATES).reshape(STATES, -1)
        if v.domain.values is not None:  # any value but the old one
            values = np.asarray(v.domain.values)
            step = rng.integers(1, len(values), old.shape)
            new = values[(np.searchsorted(values, old) + step) % len(values)]
        x[:, k, site] = new
    return _energies(sampler, probes, replicas).reshape(STATES, -1) - before[:, None]


def _energies(sampler: Sampler, values: Mapping[str, np.ndarray], replicas: int) -> np.ndarray:
    """Energies of any number of states, as many at a time as the kernels are compiled for."""
    n, found = len(next(iter(values.values()))), []
    for a in range(0, n, replicas):
        rows = np.minimum(np.arange(a, a + replicas), n - 1)
        numbers = np.arange(replicas)
        state = sampler.start(PROBES_SEED, numbers, 0 * numbers, np.zeros(replicas), "cold")
        state.values = {name: x[rows] for name, x in values.items()}
        kernels = sampler.kernels
        found.append(kernels.energy(kernels.pack(state))[0][: n - a])
    return np.concatenate(found)

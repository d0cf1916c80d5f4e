"""Energies that are sums of products of Ising spins, by heat bath: gauge theories, p-spin models.

E = -sum over groups of J times the product of the spins of the group. Each site knows the other members of
its groups from a table.
"""

from __future__ import annotations

import numpy as np

from benchmarks.contender import Contender, clocked
from benchmarks.yardsticks.lanes import (
    LANES,
    ONE,
    TWO,
    ZERO,
    exp,
    f4,
    kernel,
    rows,
    uniform,
    words,
)


@kernel
def plaquettes(s, others, couplings, begin, words, rows, beta):
    """Update the sites in turn; groups have four members."""
    field, number = rows[0], rows[1]
    for site in range(s.shape[0]):
        uniform(words, number)
        for r in range(LANES):
            field[r] = ZERO
        for k in range(begin[site], begin[site + 1]):
            a, b, c, J = s[others[k, 0]], s[others[k, 1]], s[others[k, 2]], couplings[k]
            for r in range(LANES):
                field[r] += J * (a[r] * b[r] * c[r])
        own = s[site]
        for r in range(LANES):
            own[r] = ONE if number[r] * (ONE + exp(-TWO * beta * field[r])) < ONE else -ONE


@kernel
def triples(s, others, couplings, begin, words, rows, beta):
    """Update the sites in turn; groups have three members."""
    field, number = rows[0], rows[1]
    for site in range(s.shape[0]):
        uniform(words, number)
        for r in range(LANES):
            field[r] = ZERO
        for k in range(begin[site], begin[site + 1]):
            a, b, J = s[others[k, 0]], s[others[k, 1]], couplings[k]
            for r in range(LANES):
                field[r] += J * (a[r] * b[r])
        own = s[site]
        for r in range(LANES):
            own[r] = ONE if number[r] * (ONE + exp(-TWO * beta * field[r])) < ONE else -ONE


def contender(n_sites: int, groups: np.ndarray, J: np.ndarray, T: float) -> Contender:
    """64 replicas; ``groups`` has shape (number of groups, 3 or 4)."""
    size = groups.shape[1]
    sites = groups.T.ravel()
    others = np.concatenate([np.delete(groups, k, axis=1) for k in range(size)])
    order = np.argsort(sites, kind="stable")
    begin = np.searchsorted(sites[order], np.arange(n_sites + 1))
    tables = others[order], np.tile(J, size)[order].astype(f4), begin
    s = np.random.default_rng(1).choice(np.array([-1, 1], f4), (n_sites, LANES))
    generator, work, beta = words(1), rows(2), f4(1 / T)
    sweep = {3: triples, 4: plaquettes}[size]

    def run(n: int) -> None:
        for _ in range(n):
            sweep(s, *tables, generator, work, beta)

    def energy() -> np.ndarray:
        return -(J @ s[groups].prod(axis=1)) / n_sites

    return Contender("yardstick", clocked(run), n_sites * LANES, energy)

"""Houdayer's move: two replicas of one temperature exchange a cluster of sites in which they differ.

Sites are joined if they differ and share a factor. Every factor then has all its differing sites in the
cluster, or none: it gives its two energies, or swaps them, and E1 + E2 stays as it is. The differing
sites stay the same set, so that a site picked among them at random gives detailed balance. The move makes
no new states of sites, so sweeps go on beside it. J. Houdayer, Eur. Phys. J. B 22, 479 (2001).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.errors import ArgumentError
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.ir.state import State
from statmech_dsl.lower.coloring import adjacency
from statmech_dsl.rng import swap_words, uniform
from statmech_dsl.runs.exchange import Exchange

EVERY = 10
"""Swaps from move to move: states leave the kernels for it, which takes as long as some sweeps."""


class Houdayer:
    """Moves between copies 0 and 1, 2 and 3, ... of every chain at every temperature.

    ``moved`` and ``skipped`` count, by temperature, moves and those that were left out as their cluster
    held more than half of all sites (to exchange the rest instead would do as well, and neither does much);
    ``sites`` adds up the sizes of the clusters that were exchanged.
    """

    def __init__(self, sampler: Sampler, exchange: Exchange, copies: int) -> None:
        model = sampler.program.model
        self.model, self.exchange, self.copies = model, exchange, copies
        self.n_sites = sum(v.n_sites for v in model.variables)
        self.neighbors, self.start = factor_graph(model, sampler.tables)
        self.moved, self.skipped, self.sites = np.zeros((3, len(exchange.beta)), np.int64)

    def __call__(self, state: State, number: int) -> None:
        """Make the moves of swap ``number``, in place."""
        rows = self.exchange.rows
        rows = rows.reshape(len(rows), -1, self.copies)[..., : self.copies // 2 * 2]
        first, second = rows[..., ::2], rows[..., 1::2]
        n_T, n_chains, n_pairs = first.shape
        chains = self.exchange.chain[:: self.copies, None]
        level = np.arange(n_T)[:, None, None]
        words = swap_words(level, chains, np.arange(n_pairs), number, self.exchange.seed)
        joined = np.concatenate([state.values[v.name] for v in self.model.variables], axis=1)
        a, b = joined[first.reshape(-1)], joined[second.reshape(-1)]
        u = np.asarray(uniform(words[1])).reshape(-1)
        size = exchange_clusters(a, b, u, self.neighbors, self.start, self.n_sites // 2)
        joined[first.reshape(-1)], joined[second.reshape(-1)] = a, b
        edges = np.cumsum([v.n_sites for v in self.model.variables])[:-1]
        for v, x in zip(self.model.variables, np.split(joined, edges, axis=1), strict=True):
            state.values[v.name] = x.astype(v.domain.storage_dtype)
        size = size.reshape(n_T, -1)
        self.moved += (size > 0).sum(axis=1)
        self.skipped += (size < 0).sum(axis=1)
        self.sites += np.maximum(size, 0).sum(axis=1)

    def statistics(self) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
        """What the moves did, over T."""
        tried, moved = np.maximum(self.moved + self.skipped, 1), np.maximum(self.moved, 1)
        return {
            "houdayer_cluster": (
                "T",
                self.sites / moved / self.n_sites,
                {"long_name": "mean fraction of the sites in an exchanged cluster"},
            ),
            "houdayer_skipped": (
                "T",
                self.skipped / tried,
                {"long_name": "fraction of clusters left out: of more than half of the sites"},
            ),
        }


def refuse(model: ModelIR, copies: int) -> None:
    """Raise where the move cannot work."""
    if copies < 2:
        raise ArgumentError(
            "houdayer=True exchanges clusters between two replicas of one temperature",
            mend="use replicas_per_T=2",
        )
    real = [v.name for v in model.variables if v.domain.values is None]
    if real:
        raise ArgumentError(
            f"houdayer=True needs discrete variables: real ones differ at every site ({real[0]!r})",
            mend="leave it out",
        )
    if model.sums:
        raise ArgumentError(
            "houdayer=True needs local terms: a function of a sum joins all sites to one cluster",
            mend="leave it out",
        )


def factor_graph(model: ModelIR, tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors of every site of every variable, numbered through: those that share a factor."""
    sizes = [v.n_sites for v in model.variables]
    offset = dict(zip((v.name for v in model.variables), np.cumsum([0, *sizes]), strict=False))
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for f in model.energy_families:
        columns = {(c.array, c.index) for c in f.columns if c.kind == "state"}
        n = f.n_instances(tables)
        sites = [
            offset[name] + (np.zeros(n, np.int64) if index is None else tables[index].astype(int))
            for name, index in sorted(columns, key=str)
        ]
        for a, b in combinations(sites, 2):
            first.append(a[a != b])
            second.append(b[a != b])
    return adjacency(np.concatenate(first), np.concatenate(second), sum(sizes))


@compiled
def exchange_clusters(a, b, u, neighbors, start, largest):
    """Exchange in each row of a and b the cluster around the differing site that u picks.

    Returns the sizes of the clusters: 0 where nothing differs, negative where one was too large.
    """
    n_pairs, n = a.shape
    sizes = np.zeros(n_pairs, np.int64)
    differs = np.empty(n, np.bool_)
    cluster = np.empty(n, np.int64)
    for p in range(n_pairs):
        total = 0
        for i in range(n):
            differs[i] = a[p, i] != b[p, i]
            total += differs[i]
        if total == 0:
            continue
        k = np.int64(u[p] * total)  # number of the site among those that differ
        i = -1
        while k >= 0:
            i += 1
            k -= differs[i]
        cluster[0], head, tail = i, 0, 1
        differs[i] = False
        while head < tail:
            i = cluster[head]
            head += 1
            for q in range(start[i], start[i + 1]):
                j = neighbors[q]
                if differs[j]:
                    differs[j] = False
                    cluster[tail] = j
                    tail += 1
        sizes[p] = tail
        if tail > largest:
            sizes[p] = -tail
            continue
        for k in range(tail):
            i = cluster[k]
            a[p, i], b[p, i] = b[p, i], a[p, i]
    return sizes

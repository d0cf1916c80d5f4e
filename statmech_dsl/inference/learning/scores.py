"""Second moments of the gradients of log conditionals, of single sites and of whole states."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from statmech_dsl.inference.pseudolikelihood.conditionals import Conditionals, Part
from statmech_dsl.inference.pseudolikelihood.local_fields import Fields


def curvature(seen: Conditionals, c: np.ndarray) -> np.ndarray:
    """Sum over sites and states of the outer products of gradients by the couplings.

    Given all others, the gradient of a site has mean 0 and a covariance that is, on average, minus the second
    derivative of the log-pseudolikelihood.
    """
    out = np.zeros((len(c), len(c)))
    for part in seen.by_state:
        for entries, g in _of_sites(part, c):
            out[np.ix_(entries, entries)] += g @ g.T
    return out


def scatter(seen: Conditionals, c: np.ndarray) -> np.ndarray:
    """Sum over states of the outer products of whole gradients: the sites of a state are not independent."""
    total = np.zeros((len(c), seen.by_state[0].seen.shape[-1]))
    for part in seen.by_state:
        for entries, g in _of_sites(part, c):
            total[entries] += g
    return total @ total.T


def _of_sites(part: Part, c: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each site the entries that its fields read, and the gradient by them in each state."""
    assert isinstance(part.fields, Fields)
    H = part.fields.at(c)
    G = part.seen - part.normalizer(H)[1]
    order = [np.argsort(b.site, kind="stable") for b in part.fields.blocks]
    ends = [
        np.searchsorted(b.site[o], np.arange(G.shape[1] + 1))
        for b, o in zip(part.fields.blocks, order, strict=True)
    ]
    for site in range(G.shape[1]):
        rows, read = [], []
        for b, o, e in zip(part.fields.blocks, order, ends, strict=True):
            mine = o[e[site] : e[site + 1]]
            rows.append(G[b.r, site] * b.B[b.other[mine]])
            read.append(b.entry[mine])
        g, at = np.concatenate(rows), np.concatenate(read)
        entries, which = np.unique(at, return_inverse=True)
        if len(entries) < len(at):
            joined = np.zeros((len(entries), g.shape[1]))
            np.add.at(joined, which, g)
            g, at = joined, entries
        yield at, g

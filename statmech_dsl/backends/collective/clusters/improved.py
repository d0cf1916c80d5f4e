"""What clusters tell of the state: averages over all the ways in which they could be reflected.

A site has an odd part d, which a reflection turns around, scaled so that the mean of d_i d_j over
reflections is the scalar product of the sites' vectors. Of two sites in different clusters the product averages
to 0, as each keeps its sign as often as not; in one cluster, or both tied to the ghost, it is the same in all
of these states.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statmech_dsl.ir.clusters import GHOST

# ---- in generated kernels: sums[r] has m^2, then the correlations ------------------------------------------

ROOM = """
    total, odds = np.empty(n_sites), np.empty(n_sites)"""
"""Of all clusters; `OF_ONE` has one total."""
HOLD = """for h in range(len({held})):
    marked[{held}[h]] = 1"""
OF_ALL = """ghost = 0.0
for i in range(n_sites):
    total[i] = 0.0
for i in range(n_sites):
{odd}
    odds[i] = odd
    if marked[label[i]]:
        ghost += odd
    else:
        total[label[i]] += odd
squares = ghost * ghost
for i in range(n_sites):
    squares += total[i] * total[i]
sums[r, 0] += squares / (n_sites * n_sites)"""
CORRELATE = """for a in range(len({forward})):
    for i in range(n_sites):
        j = i
        for d in range(1, sums.shape[1]):
            if label[i] == label[j] or (marked[label[i]] and marked[label[j]]):
                sums[r, d] += odds[i] * odds[j] / {forward}.size
            j = np.int64({forward}[a, j])"""
OF_ONE = """total = 0.0
for f in range(tail):
    i = label[f]
{odd}
    total += odd
sums[r, 0] += total * total / tail * (n_sites + 1) / (n_sites * n_sites) * {share}"""

# ---- the definition -----------------------------------------------------------------------------------------


def of_all(
    odd: list[float], label: Sequence[int], forward: np.ndarray | None, width: int
) -> np.ndarray:
    """m^2, then the correlations at distances 0, 1, 2 ... along the axes, from all clusters."""
    n = len(odd)
    total = np.zeros(n + 1)  # the last one is that of the ghost, whose label is -1
    for site, d in enumerate(odd):
        total[label[site]] += d
    out = np.zeros(width)
    out[0] = (total**2).sum() / n**2
    if forward is not None:
        for step in forward:
            for i in range(n):
                j = i
                for distance in range(1, width):
                    if label[i] == label[j]:
                        out[distance] += odd[i] * odd[j] / forward.size
                    j = int(step[j])
    return out


def of_one(odd: list[float], label: Sequence[int], seed: int) -> float:
    """m^2 from the cluster of one site, picked among all sites and the ghost."""
    assert GHOST not in label[:-1]
    n = len(odd)
    cluster = [d for site, d in enumerate(odd) if label[site] == label[seed]]
    return sum(cluster) ** 2 / len(cluster) * (n + 1) / n**2

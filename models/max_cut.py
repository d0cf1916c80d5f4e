"""The maximum cut of a graph."""

from __future__ import annotations

import numpy as np

import statmech_dsl as sm


def max_cut(
    graph: str | sm.lattices.Lattice | None = None,
    weights: np.typing.ArrayLike = 1.0,
    N: int = 100,
    degree: int = 3,
    seed: int = 0,
) -> sm.Model:
    """Return the maximum-cut problem: part the sites of a graph in two, s_i = -1 or +1.

    Hamiltonian, minus the weight of the cut, each bond counted once::

        E = -sum_<ij> w_ij (1 - s_i s_j) / 2

    Its ground states are the maximum cuts: `sm.anneal` looks for them.

    Parameters
    ----------
    graph : str or Lattice, optional
        A rudy or G-set file, which has weights of its own, or any graph; a random one unless given.
    weights : array_like
        Weights w, one for each bond or one for all.
    N, degree, seed : int
        Sites, bonds of each site, and seed of the random graph.

    Returns
    -------
    Model
        Sides ``s``; observable ``cut``, the weight of the cut.

    References
    ----------
    F. Barahona, M. Groetschel, M. Juenger and G. Reinelt, Oper. Res. 36, 493 (1988).

    Examples
    --------
    The sides of a bipartite graph, such as a square lattice, cut all of its bonds:

    >>> float(sm.exact(max_cut(sm.lattices.square(4))).min_energy)
    -32.0
    """
    if isinstance(graph, str):
        graph, weights = sm.read_gset(graph)
    sites = graph if graph is not None else sm.lattices.random_regular(N, degree, seed)
    i, j = sites.bonds
    w = np.asarray(weights)
    with sm.Model() as model:
        s = sm.Spin("s", sites)
        sm.Energy("cut_energy", -w * (1 - s[i] * s[j]) / 2)
        sm.Observable("cut", (w * (1 - s[i] * s[j]) / 2).sum())
    return model

"""Graphs by name, at random and from networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices.graph import Graph, from_edges
from statmech_dsl.lang.lattices.lattice import check_integer

if TYPE_CHECKING:
    import networkx as nx


def complete(N: int) -> Graph:
    """Join every pair of N sites, as in mean-field models and the Sherrington-Kirkpatrick glass.

    Examples
    --------
    >>> complete(5).n_links
    10
    """
    N = check_integer(N, 1, what="N", where="complete")
    return from_edges(np.stack(np.triu_indices(N, 1), axis=1), N, name="complete")


def bipartite(n: int, m: int) -> Graph:
    """Join each of the sites 0 .. n-1 to each of the sites n .. n+m-1, as in a Boltzmann machine.

    Bond ``k * m + l`` joins the sites k and n + l, so that an (n, m) matrix W of couplings is
    ``W.ravel()``.

    Examples
    --------
    >>> bipartite(1, 3).bonds
    (array([0, 0, 0]), array([1, 2, 3]))
    """
    n = check_integer(n, 1, what="n", where="bipartite")
    m = check_integer(m, 1, what="m", where="bipartite")
    ends = np.indices((n, m)).reshape(2, -1).T + np.array([0, n])
    return from_edges(ends, n + m, name="bipartite")


def random_regular(N: int, d: int, seed: int) -> Graph:
    """Draw a graph in which each of N sites has d bonds to other sites, none of them double.

    Raises
    ------
    LatticeError
        If N d is odd or d >= N: no such graph exists.

    Examples
    --------
    >>> random_regular(10, 3, seed=1)
    <random_regular graph, 10 sites, 15 bonds>
    """
    import networkx as nx

    N = check_integer(N, 1, what="N", where="random_regular")
    d = check_integer(d, 0, what="d", where="random_regular")
    seed = check_integer(seed, 0, what="seed", where="random_regular")
    if N * d % 2 or d >= N:
        raise LatticeError(
            "no graph has this many sites of this degree",
            where=f"random_regular, {N=}, {d=}",
            mend="choose N * d even and d < N",
        )
    return _sorted(nx.random_regular_graph(d, N, seed), "random_regular")


def erdos_renyi(N: int, p: float, seed: int) -> Graph:
    """Join each pair of N sites with probability p, independently of the others.

    Raises
    ------
    LatticeError
        If p is not a probability.

    Examples
    --------
    >>> erdos_renyi(4, 1.0, seed=1)
    <erdos_renyi graph, 4 sites, 6 bonds>
    """
    import networkx as nx

    N = check_integer(N, 1, what="N", where="erdos_renyi")
    seed = check_integer(seed, 0, what="seed", where="erdos_renyi")
    if not 0 <= p <= 1:
        raise LatticeError(
            "p is not a probability", where=f"erdos_renyi, {p=}", mend="choose 0 <= p <= 1"
        )
    return _sorted(nx.fast_gnp_random_graph(N, p, seed), "erdos_renyi")


def from_networkx(graph: nx.Graph) -> Graph:
    """Take sites and bonds from an undirected networkx graph.

    Sites are numbered in the order of ``graph.nodes``; bonds keep the order of ``graph.edges``, so
    that ``[J for _, _, J in graph.edges(data="J")]`` lists edge attributes in step with them. Node
    attributes ``pos`` become `positions` if all nodes have one.

    Raises
    ------
    LatticeError
        If it is no undirected networkx graph, is empty, or has an edge from a node to itself.

    Examples
    --------
    >>> import networkx as nx
    >>> from_networkx(nx.petersen_graph())
    <networkx graph, 10 sites, 15 bonds>
    """
    import networkx as nx

    if not isinstance(graph, nx.Graph) or graph.is_directed():
        raise LatticeError(
            "this is not an undirected networkx graph",
            where=f"from_networkx, {type(graph).__name__}",
            mend="pass a networkx.Graph, such as directed_graph.to_undirected(), or use from_edges",
        )
    number = {node: n for n, node in enumerate(graph.nodes)}
    edges = [(number[a], number[b]) for a, b, *_ in graph.edges]
    places = nx.get_node_attributes(graph, "pos")
    positions = [places[node] for node in graph.nodes] if len(places) == len(number) > 0 else None
    return from_edges(edges, len(number), positions, name="networkx")


def _sorted(graph: nx.Graph, name: str) -> Graph:
    edges = np.sort(np.array(graph.edges, dtype=np.int64).reshape(-1, 2), axis=1)
    return from_edges(edges[np.lexsort(edges.T[::-1])], len(graph), name=name)

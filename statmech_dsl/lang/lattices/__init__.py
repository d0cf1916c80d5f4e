"""Where variables live: regular lattices, graphs, and the pairs and faces of their sites."""

from statmech_dsl.lang.lattices.building import from_cell
from statmech_dsl.lang.lattices.cells import Cell
from statmech_dsl.lang.lattices.crystal import Crystal
from statmech_dsl.lang.lattices.graph import Graph, from_edges
from statmech_dsl.lang.lattices.graphs import (
    bipartite,
    complete,
    erdos_renyi,
    from_networkx,
    random_regular,
)
from statmech_dsl.lang.lattices.lattice import Lattice
from statmech_dsl.lang.lattices.regular import (
    bcc,
    chain,
    cubic,
    fcc,
    honeycomb,
    hypercubic,
    kagome,
    named,
    rectangular,
    square,
    triangular,
)

__all__ = [
    "Cell",
    "Crystal",
    "Graph",
    "Lattice",
    "bcc",
    "bipartite",
    "chain",
    "complete",
    "cubic",
    "erdos_renyi",
    "fcc",
    "from_cell",
    "from_edges",
    "from_networkx",
    "honeycomb",
    "hypercubic",
    "kagome",
    "named",
    "random_regular",
    "rectangular",
    "square",
    "triangular",
]

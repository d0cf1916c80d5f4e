"""Ising models on planar graphs, with any couplings: log Z by free fermions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers import fermions
from statmech_dsl.solvers.cost import Cost
from statmech_dsl.solvers.couplings import Couplings, couplings
from statmech_dsl.solvers.factors import factorize
from statmech_dsl.solvers.order import MAX_BYTES
from statmech_dsl.solvers.series import ORDERS
from statmech_dsl.solvers.sweep import Operation, sweep
from statmech_dsl.solvers.system import SMALLER, System
from statmech_dsl.solvers.thermal import Thermal

MAX_LOST = 1e-6
"""Largest visible rounding error with which a result is given."""
KINDS = {"insert": fermions.INSERT, "bond": fermions.BOND, "sum": fermions.SUM}


@dataclass(frozen=True, eq=False)
class Planar:
    """Couplings, a ghost spin among them if there are fields, and the order in which sites are added."""

    couplings: Couplings
    operations: tuple[Operation, ...]
    width: int
    log_multiplicity: float

    @property
    def cost(self) -> Cost:
        """Each operation changes a matrix of the fermions that are there, in twice the digits."""
        live = np.cumsum([{"insert": 1, "bond": 0, "sum": -1}[o.kind] for o in self.operations])
        n = sum(
            2 * int(k) ** 2
            for o, k in zip(self.operations, live, strict=True)
            if o.kind != "insert"
        )
        return Cost(250 * n, 16 * ORDERS * (2 * self.width) ** 2)

    def thermal(self, beta: float) -> Thermal:
        """Sum over all free sites.

        Raises
        ------
        InfeasibleError
            Rounding errors have grown too large.
        """
        tempered, fixed = self._strengths
        log_Z, lost = fermions.log_partition(
            *self._program, beta * tempered + fixed, tempered, self.width
        )
        if not lost <= MAX_LOST:
            raise InfeasibleError(
                f"planar loses its digits at beta = {beta:.4g}: rounding errors grow to "
                f"{lost:.1e} of a factor of Z, and {MAX_LOST:.0e} is allowed",
                mend="use a higher T; frustrated bonds much stronger than T are the cause",
            )
        log_Z[0] += (
            self.log_multiplicity - beta * self.couplings.offset[0] - self.couplings.offset[1]
        )
        log_Z[1] -= self.couplings.offset[0]
        variance = max(2.0 * log_Z[2], 0.0)
        return Thermal(beta, float(log_Z[0]), float(-log_Z[1]), float(variance), float(lost))

    @cached_property
    def _program(self) -> tuple[np.ndarray, ...]:
        first, last = ([o.slots[k] for o in self.operations] for k in (0, -1))
        kinds = [KINDS[o.kind] for o in self.operations]
        seams = [o.seam for o in self.operations]
        return (
            *(np.array(x, dtype=np.int64) for x in (kinds, first, last)),
            np.array(seams, dtype=bool),
        )

    @cached_property
    def _strengths(self) -> np.ndarray:
        """Minus the coupling of each bond, tempered and fixed."""
        found = np.zeros((2, len(self.operations)))
        for k, o in enumerate(self.operations):
            if o.kind == "bond":
                i, j = sorted(o.sites)
                found[:, k] = -self.couplings.pairs[i, j]
        return found


def planar(system: System) -> Planar:
    """Find the planar graph of an Ising model, and an order of its sites.

    Z of the graph is a product over its 2-connected parts, as flipping all spins of a part changes nothing.

    Raises
    ------
    InfeasibleError
        There are terms other than couplings of pairs of two-valued sites, or the graph is not planar.
    ImproperDistributionError
        A term is NaN or minus infinity.
    """
    bare = couplings(factorize(system), len(system.levels))
    full = bare.with_ghost()
    graph = nx.Graph()
    graph.add_edges_from(sorted(full.pairs))
    operations: list[Operation] = []
    width, n_parts = 1, 0
    for part in sorted(map(sorted, nx.biconnected_components(graph))):
        is_planar, embedding = nx.check_planarity(graph.subgraph(part))
        if not is_planar:
            raise _not_planar(bare, len(part))
        found = sweep(embedding)
        operations += found.operations
        width, n_parts = max(width, found.width), n_parts + len(part)
    result = Planar(full, tuple(operations), width, np.log(2) * (bare.n_sites - n_parts))
    if result.cost.bytes > MAX_BYTES:
        raise InfeasibleError(f"planar needs {result.cost}", mend=SMALLER)
    return result


def _not_planar(bare: Couplings, size: int) -> InfeasibleError:
    ghost = ""
    if bare.fields:
        ghost = (
            f"; the fields of {len(bare.fields)} sites count as couplings to one more site, which all of "
            "these touch"
        )
    return InfeasibleError(
        f"planar needs couplings that can be drawn in a plane without crossings, and a part of {size} "
        f"sites cannot{ghost}",
        mend="leave out fields and periodic boundaries in two directions, or take a smaller system",
    )

"""The two ways to fill the lanes of a vector: with replicas, or with the sites of a color.

A layout says how to spell what depends on it; `printer` says what happens. Replicas as lanes work for any
program: the state is [chunk, row, lane] with a constant number of lanes. Sites as lanes serve one
replica at a time: blocks of up to `BLOCK` consecutive ranks of one color. Both give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.ir.kernel import Program, Role
from statmech_dsl.ir.model import Column

BLOCK = 256
"""Sites that are done together; tiles of random streams hold a whole number of them."""


@dataclass(frozen=True)
class ReplicaLanes:
    """Lane r is replica r of the chunk; the site i and its rank k are scalars."""

    lanes: int

    @property
    def width(self) -> int:
        """Length of the rows that hold one number for each lane."""
        return self.lanes

    @property
    def loop(self) -> str:
        """Loop over the lanes."""
        return f"for r in range({self.lanes}):"

    def own(self, names: Names, variable: str, component: int) -> str:
        """The present value of the site."""
        return (
            f"np.float64(X{names.states[variable][1:]}[{names.row(variable, 'i', component)}, r])"
        )

    def target(self, names: Names, variable: str, component: int) -> str:
        """Where the new value goes."""
        return f"X{names.states[variable][1:]}[{names.row(variable, 'i', component)}, r]"

    def replica_number(self, name: str) -> str:
        """A number of which each replica has its own."""
        return f"{name}[c, r]"

    def word(self, slot: int) -> str:
        """Random word ``slot`` of the site."""
        return f"W[{slot}, r]"

    def load(self, names: Names, column: Column, entry: str, tag: str) -> tuple[list[str], str]:
        """Lines before the loop, and the spelling of what a column reads for a lane."""
        index = "0" if column.index is None else f"{names.table(column.index)}[{entry}]"
        if column.kind == "coefficient":
            return [f"{tag} = {names.table(column.array)}[{index}]"], tag
        if column.kind == "sum":
            return [f"{tag} = {names.sums[column.array]}[{index}]"], f"{tag}[r]"
        row = names.row(column.array, index, column.component)
        return [f"{tag} = X{names.states[column.array][1:]}[{row}]"], f"np.float64({tag}[r])"

    def entry(self, d: str) -> str:
        """Where incidence d of the site stands in the table of a regular role."""
        return f"{d}, k"


@dataclass(frozen=True)
class SiteLanes:
    """Lane r is the site of rank k + r; there is one replica, c."""

    @property
    def width(self) -> int:
        """Length of the rows that hold one number for each lane."""
        return BLOCK

    @property
    def loop(self) -> str:
        """Loop over the lanes."""
        return "for r in range(m):"

    def own(self, names: Names, variable: str, component: int) -> str:
        """The present value of the site."""
        return f"np.float64({self.target(names, variable, component)})"

    def target(self, names: Names, variable: str, component: int) -> str:
        """Where the new value goes."""
        row = names.row(variable, "order[k + r]", component)
        return f"X{names.states[variable][1:]}[{row}]"

    def replica_number(self, name: str) -> str:
        """A number of which each replica has its own."""
        return f"{name}_c"

    def word(self, slot: int) -> str:
        """Random word ``slot`` of the site."""
        return f"W[{slot}, first + r]"

    def load(self, names: Names, column: Column, entry: str, tag: str) -> tuple[list[str], str]:
        """Lines before the loop, and the spelling of what a column reads for a lane."""
        if column.index is None:
            return [f"{tag} = {names.table(column.array)}[0]"], tag
        index = f"{names.table(column.index)}[{entry}]"
        if column.kind == "coefficient":
            return [], f"{names.table(column.array)}[{index}]"
        assert column.kind == "state", "running sums tie sites together: they need replica lanes"
        row = names.row(column.array, index, column.component)
        return [], f"np.float64(X{names.states[column.array][1:]}[{row}])"

    def entry(self, d: str) -> str:
        """Where incidence d of the site stands in the table of a regular role."""
        return f"{d}, k + r"


Layout = ReplicaLanes | SiteLanes


UNROLL = 16
"""Regular roles up to this degree are unrolled."""


def regular_bounds(names: Names, role: Role) -> str:
    """Range of the incidences in a regular role; a large degree is a size: no part of the source."""
    index = next((c.index for c in role.columns if c.index), None)
    if index is None or (role.degree or 0) <= UNROLL:
        return f"range({role.degree})"
    return f"range({names.table(index)}.shape[0])"


def irregular_bounds(names: Names, role: Role, layout: Layout) -> str:
    """Range of the incidences of a site in an irregular role."""
    pointer = names.table(role.pointer or "")
    k = "k + r" if isinstance(layout, SiteLanes) else "k"
    return f"range({pointer}[{k}], {pointer}[{k} + 1])"


def choose_layout(program: Program, segments: list[int], n_sites: int, n_replicas: int) -> Layout:
    """Sites as lanes for a few replicas with large colors; else 8 or 64 replicas.

    A function of the model and of the number of replicas only, and of no consequence for the bits.
    """
    tied = program.exclusive or bool(program.model.sums)
    if n_replicas < 8 and not tied and program.passes and n_sites >= 16 * sum(segments):
        return SiteLanes()
    padded = -(-n_replicas // 64) * 64
    return ReplicaLanes(64 if n_replicas >= 48 and padded <= 1.34 * n_replicas else 8)

"""The two ways to fill the lanes of a vector: with replicas, or with the sites of a color.

A layout says how to spell what depends on it; `printer` says what happens. Replicas as lanes work for any
program: the state is [chunk, row, lane] with a constant number of lanes. Sites as lanes serve one
replica at a time: blocks of up to `BLOCK` consecutive ranks of one color. Both give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.ir.kernel import Program, Role
from statmech_dsl.ir.ops import Real

BLOCK = 256
"""Sites that are done together; tiles of random streams hold a whole number of them."""


@dataclass(frozen=True)
class Load:
    """How something is read: lines before the loop over lanes, lines in a loop of their own, the spelling."""

    text: str
    before: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()


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

    def own(self, names: Names, array: str, variable: str, k: int) -> str:
        """The element of an array that belongs to number k of the visited values."""
        return f"{array}[{names.own_place(variable, ('i', 'j'), k)}, r]"

    def own_row(self, names: Names, array: str, variable: str, k: int) -> str | None:
        """The row of an array that belongs to it in all lanes, if there is one."""
        return f"{array}[{names.own_place(variable, ('i', 'j'), k)}]"

    def of_replica(self, name: str) -> str:
        """A number of which each replica has its own."""
        return f"{name}[c, r]"

    def word(self, slot: int) -> str:
        """Random word ``slot`` of the site."""
        return f"words[{slot * self.lanes} + r]"

    def coefficient(self, names: Names, array: str, index: str, tag: str, real: Real) -> Load:
        """Read a coefficient."""
        return Load(tag, (f"{tag} = {cast(f'{names.table(array)}[{index}]', 'float64', real)}",))

    def state(self, names: Names, array: str, kind: str, place: str, tag: str) -> Load:
        """Read the row of a state, or of a feature, whose type is ``kind``."""
        return Load(f"{tag}[r]", (f"{tag} = {array}[{place}]",))

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

    def own(self, names: Names, array: str, variable: str, k: int) -> str:
        """The element of an array that belongs to number k of the visited values."""
        return f"{array}[{names.own_place(variable, ('order[k + r]', 'partner[k + r]'), k)}]"

    def own_row(self, names: Names, array: str, variable: str, k: int) -> str | None:
        """The row of an array that belongs to it in all lanes: sites of a color are scattered."""
        return None

    def of_replica(self, name: str) -> str:
        """A number of which each replica has its own."""
        return f"{name}_c"

    def word(self, slot: int) -> str:
        """Random word ``slot`` of the site."""
        return f"W[{slot}, first + r]"

    def coefficient(self, names: Names, array: str, index: str, tag: str, real: Real) -> Load:
        """Read a coefficient."""
        value = f"{names.table(array)}[{index}]"
        if index == "0":
            return Load(tag, (f"{tag} = {cast(value, 'float64', real)}",))
        return self._gathered(names, value, real, tag)

    def state(self, names: Names, array: str, kind: str, place: str, tag: str) -> Load:
        """Read a state, or a feature, whose type is ``kind``."""
        return self._gathered(names, f"{array}[{place}]", kind, tag)

    def _gathered(self, names: Names, value: str, kind: str, tag: str) -> Load:
        """Values from here and there first go into a row: arithmetic on a row is vectorized.

        The row lies on the heap, lest LLVM collects the values by gather instructions: on many processors
        they take longer than plain loads.
        """
        row = f"{tag}_{kind}"
        names.heap[row] = kind
        return Load(f"{row}[r]", (), (f"{row}[r] = {value}",))

    def entry(self, d: str) -> str:
        """Where incidence d of the site stands in the table of a regular role."""
        return f"{d}, k + r"


Layout = ReplicaLanes | SiteLanes


def cast(text: str, kind: str, real: Real) -> str:
    """A number of type ``kind`` as a real one."""
    return text if kind == real else f"np.{real}({text})"


UNROLL = 16
"""Regular roles up to this degree are unrolled."""


def bounds(names: Names, role: Role, layout: Layout) -> tuple[str, str]:
    """Range of the incidences of a site; a large degree is a size: no part of the source."""
    if role.degree is not None:
        index = next((c.index for c in role.columns if c.index), None)
        if index is None or role.degree <= UNROLL:
            return "0", f"{role.degree}"
        return "0", f"{names.table(index)}.shape[0]"
    pointer = names.table(role.pointer or "")
    k = "k + r" if isinstance(layout, SiteLanes) else "k"
    return f"{pointer}[{k}]", f"{pointer}[{k} + 1]"


def choose_layout(program: Program, segments: list[int], n_sites: int, n_replicas: int) -> Layout:
    """Sites as lanes for a few replicas with large colors; else 8 or 64 replicas.

    A function of the model and of the number of replicas only, and of no consequence for the bits.
    """
    tied = program.exclusive or bool(program.model.sums)
    if n_replicas < 8 and not tied and program.passes and n_sites >= 16 * sum(segments):
        return SiteLanes()
    padded = -(-n_replicas // 64) * 64
    return ReplicaLanes(64 if n_replicas >= 48 and padded <= 1.34 * n_replicas else 8)

"""Names of a kernel's arguments: numbered by kind, so that its source holds nothing of the user's model."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.cupy_gpu.spell import C_TYPES
from statmech_dsl.backends.numba_cpu.features import Feature
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.ir.ops import Real


@dataclass(frozen=True)
class Table:
    """A device table: how it is made of a program's tables.

    ``copy``: table ``name``; ``row_of``: rows of all sites of variable ``of``; ``rows``: those of the sites in
    table ``name``; ``bases``: where 16
    of these follow each other; ``values``: coefficients ``of`` at the entries of table ``name``, or a scalar
    if that is empty; ``parts``, ``starts``: how the instances of family ``name`` are shared out, see `parts`;
    ``reach``: see `reach`, for pass number ``name`` and ``of`` values.
    """

    how: str
    name: str
    of: str = ""
    dtype: str = "uint32"


class Names:
    """Collects the tables and sizes that printed code reads, in order of first use.

    X0, X1, ... are states and Y0, Y1, ... features, [component][row][replica]; A0, A1, ... running sums,
    [element][replica]; T0, T1, ... tables; N0, N1, ... lengths of axes of tables.
    """

    def __init__(self, model: ModelIR, features: tuple[Feature, ...] = ()) -> None:
        self.model = model
        self.states = {v.name: f"X{k}" for k, v in enumerate(model.variables)}
        self.features = {f: f"Y{k}" for k, f in enumerate(features)}
        self.sums = {s.name: f"A{k}" for k, s in enumerate(model.sums)}
        self.tables: dict[Table, str] = {}
        self.sizes: dict[tuple[Table, int], str] = {}
        self._locals: dict[tuple[str, str], str] = {}

    def table(self, t: Table) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(t, f"T{len(self.tables)}")

    def size(self, t: Table, axis: int = -1) -> str:
        """Argument that holds the length of an axis of a table, which need not be an argument itself."""
        return self.sizes.setdefault((t, axis), f"N{len(self.sizes)}")

    def copy(self, name: str) -> str:
        """Argument that holds a table of the program as it is."""
        return self.table(Table("copy", name))

    def scalar(self, name: str, real: Real = "float64") -> str:
        """Element 0 of a coefficient."""
        return f"{self.table(Table('values', '', name, real))}[0]"

    def local(self, name: str, where: str) -> str:
        """Identifier of a name bound in the body of a pass."""
        return self._locals.setdefault((name, where), f"v{len(self._locals)}")

    def components(self, variable: str) -> int:
        """Rows of a site."""
        return self.model.variable(variable).domain.components

    def element(self, array: str, variable: str, component: int, row: str, r: str = "r") -> str:
        """A state or feature of a replica in a row."""
        shift = f"{component} * (u64)S{self.states[variable][1:]} + " if component else ""
        return f"{array}[({shift}(u64){row}) * R + {r}]"

    def storage(self, variable: str) -> str:
        """Type in which a variable is stored."""
        return C_TYPES[self.model.variable(variable).domain.storage_dtype]

    def parameters(self) -> list[str]:
        """States, numbers of sites, features, running sums, tables and sizes, as parameters."""
        states = [f"{self.storage(v)}* {x}" for v, x in self.states.items()]
        sites = [f"const u32 S{x[1:]}" for x in self.states.values()]
        features = [f"{C_TYPES[f.stored]}* {y}" for f, y in self.features.items()]
        sums = [f"double* {a}" for a in self.sums.values()]
        tables = [f"const {C_TYPES[t.dtype]}* __restrict__ {x}" for t, x in self.tables.items()]
        sizes = [f"const u32 {n}" for n in self.sizes.values()]
        return [*states, *sites, *features, *sums, *tables, *sizes]

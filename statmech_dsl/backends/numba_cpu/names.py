"""Names in generated source: numbered by kind, so that the source holds nothing of the user's model."""

from __future__ import annotations

from copy import copy

from statmech_dsl.backends.numba_cpu.features import Feature
from statmech_dsl.ir.model import ModelIR, Tables


class Names:
    """Maps the arrays of a program to the arguments of a kernel, in order of first use.

    ``tables`` collects the coefficient and index arrays that the printed code reads, ``rows`` the rows of
    one number for each lane, with their types, and ``heap`` those that do not lie on the stack; ``singles``
    names the numbers of a replica in float32. S0, S1, ... are the states of all chunks, X0, X1, ... those of
    one; F0, F1, ... and Y0, Y1, ... the features.
    """

    def __init__(self, model: ModelIR, tables: Tables, features: tuple[Feature, ...] = ()) -> None:
        self.model, self.arrays = model, tables
        self.states = {v.name: f"S{k}" for k, v in enumerate(model.variables)}
        self.features = {f: f"Y{k}" for k, f in enumerate(features)}
        self.sums = {s.name: f"A{k}" for k, s in enumerate(model.sums)}
        self.tables: dict[str, str] = {}
        self.rows: dict[str, str] = {}
        self.heap: dict[str, str] = {}
        self.singles: dict[str, str] = {}
        self._locals: dict[tuple[str, int, str], str] = {}
        self._kinds = {self.state(v.name): v.domain.storage_dtype for v in model.variables}
        self._kinds |= {y: f.stored for f, y in self.features.items()}

    def without_rows(self) -> Names:
        """The same names for another function, which has rows of its own."""
        other = copy(self)
        other.rows = {}
        return other

    def table(self, name: str) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(name, f"T{len(self.tables)}")

    def local(self, name: str, number: int, real: str) -> str:
        """Identifier of a name bound in the body of a pass: a row in one may be a number in another."""
        return self._locals.setdefault((name, number, real), f"v{len(self._locals)}")

    def row(self, identifier: str, kind: str) -> str:
        """A row of one number for each lane."""
        assert self.rows.setdefault(identifier, kind) == kind, f"{identifier} has two types"
        return identifier

    def single(self, name: str, is_row: bool) -> str:
        """A number of the replica in float32: a row of the lanes, or one number."""
        single = self.singles.setdefault(name, f"single_{name}")
        return f"{self.row(single, 'float32')}[r]" if is_row else single

    def state(self, variable: str) -> str:
        """State of a variable in the present chunk."""
        return f"X{self.states[variable][1:]}"

    def kind(self, array: str) -> str:
        """Type of a state or feature."""
        return self._kinds[array]

    def components(self, variable: str) -> int:
        """Rows of a site."""
        return self.model.variable(variable).domain.components

    def place(self, variable: str, site: str, component: int) -> str:
        """Where a site's component stands."""
        n = self.components(variable)
        return site if n == 1 else f"{n} * {site} + {component}"

    def own_place(self, variable: str, sites: tuple[str, str], k: int) -> str:
        """Where number k of the visited values stands; those of the second site of a bond follow."""
        end, component = divmod(k, self.components(variable))
        return self.place(variable, sites[end], component)

    def storage(self, variable: str) -> str:
        """Type in which a variable is stored."""
        return self._kinds[self.state(variable)]

    def store(self, array: str, value: str) -> str:
        """A value in the type of a state or feature."""
        kind = self._kinds[array]
        return f"np.{kind}(np.int32({value}))" if kind.startswith("int") else value

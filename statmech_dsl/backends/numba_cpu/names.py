"""Names in generated source: numbered by kind, so that the source holds nothing of the user's model."""

from __future__ import annotations

from statmech_dsl.ir.model import ModelIR, Tables


class Names:
    """Maps the arrays of a program to the arguments of a kernel, in order of first use.

    ``tables`` collects the coefficient and index arrays that the printed code reads.
    """

    def __init__(self, model: ModelIR, tables: Tables) -> None:
        self.model, self.arrays = model, tables
        self.states = {v.name: f"S{k}" for k, v in enumerate(model.variables)}
        self.sums = {s.name: f"A{k}" for k, s in enumerate(model.sums)}
        self.tables: dict[str, str] = {}
        self._locals: dict[tuple[str, int], str] = {}

    def table(self, name: str) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(name, f"T{len(self.tables)}")

    def local(self, name: str, number: int) -> str:
        """Identifier of a name bound in the body of a pass: a row in one may be a number in another."""
        return self._locals.setdefault((name, number), f"v{len(self._locals)}")

    def components(self, variable: str) -> int:
        """Rows of a site."""
        return self.model.variable(variable).domain.components

    def row(self, variable: str, site: str, component: int) -> str:
        """Row of a site's component."""
        n = self.components(variable)
        return site if n == 1 else f"{n} * {site} + {component}"

    def store(self, variable: str, value: str) -> str:
        """A value in the storage type."""
        kind = self.model.variable(variable).domain.storage_dtype
        return value if kind == "float64" else f"np.{kind}(np.int32({value}))"

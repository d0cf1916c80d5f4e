"""Prints what a cluster move reads of a site, in CUDA C: its value, its image, its odd part."""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.spell import Leaf, Lines, Shared, spell
from statmech_dsl.ir.clusters import Clusters, axis_lets
from statmech_dsl.ir.draws import Let
from statmech_dsl.ir.expr import Expr, reads_of
from statmech_dsl.ir.model import ModelIR


class SitePrinter:
    """Prints for replica r of R; values lie in rows, the labels of sites in the order of sites.

    Bound around it are the arrays of `source.FIRST`.
    """

    def __init__(self, move: Clusters, model: ModelIR) -> None:
        self.move, self.names = move, Names(model)
        self.variable = model.variable(move.variable)
        values = self.variable.domain.values or (0.0,)
        self.components, self.n_values = self.variable.domain.components, len(values)
        self.lowest, self.width = int(values[0]), int(values[-1] - values[0]) + 1
        self.n_numbers = sum(r.size or 1 for r in move.reports)
        self.axes = self._axes()

    def _axes(self) -> tuple[str, ...]:
        """What sites read of the axis of a reflection."""
        found = self.move.reflection
        if found is None:
            return ()
        read = set().union(
            *map(reads_of, (*(q.expr for q in found.image), *found.value, found.odd))
        )
        return tuple(q.name for q in axis_lets(found)[0] if q.name in read)

    # ---- where things lie -------------------------------------------------------------------------

    @property
    def n_sites(self) -> str:
        """Number of sites, clamped ones among them."""
        return f"S{self.names.states[self.move.variable][1:]}"

    @property
    def row_of(self) -> str:
        """Table of the rows of all sites."""
        return self.names.table(Table("row_of", "", self.move.variable))

    def rows(self, sites: str) -> str:
        """Table of the rows of the sites in a table."""
        return self.names.table(Table("rows", sites, self.move.variable))

    def value(self, row: str, k: int = 0) -> str:
        """Component k of the value in a row."""
        v = self.move.variable
        return self.names.element(self.names.states[v], v, k, row)

    def code(self, row: str) -> str:
        """The discrete value in a row as a place in tables."""
        return f"({self.value(row)} - {self.lowest})"

    # ---- reflections of discrete values -------------------------------------------------------------

    @property
    def n_mirrors(self) -> str:
        """Number of rows of mirrors."""
        return self.names.size(Table("copy", self.move.mirrors or "", dtype="int16"), 0)

    def mirrored(self, row: str) -> str:
        """The image of the value in a row."""
        mirrors = self.names.table(Table("copy", self.move.mirrors or "", dtype="int16"))
        return f"{mirrors}[which[r] * {self.width} + {self.code(row)}]"

    def picked(self, row: str) -> str:
        """Where the rows of mirrors are listed that the seed of a cluster may pick from, after their number."""
        picks = self.names.copy(self.move.picks or "")
        return f"({picks} + {self.code(row)} * ({self.n_mirrors} + 1))"

    # ---- reflections of all values --------------------------------------------------------------------

    def reflected(self, row: str, slots: tuple[str, ...] = ()) -> tuple[Lines, Leaf]:
        """Lines that bind the value in a row and its image, and how names and ``slots`` are printed."""
        n = range(self.components)
        known = {f"{x}.{k}": f"{x}{k}" for x in ("old", "new") for k in n} | {"beta": "beta[r]"}
        lines = [f"const double old{k} = (double){self.value(row, k)};" for k in n]
        if self.move.reflection is None:
            return [*lines, f"const double new0 = (double){self.mirrored(row)};"], leaf(
                known, slots
            )
        known |= {name: f"axis[{k} * (u64)R + r]" for k, name in enumerate(self.axes)}
        image = self.move.reflection.image
        value = (Let(f"new.{k}", e) for k, e in enumerate(self.move.reflection.value))
        lines += bind((*image, *value), known, "image")
        return lines, leaf(known, slots)

    def odd(self, row: str) -> Lines:
        """Lines that bind what changes its sign in a row."""
        if self.move.odd is not None:
            odd = self.names.table(Table("copy", self.move.odd, dtype="float64"))
            return [f"const double odd = {odd}[which[r] * {self.width} + {self.code(row)}];"]
        assert self.move.reflection is not None
        lines, known = self.reflected(row)
        shared = Shared("z")
        value = spell(self.move.reflection.odd, known, shared)
        return [*lines, *shared.take(), f"const double odd = {value};"]


def bind(lets: tuple[Let, ...], known: dict[str, str], local: str) -> Lines:
    """Lines that bind names to ``local`` variables, which become known."""
    lines: Lines = []
    shared = Shared(f"{local}_x")
    for k, q in enumerate(lets):
        value = spell(q.expr, leaf(known), shared)
        known[q.name] = f"{local}{k}"
        lines += [*shared.take(), f"const double {local}{k} = {value};"]
    return lines


def leaf(known: dict[str, str], slots: tuple[str, ...] = ()) -> Leaf:
    """Print names and slots by what they are called."""

    def printed(e: Expr) -> str | None:
        if e.op == "slot":
            return slots[e.attr]  # type: ignore[index]
        return known[e.attr] if e.op == "read" else None  # type: ignore[index]

    return printed

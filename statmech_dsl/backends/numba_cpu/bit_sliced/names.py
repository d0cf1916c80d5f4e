"""Names in generated bit-sliced modules, and how the bits of terms are read into rows."""

from __future__ import annotations

from collections.abc import Iterable

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines
from statmech_dsl.backends.numba_cpu.body import indent
from statmech_dsl.ir.bits import BitTerm


class Names:
    """States ``x0``, ``x1``, ... are flat arrays of rows of ``words`` words; tables are numbered by use."""

    def __init__(self, variables: Iterable[str], words: int) -> None:
        self.states = {name: f"x{k}" for k, name in enumerate(variables)}
        self.words = words
        self.tables: dict[str, str] = {}

    def table(self, name: str) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(name, f"T{len(self.tables)}")

    def read(
        self, term: BitTerm, row: str, first: str, ranks: int, at: str, group: str, S: str = "S"
    ) -> Lines:
        """Lines that put the bits of a term at some ranks into the array S, from ``at`` on.

        ``row`` is a prefix of the tables' index, ``first`` the first rank and ``group`` the number of its
        group of ranks. Rows of states that follow each other are read as vectors.
        """
        columns, words = term.columns, self.words
        follow = self.table(f"{columns[0].index}.runs")
        starts = [
            f"s{q} = np.int64({self.table(c.index)}[{row}{{}}]) * {words}"
            for q, c in enumerate(columns)
        ]
        parts = [f"{self.states[c.variable]}[s{q} + {{}}]" for q, c in enumerate(columns)]
        bit = " ^ ".join("(" + " & ".join(parts[q] for q in m) + ")" for m in term.monomials)
        n = sum(len(m) for m in term.monomials)
        run, one = bit.format(*["w"] * n), bit.format(*["v"] * n)
        if isinstance(term.flip, str):
            flip = self.table(term.flip)
            run += f" ^ {flip}[{row}({first}) * {words} + w]"
            one += f" ^ {flip}[{row}({first} + j) * {words} + v]"
        return [
            f"if {follow}[{row}{group}]:",
            *indent(s.format(first) for s in starts),
            f"    for w in range({ranks * words}): {S}[{at} + w] = {run}",
            "else:",
            f"    for j in range({ranks}):",
            *indent([s.format(f"{first} + j") for s in starts], 2),
            f"        for v in range({words}): {S}[{at} + j * {words} + v] = {one}",
        ]

    def spread(self, word: str, ranks: int, at: str) -> Lines:
        """Lines that give all words of rank j the same word."""
        return [
            f"for j in range({ranks}):",
            f"    f = {word}",
            f"    for v in range({self.words}): S[{at} + j * {self.words} + v] = f",
        ]

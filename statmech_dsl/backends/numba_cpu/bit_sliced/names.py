"""Names in generated bit-sliced modules, and how the bits of terms are read into rows."""

from __future__ import annotations

from collections.abc import Iterable

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines
from statmech_dsl.ir.bits import BitTerm


class Names:
    """States ``x0``, ``x1``, ... are flat arrays of rows of ``words`` words; tables are numbered by use.

    ``functions`` are those of words that the kernel calls; see `vectors`.
    """

    def __init__(self, variables: Iterable[str], words: int) -> None:
        self.states = {name: f"x{k}" for k, name in enumerate(variables)}
        self.words = words
        self.tables: dict[str, str] = {}
        self.functions: Lines = []
        self._reads = 0

    def table(self, name: str) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(name, f"T{len(self.tables)}")

    def read(self, term: BitTerm, row: str, first: str, ranks: int, at: str, group: str) -> Lines:
        """Lines that put the bits of a term at some ranks into the array S, from ``at`` on.

        ``row`` is a prefix of the tables' index, ``first`` the first rank and ``group`` the number of its
        group of ranks. Rows of states that follow each other are read as one vector.
        """
        columns, words, number = term.columns, self.words, self._reads
        parts = [f"x{q}: Rows" for q in range(len(columns))]
        bit = " ^ ".join("(" + " & ".join(f"x{q}[0]" for q in m) + ")" for m in term.monomials)
        places = [
            f"{self.states[c.variable]}, {self.table(c.index)}[{row}{{0}}] * {words}"
            for c in columns
        ]
        if isinstance(term.flip, str):
            flip = self.table(term.flip)
            parts.append("flip: Rows")
            bit += " ^ flip[0]"
            places.append(f"{flip}[{row}:], ({{0}}) * {words}")
        self._reads += 1
        self.functions += [
            "@vectors",
            f"def read{number}(S: Rows, {', '.join(parts)}):",
            f"    S[0] = {bit}",
        ]
        rest = ", ".join(places)
        follow = self.table(f"{columns[0].index}.runs")
        return [
            f"if {follow}[{row}{group}]:",
            f"    read{number}({ranks * words}, S, {at}, {rest.format(first)})",
            "else:",
            f"    for j in range({ranks}):",
            f"        read{number}({words}, S, {at} + j * {words}, {rest.format(f'{first} + j')})",
        ]

    def spread(self, word: str, ranks: int, at: str) -> Lines:
        """Lines that give all words of rank j the same word."""
        return [
            f"for j in range({ranks}):",
            f"    f = {word}",
            f"    for v in range({self.words}): S[{at} + j * {self.words} + v] = f",
        ]

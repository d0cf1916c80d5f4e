"""Print the kernel that counts the set bits of sums of terms, in all lanes at once.

Where words hold replicas, bits are added up by carry-save adders as they stand in the words, so that a
term of 64 replicas costs a few operations. Under a fold the set bits of each word are counted.
"""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import Lines, count
from statmech_dsl.backends.numba_cpu.bit_sliced.sweep_source import HEADER
from statmech_dsl.backends.numba_cpu.printer import indent
from statmech_dsl.ir.bits import BitSum
from statmech_dsl.ir.kernel import Program

ROWS, RANKS = 15, 8
"""Terms of a block: 15 rows are what four digits count, and 8 side by side fill vectors."""


class SumsPrinter:
    """Prints the kernel for some sums; ``tables`` maps arrays to arguments."""

    def __init__(self, program: Program, folded: bool, words: int) -> None:
        self.folded, self.words = folded, words
        self.states = {v.name: f"x{k}" for k, v in enumerate(program.model.variables)}
        self.tables: dict[str, str] = {}

    def table(self, name: str) -> str:
        """Argument that holds a table."""
        return self.tables.setdefault(name, f"T{len(self.tables)}")

    def source(self, sums: tuple[BitSum, ...]) -> str:
        """The kernel that fills out[chunk, sum, lane] for the chunks c0 <= c < c1."""
        one = self._folded if self.folded else self._replicas
        body = [line for k, s in enumerate(sums) if s.term.columns for line in one(k, s)]
        states = [f"X{x[1:]}" for x in self.states.values()]
        text = [
            '@njit(nogil=True, error_model="numpy", cache=True)',
            f"def kernel({', '.join(['c0', 'c1', 'out', 'lanes', 'planes', *states, *self.tables.values()])}):",
            "    for c in range(c0, c1):",
            *indent([f"{x} = X{x[1:]}[c]" for x in self.states.values()], 2),
            *indent(body or ["pass"], 2),
        ]
        return HEADER + "\n".join(text) + "\n"

    def _bit(self, s: BitSum, m: str, word: str) -> tuple[Lines, str]:
        sites = [
            f"g{q} = {self.states[c.variable]}[{self.table(c.index)}[{m}]]"
            for q, c in enumerate(s.term.columns)
        ]
        products = [" & ".join(f"g{q}[{word}]" for q in m) for m in s.term.monomials]
        bit = " ^ ".join(f"({x})" for x in products)
        if isinstance(s.term.flip, str):
            bit += f" ^ {self.table(s.term.flip)}[{m}]"
        return sites, bit

    def _folded(self, k: int, s: BitSum) -> Lines:
        sites, bit = self._bit(s, "m", "0")
        first = self.table(s.term.columns[0].index)
        return [
            "total = 0",
            f"for m in range({first}.shape[0]):",
            *indent([*sites, f"total += np.int64(set_bits(({bit}) & lanes))"]),
            f"out[c, {k}, 0] = total",
        ]

    def _replicas(self, k: int, s: BitSum) -> Lines:
        width = RANKS * self.words
        sites, bit = self._bit(s, f"m + i * {RANKS} + j", "v")
        first = self.table(s.term.columns[0].index)
        adders, digits = count([(0, f"a{i}") for i in range(ROWS)])
        return [
            f"S = np.zeros(({ROWS} + {len(digits)} + planes + 1) * {width}, np.uint64)",
            f"for m in range(0, {first}.shape[0], {ROWS * RANKS}):",
            f"    for i in range({ROWS}):",
            f"        for j in range({RANKS}):",
            *indent(sites, 3),
            f"            at = i * {width} + j * {self.words}",
            f"            for v in range({self.words}): S[at + v] = {bit}",
            f"    for w in range({width}):",
            *indent([f"a{i} = S[{i * width} + w]" for i in range(ROWS)], 2),
            *indent(adders, 2),
            *indent([f"S[{(ROWS + q) * width} + w] = {d}" for q, d in enumerate(digits)], 2),
            f"    add_digits(S, {ROWS * width}, {len(digits)}, planes, {width})",
            f"tally(S, {(ROWS + len(digits)) * width}, planes, {width}, {self.words}, out[c, {k}])",
        ]

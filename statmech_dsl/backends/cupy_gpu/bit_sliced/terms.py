"""What a bit-sliced pass or sum reads at each rank, and the bits that it makes of it, as arrays and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from statmech_dsl.ir.bits import BitPass, BitTerm
from statmech_dsl.ir.model import Tables


@dataclass(frozen=True, eq=False)
class Column:
    """Sites (words, under a fold) of a variable that ranks read, and by how many lanes they are rotated."""

    variable: str
    index: np.ndarray
    turn: np.ndarray | None


@dataclass(eq=False)
class Terms:
    """Columns v0, v1, ... and fixed words f0, f1, ... of all ranks, and weighted bits made of them.

    Fixed words are the signs of terms and the digits of offsets, as they stand in the program's tables.
    """

    columns: list[Column] = field(default_factory=list)
    fixed: list[np.ndarray] = field(default_factory=list)
    bits: list[tuple[int, str]] = field(default_factory=list)

    def add(self, term: BitTerm, weight: int, tables: Tables, d: int | None = None) -> None:
        """Add incidence d of a term, or all incidences in one flat list."""

        def at(name: str) -> np.ndarray:
            return tables[name].reshape(-1) if d is None else tables[name][d]

        first = len(self.columns)
        for c in term.columns:
            self.columns.append(Column(c.variable, at(c.index), at(c.turn) if c.turn else None))
        bit = " ^ ".join("(" + " & ".join(f"v{first + q}" for q in m) + ")" for m in term.monomials)
        if isinstance(term.flip, str):
            bit += f" ^ {self._fix(at(term.flip))}"
        self.bits.append((weight, f"~({bit})" if term.flip is True else bit))

    def add_digit(self, q: int, digit: np.ndarray) -> None:
        """Add a binary digit of an offset."""
        self.bits.append((1 << q, self._fix(digit)))

    def _fix(self, x: np.ndarray) -> str:
        self.fixed.append(x)
        return f"f{len(self.fixed) - 1}"


def terms_of_pass(form: BitPass, tables: Tables, fold: int | None) -> Terms:
    """What a pass reads."""
    found = Terms()
    for term in form.terms:
        for d in range(len(tables[term.columns[0].index])):
            found.add(term, term.weight, tables, d)
    if form.offset is not None:
        for q, digit in enumerate(_digits(tables[form.offset])):
            found.add_digit(q, digit if fold is None else _words(digit, fold))
    return found


def terms_of_sum(term: BitTerm, tables: Tables) -> Terms:
    """What a sum reads; terms that all have a negative sign are counted without it."""
    found = Terms()
    found.add(replace(term, flip=term.flip if isinstance(term.flip, str) else False), 1, tables)
    return found


def _digits(offset: np.ndarray) -> Iterator[np.ndarray]:
    for q in range(int(offset.max()).bit_length()):
        yield (offset >> np.uint8(q) & 1).astype(bool)


def _words(bit: np.ndarray, fold: int) -> np.ndarray:
    lanes = bit.reshape(-1, fold).astype(np.uint64) << np.arange(fold, dtype=np.uint64)
    return lanes.sum(axis=-1, dtype=np.uint64)

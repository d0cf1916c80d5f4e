"""What a bit-sliced pass or sum reads at each rank, and the bits that it makes of it, as arrays and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from statmech_dsl.ir.bits import BitKind, BitPass, BitTerm
from statmech_dsl.ir.model import Tables


@dataclass(frozen=True, eq=False)
class Column:
    """Sites (words, under a fold) of a variable that ranks read, and by how many lanes they are rotated."""

    variable: str
    index: np.ndarray
    turn: np.ndarray | None


@dataclass(frozen=True)
class Bit:
    """A bit as text, and the numbers of the columns and fixed words that it is made of."""

    text: str
    columns: tuple[int, ...]
    fixed: tuple[int, ...]


@dataclass(eq=False)
class Terms:
    """Columns v0, v1, ... and fixed words f0, f1, ... of all ranks, and the bits made of them.

    Fixed words are the signs of terms and the digits of offsets, as they stand in the program's tables.
    ``bits[t]`` are those of the incidences of term t, the last ones those of digits.
    """

    columns: list[Column] = field(default_factory=list)
    fixed: list[np.ndarray] = field(default_factory=list)
    bits: list[list[Bit]] = field(default_factory=list)

    def add(self, term: BitTerm, tables: Tables, d: int | None = None) -> None:
        """Add incidence d of the last term, or all incidences in one flat list."""

        def at(name: str) -> np.ndarray:
            return tables[name].reshape(-1) if d is None else tables[name][d]

        first = len(self.columns)
        for c in term.columns:
            self.columns.append(Column(c.variable, at(c.index), at(c.turn) if c.turn else None))
        text = " ^ ".join(
            "(" + " & ".join(f"v{first + q}" for q in m) + ")" for m in term.monomials
        )
        fixed = ()
        if isinstance(term.flip, str):
            fixed = (len(self.fixed),)
            text += f" ^ f{len(self.fixed)}"
            self.fixed.append(at(term.flip))
        columns = tuple(range(first, len(self.columns)))
        self.bits[-1].append(Bit(f"~({text})" if term.flip is True else text, columns, fixed))

    def add_digit(self, digit: np.ndarray) -> None:
        """Add a binary digit of an offset."""
        self.bits[-1].append(Bit(f"f{len(self.fixed)}", (), (len(self.fixed),)))
        self.fixed.append(digit)

    def of_kind(self, kind: BitKind) -> list[tuple[int, Bit]]:
        """Weights and bits of the ranks of a kind."""
        *terms, digits = self.bits
        found = [
            (weight, bit)
            for bits, degree, weight in zip(terms, kind.degrees, kind.weights, strict=True)
            for bit in bits[:degree]
        ]
        return found + [(1 << q, bit) for q, bit in enumerate(digits[: kind.digits])]


def terms_of_pass(form: BitPass, tables: Tables, fold: int | None) -> Terms:
    """What a pass reads."""
    found = Terms()
    for term in form.terms:
        found.bits.append([])
        for d in range(len(tables[term.columns[0].index])):
            found.add(term, tables, d)
    found.bits.append([])
    if form.offset is not None:
        for digit in _digits(tables[form.offset]):
            found.add_digit(digit if fold is None else _words(digit, fold))
    return found


def terms_of_sum(term: BitTerm, tables: Tables) -> Terms:
    """What a sum reads; terms that all have a negative sign are counted without it."""
    found = Terms(bits=[[]])
    found.add(replace(term, flip=term.flip if isinstance(term.flip, str) else False), tables)
    return found


def _digits(offset: np.ndarray) -> Iterator[np.ndarray]:
    for q in range(int(offset.max()).bit_length()):
        yield (offset >> np.uint8(q) & 1).astype(bool)


def _words(bit: np.ndarray, fold: int) -> np.ndarray:
    lanes = bit.reshape(-1, fold).astype(np.uint64) << np.arange(fold, dtype=np.uint64)
    return lanes.sum(axis=-1, dtype=np.uint64)

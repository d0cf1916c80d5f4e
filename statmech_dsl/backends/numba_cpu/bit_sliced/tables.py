"""The arrays of a bit-sliced kernel: the tables of its program in words, with halos, padded to whole blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced import sums_source
from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.ir.bits import BitColumn, Bits, BitTerm
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

ONES = np.uint64(2**64 - 1)


@dataclass(frozen=True, eq=False)
class Halo:
    """The rows of a variable: sites (words of them, under a fold), a row of zeros, and rotated copies.

    Site or word n lies in row ``row_of[n]``: words are sorted by rank, so that the neighbors of words that
    follow each other do so too. Copy k is row ``source[k]`` rotated by ``turn[k]``.
    """

    row_of: np.ndarray
    source: np.ndarray
    turn: np.ndarray

    @property
    def rows(self) -> int:
        """Rows of sites."""
        return len(self.row_of) - 1

    @property
    def size(self) -> int:
        """All rows."""
        return self.rows + 1 + len(self.source)

    def places(self, index: np.ndarray, turn: np.ndarray | None) -> np.ndarray:
        """Rows that hold sites, or words rotated by ``turn``."""
        row = self.row_of[index]
        if turn is None or not len(self.source):
            return row
        keys = self.turn.astype(np.int64) * self.rows + self.source
        wanted = turn.astype(np.int64) * self.rows + row
        found = self.rows + 1 + np.searchsorted(keys, wanted)
        return np.where(turn > 0, found, row).astype(np.uint32)


def halos(program: Program, bits: Bits, tables: Tables) -> dict[str, Halo]:
    """The halo of each variable."""
    fold = bits.fold or 1
    orders = {p.variable: tables[p.order] for p in program.passes}
    row_of = {v.name: _row_of(orders.get(v.name), v.n_sites, fold) for v in program.model.variables}
    keys: dict[str, list[np.ndarray]] = {v.name: [] for v in program.model.variables}
    for c in _columns(bits):
        if c.turn:
            index, turn = tables[c.index], tables[c.turn].astype(np.int64)
            rows = len(row_of[c.variable]) - 1
            keys[c.variable].append((turn * rows + row_of[c.variable][index])[turn > 0])
    out = {}
    for name, parts in keys.items():
        key = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))
        rows = len(row_of[name]) - 1
        source, turn = key % rows, key // rows
        out[name] = Halo(row_of[name], source.astype(np.uint32), turn.astype(np.uint32))
    return out


def _row_of(order: np.ndarray | None, n_sites: int, fold: int) -> np.ndarray:
    """Rows of sites (words) by number: those with a rank first, by rank."""
    rows = n_sites // fold
    ranked = np.zeros(0, np.uint32) if order is None else order[::fold] % np.uint32(rows)
    clamped = np.setdiff1d(np.arange(rows, dtype=np.uint32), ranked)
    row_of = np.empty(rows + 1, np.uint32)
    row_of[np.concatenate([ranked, clamped])] = np.arange(rows, dtype=np.uint32)
    row_of[rows] = rows
    return row_of


def runs(columns: list[np.ndarray], ranks: int) -> np.ndarray:
    """For each block of ranks, whether the rows of every column follow each other."""
    follow = [
        np.diff(c.reshape(*c.shape[:-1], -1, ranks).astype(np.int64), axis=-1) == 1 for c in columns
    ]
    return np.logical_and.reduce(follow).all(axis=-1)


def live(columns: list[np.ndarray], none: list[int], ranks: int) -> np.ndarray:
    """For each block of ranks, the number of incidences after which all read the row of zeros."""
    reads = np.logical_or.reduce([c != n for c, n in zip(columns, none, strict=True)])
    any_reads = reads.reshape(len(reads), -1, ranks).any(axis=-1)
    return np.where(any_reads.any(axis=0), len(reads) - np.argmax(any_reads[::-1], axis=0), 0)


def _columns(bits: Bits) -> list[BitColumn]:
    terms = [*(t for p in bits.passes for t in p.terms), *(s.term for s in bits.sums)]
    return [c for t in terms for c in t.columns]


def sweep_tables(
    program: Program, bits: Bits, tables: Tables, halo: dict[str, Halo], block: Block
) -> dict[str, np.ndarray]:
    """Colors, their runs and terms of every pass, by the names of the program's tables."""
    out: dict[str, np.ndarray] = {}
    fold, part = bits.fold or 1, block.ranks // block.halves
    for p, form in zip(program.passes, bits.passes, strict=True):
        out[p.segments] = tables[p.segments] // fold
        out[form.runs] = tables[form.runs] // (fold, 1)
        out[f"{form.runs}.colors"] = np.searchsorted(out[form.runs][:, 0], out[p.segments])
        for term in form.terms:
            columns = [_padded(_places(c, tables, halo), block.ranks) for c in term.columns]
            out |= _read(term, columns, part)
            none = [halo[c.variable].rows for c in term.columns]
            out[f"{term.columns[0].index}.live"] = live(columns, none, part)
            if isinstance(term.flip, str):
                flip = _padded(_words(tables[term.flip]), block.ranks)
                out[term.flip] = np.repeat(flip, block.words, axis=-1)
        if form.offset is not None:
            out[form.offset] = _padded(_digits(tables[form.offset], fold), block.ranks)
    return out


def _read(term: BitTerm, columns: list[np.ndarray], ranks: int) -> dict[str, np.ndarray]:
    """Tables that `Names.read` reads."""
    out = {c.index: x for c, x in zip(term.columns, columns, strict=True)}
    out[f"{term.columns[0].index}.runs"] = runs(columns, ranks)
    return out


def _places(c: BitColumn, tables: Tables, halo: dict[str, Halo]) -> np.ndarray:
    index = tables[c.index]
    return halo[c.variable].places(index, tables[c.turn] if c.turn else None)


def _padded(x: np.ndarray, ranks: int) -> np.ndarray:
    """Repeat the last rank until there is a whole number of blocks."""
    missing = -x.shape[-1] % ranks
    if not missing:
        return np.ascontiguousarray(x)
    return np.concatenate([x, np.repeat(x[..., -1:], missing, axis=-1)], axis=-1)


def _words(flip: np.ndarray) -> np.ndarray:
    """Signs as words: the same for all lanes where there is no fold."""
    return flip if flip.dtype == np.uint64 else flip * ONES


def _digits(offset: np.ndarray, fold: int) -> np.ndarray:
    """Binary digits of an offset, each for all lanes of a word."""
    n = int(offset.max()).bit_length()
    digits = offset[None] >> np.arange(n, dtype=np.uint8)[:, None] & 1
    if fold == 1:
        return digits.astype(np.uint64) * ONES
    lanes = digits.reshape(n, -1, fold).astype(np.uint64) << np.arange(fold, dtype=np.uint64)
    return lanes.sum(axis=-1, dtype=np.uint64)


def sum_tables(
    bits: Bits, tables: Tables, halo: dict[str, Halo], block: Block
) -> dict[str, np.ndarray]:
    """Terms of every sum as flat lists in the order of rows, padded with rows of zeros."""
    out: dict[str, np.ndarray] = {}
    folded = bits.fold is not None
    for s in bits.sums:
        if not s.term.columns:
            continue
        columns = [_places(c, tables, halo).reshape(-1) for c in s.term.columns]
        order = np.argsort(columns[0], kind="stable")
        missing = -len(order) % sums_source.multiple(folded)
        none = [np.full(missing, halo[c.variable].rows, np.uint32) for c in s.term.columns]
        lists = [np.concatenate([x[order], n]) for x, n in zip(columns, none, strict=True)]
        out |= _read(s.term, lists, sums_source.group(folded))
        if isinstance(s.term.flip, str):
            flip = _words(tables[s.term.flip]).reshape(-1)[order]
            flip = np.concatenate([flip, np.zeros(missing, np.uint64)])
            out[s.term.flip] = np.repeat(flip, block.words)
    return out

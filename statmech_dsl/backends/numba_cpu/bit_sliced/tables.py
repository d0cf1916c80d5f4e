"""The arrays of a bit-sliced kernel: the tables of its program in words, with halos, padded to whole blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced.layout import Block
from statmech_dsl.ir.bits import BitColumn, Bits, BitTerm
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

ONES = np.uint64(2**64 - 1)


@dataclass(frozen=True, eq=False)
class Halo:
    """Rows behind the sites: first the row of zeros, then copies of row ``source[k]`` rotated by ``turn[k]``."""

    rows: int
    source: np.ndarray
    turn: np.ndarray

    @property
    def size(self) -> int:
        """All rows."""
        return self.rows + 1 + len(self.source)

    def places(self, index: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """Rows that hold words ``index`` rotated by ``turn``."""
        keys = self.turn.astype(np.int64) * self.rows + self.source
        wanted = turn.astype(np.int64) * self.rows + index
        found = self.rows + 1 + np.searchsorted(keys, wanted)
        return np.where(turn > 0, found, index).astype(np.uint32)


def halos(program: Program, bits: Bits, tables: Tables) -> dict[str, Halo]:
    """The halo of each variable."""
    keys: dict[str, list[np.ndarray]] = {v.name: [] for v in program.model.variables}
    rows = {v.name: v.n_sites // (bits.fold or 1) for v in program.model.variables}
    for c in _columns(bits):
        if c.turn:
            index, turn = tables[c.index], tables[c.turn].astype(np.int64)
            keys[c.variable].append((turn * rows[c.variable] + index)[turn > 0])
    out = {}
    for name, parts in keys.items():
        key = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))
        source, turn = key % rows[name], key // rows[name]
        out[name] = Halo(rows[name], source.astype(np.uint32), turn.astype(np.uint32))
    return out


def _columns(bits: Bits) -> list[BitColumn]:
    terms = [*(t for p in bits.passes for t in p.terms), *(s.term for s in bits.sums)]
    return [c for t in terms for c in t.columns]


def sweep_tables(
    program: Program, bits: Bits, tables: Tables, halo: dict[str, Halo], block: Block
) -> dict[str, np.ndarray]:
    """Order, colors and terms of every pass, by the names of the program's tables."""
    out: dict[str, np.ndarray] = {}
    fold = bits.fold or 1
    for p, form in zip(program.passes, bits.passes, strict=True):
        rows = halo[p.variable].rows
        order = tables[p.order][::fold] % np.uint32(rows)
        out[p.order] = _padded(order, block.ranks)
        out[p.segments] = tables[p.segments] // fold
        for term in form.terms:
            for c in term.columns:
                index = _places(c, tables, halo)
                out[c.index] = _padded(index, block.ranks)
            if isinstance(term.flip, str):
                out[term.flip] = _padded(_words(tables[term.flip]), block.ranks)
        if form.offset is not None:
            out[form.offset] = _padded(_digits(tables[form.offset], fold), block.ranks)
    return out


def _places(c: BitColumn, tables: Tables, halo: dict[str, Halo]) -> np.ndarray:
    if not c.turn:
        return tables[c.index]
    return halo[c.variable].places(tables[c.index], tables[c.turn])


def _padded(x: np.ndarray, ranks: int) -> np.ndarray:
    """Repeat the last rank until there is a whole number of blocks."""
    missing = -x.shape[-1] % ranks
    if not missing:
        return np.ascontiguousarray(x)
    return np.concatenate([x, np.repeat(x[..., -1:], missing, axis=-1)], axis=-1)


def _words(flip: np.ndarray) -> np.ndarray:
    """Signs as words: one for all lanes where there is no fold."""
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
    bits: Bits, tables: Tables, halo: dict[str, Halo], multiple: int
) -> dict[str, np.ndarray]:
    """Terms of every sum as flat lists, padded with rows of zeros to a multiple of some number."""
    out: dict[str, np.ndarray] = {}
    for s in bits.sums:
        term: BitTerm = s.term
        for c in term.columns:
            index = _places(c, tables, halo).reshape(-1)
            missing = -len(index) % multiple
            none = np.full(missing, halo[c.variable].rows, np.uint32)
            out[c.index] = np.concatenate([index, none]) if missing else index
        if isinstance(term.flip, str):
            flip = _words(tables[term.flip]).reshape(-1)
            out[term.flip] = np.concatenate([flip, np.zeros(-len(flip) % multiple, np.uint64)])
    return out

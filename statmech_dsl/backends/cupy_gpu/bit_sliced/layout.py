"""Where states lie on a device: words of sites, or quads, which are bytes of replicas at four sites."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.numba_cpu.bit_sliced.tables import halos
from statmech_dsl.backends.numba_cpu.bit_sliced.words import Slots, bits_of, words_of
from statmech_dsl.ir.bits import Bits
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

GROUP = 32
"""Words of sites that neighboring threads visit, and rows among which k, k + 8, k + 16, k + 24 are quads."""


def n_groups(slots: Slots) -> int:
    """Number of groups of eight that have a replica."""
    return int(slots.lane.max()) // 8 + 1


def in_quads(x: np.ndarray) -> np.ndarray:
    """Rows of the first axis in fours along a new last one; a whole number of groups."""
    four = np.moveaxis(x.reshape(-1, 4, GROUP // 4, *x.shape[1:]), 1, -1)
    return np.ascontiguousarray(four).reshape(-1, *x.shape[1:], 4)


def in_rows(x: np.ndarray) -> np.ndarray:
    """The inverse of `in_quads`."""
    four = np.moveaxis(x.reshape(-1, GROUP // 4, *x.shape[1:]), -1, 1)
    return np.ascontiguousarray(four).reshape(-1, *x.shape[1:-1])


class Layout:
    """Rows of the sites, or words of sites, of each variable of a program.

    Site or word n lies in row ``rows[variable][n]``, and the row of the last number is all zeros. Those with
    a rank come first, by rank, so that what neighboring ranks read is often a run of neighboring rows.
    """

    def __init__(self, program: Program, bits: Bits, tables: Tables) -> None:
        self.fold = bits.fold
        self.rows = {name: h.row_of for name, h in halos(program, bits, tables).items()}
        if bits.fold is None:  # zeros begin a group
            for name, row in self.rows.items():
                zeros = -(-int(row[-1]) // GROUP) * GROUP
                self.rows[name] = np.append(row[:-1], np.uint32(zeros))

    def words(self, variable: str, high: np.ndarray, slots: Slots) -> np.ndarray:
        """Words [replica, row] or [quad, group] of bits [replica, site]."""
        row, x = self.rows[variable], words_of(high, slots)
        if self.fold is not None:
            words = np.zeros((len(x), len(row) + GROUP), np.uint64)  # a group is read beyond
            words[:, row[:-1]] = x[..., 0]
            return words
        bytes_ = np.zeros((int(row[-1]) + GROUP, n_groups(slots)), np.uint8)
        bytes_[row[:-1]] = x[0].view(np.uint8)[:, : bytes_.shape[1]]
        return in_quads(bytes_).view(np.uint32)[..., 0]

    def bits(self, variable: str, words: np.ndarray, slots: Slots) -> np.ndarray:
        """The inverse of `words`."""
        row = self.rows[variable][:-1]
        if self.fold is not None:
            return bits_of(words[:, row, None], slots)
        bytes_ = np.zeros((len(row), 8 * slots.words), np.uint8)
        bytes_[:, : words.shape[1]] = in_rows(words[..., None].view(np.uint8))[row]
        return bits_of(bytes_.view(np.uint64)[None], slots)

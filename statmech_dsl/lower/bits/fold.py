"""Folding: many sites of one system in a word, where a shift of all sites is a symmetry of the model.

With n sites and a fold of B, site ``lane * (n // B) + word`` is bit ``lane`` of a word. If the shift by n // B
sites maps the terms onto each other, all lanes of a word have the same neighbors, up to a rotation of the
word. Signs of couplings may differ from lane to lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np

from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.bits.two_valued import Unsliced
from statmech_dsl.lower.coloring import Order, adjacency, color_graph, dependencies

LARGEST = 64
"""Sites in a word: no more than it has bits."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Sites of a word, and the order of the sites of each variable: words by color, then lanes."""

    size: int
    orders: dict[str, Order]


def find_fold(ir: ModelIR, tables: Tables, smallest: int) -> Fold:
    """The largest fold of a model, of at least ``smallest`` sites.

    Raises
    ------
    Unsliced
        There is none.
    """
    sizes = [v.n_sites for v in ir.variables]
    if any(len(tables[v.free]) < v.n_sites for v in ir.variables):
        raise Unsliced("sites are clamped, so that no shift is a symmetry")
    for size in range(LARGEST, smallest - 1, -1):
        if any(n % size for n in sizes) or not _is_symmetry(ir, tables, size):
            continue
        orders = {v.name: _order(ir, tables, v.name, size) for v in ir.variables}
        if all(o is not None for o in orders.values()):
            return Fold(size, orders)  # type: ignore[arg-type]
    raise Unsliced(f"no shift by 1/{LARGEST} to 1/{smallest} of the sites is a symmetry")


def _is_symmetry(ir: ModelIR, tables: Tables, size: int) -> bool:
    """Whether the shift maps every family onto itself, by sums of hashes (exactly proven by `quotient`)."""
    for f in ir.energy_families:
        states = [c for c in f.columns if c.kind == "state"]
        if not states:
            continue
        index = np.stack([tables[c.index or ""] for c in states])
        n = np.array([ir.variable(c.array).n_sites for c in states])
        number = {v.name: k for k, v in enumerate(ir.variables)}
        salt = np.array([number[c.array] for c in states])
        for lead in range(len(states)):
            sums = _hashes(index, lead, n, salt, size)
            if np.any(sums != sums[0]):
                return False
    return True


def _order(ir: ModelIR, tables: Tables, variable: str, size: int) -> Order | None:
    """Words by color; None where two sites of a word share a term."""
    words = ir.variable(variable).n_sites // size
    a, b = (x % words for x in dependencies(ir, tables, variable))
    if np.any(a == b):
        return None
    every = np.arange(words, dtype=np.uint32)
    order = color_graph(*adjacency(a, b, words), every, a, b)
    lanes = np.arange(size, dtype=np.uint32) * np.uint32(words)
    sites = (order.sites[:, None] + lanes).reshape(-1)
    return Order(sites, order.segments * size)


@dataclass(frozen=True, eq=False)
class WordTables:
    """Incidences of words: what each column reads, rotated by how many lanes; signs as words."""

    index: np.ndarray
    turn: np.ndarray
    flip: np.ndarray


def quotient(
    columns: np.ndarray, sizes: Sequence[int], flip: np.ndarray, symmetric: bool, size: int
) -> WordTables:
    """Fold tables over ranks, whose words are runs of ``size`` lanes.

    ``columns`` has shape (columns, incidences, ranks), ``flip`` (incidences, ranks); the row after the last
    site stands for none. The columns of a ``symmetric`` term may be exchanged.

    Raises
    ------
    Unsliced
        The lanes of a word have different neighbors.
    """
    shape = (*columns.shape[:2], columns.shape[2] // size)
    index, turn = np.empty(shape, np.uint32), np.empty(shape, np.uint8)
    flips = np.zeros(shape[1:], np.uint64)
    n = np.asarray(sizes, np.int64)
    if not _fold_tables(columns, n, flip, symmetric, size, index, turn, flips):
        raise Unsliced("its terms are not listed in the same order all over the lattice")
    return WordTables(index, turn, flips)


@nb.njit(cache=True, nogil=True)
def _mix(x):
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@nb.njit(cache=True, nogil=True)
def _hashes(index, lead, n, salt, size):
    """Sums of hashes of the terms seen from their column ``lead``, by lane and word."""
    words = n // size
    out = np.zeros((size, words[lead]), np.uint64)
    for m in range(index.shape[1]):
        lane = index[lead, m] // words[lead]
        h = np.uint64(salt[lead])
        for k in range(index.shape[0]):
            relative = (np.int64(index[k, m]) - lane * words[k]) % n[k]
            h += _mix(relative * 64 + salt[k] + 1)
        out[lane, index[lead, m] % words[lead]] += _mix(h)
    return out


@nb.njit(cache=True, nogil=True)
def _fold_tables(columns, n, flip, symmetric, size, index, turn, flips):
    n_columns, degree, ranks = columns.shape
    first = np.empty((degree, n_columns), np.int64)
    seen = np.empty((degree, n_columns), np.int64)
    place = np.empty(degree, np.int64)
    for word in range(ranks // size):
        for lane in range(size):
            rank = word * size + lane
            for d in range(degree):
                for q in range(n_columns):
                    i = np.int64(columns[q, d, rank])
                    words = n[q] // size
                    seen[d, q] = n[q] if i == n[q] else (i - lane * words) % n[q]
                if symmetric:
                    seen[d].sort()
            for d in range(degree):  # insertion sort of the incidences
                e = d
                while e > 0 and _before(seen[d], seen[place[e - 1]]):
                    place[e] = place[e - 1]
                    e -= 1
                place[e] = d
            for d in range(degree):
                if lane == 0:
                    first[d] = seen[place[d]]
                    for q in range(n_columns):
                        x, words = first[d, q], n[q] // size
                        none = x == n[q]
                        index[q, d, word] = words if none else x % words
                        turn[q, d, word] = 0 if none else x // words
                elif np.any(first[d] != seen[place[d]]):
                    return False
                if flip[place[d], rank]:
                    flips[d, word] |= np.uint64(1) << np.uint64(lane)
    return True


@nb.njit(cache=True, nogil=True)
def _before(a, b):
    for k in range(len(a)):
        if a[k] != b[k]:
            return a[k] < b[k]
    return False

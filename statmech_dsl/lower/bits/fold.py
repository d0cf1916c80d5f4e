"""Folding: many sites of one system in a word, where a shift of all sites is a symmetry of the model.

With n sites and a fold of B, site ``lane * (n // B) + word`` is bit ``lane`` of a word. If the shift by n // B
sites maps the terms onto each other, all lanes of a word have the same neighbors, up to a rotation of the
word. Signs of couplings may differ from lane to lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.lower.bits.two_valued import Unsliced
from statmech_dsl.lower.coloring import Order, adjacency, color_graph, dependencies

LARGEST = 64
"""Sites in a word: no more than it has bits."""
SAMPLES = 16
"""Terms of a family that are looked at before a fold is tried."""
CHUNK = 4096
"""Words that are folded at once."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Sites of a word, and the order of the sites of each variable: words by color, then lanes."""

    size: int
    orders: dict[str, Order]


def find_fold(ir: ModelIR, tables: Tables, smallest: int, keys: Mapping[str, np.ndarray]) -> Fold:
    """The largest fold of a model, of at least ``smallest`` sites; ``keys`` are those of `degree_keys`.

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
        orders = {v.name: _order(ir, tables, v.name, size, keys.get(v.name)) for v in ir.variables}
        if all(o is not None for o in orders.values()):
            return Fold(size, orders)  # type: ignore[arg-type]
    raise Unsliced(f"no shift by 1/{LARGEST} to 1/{smallest} of the sites is a symmetry")


def _is_symmetry(ir: ModelIR, tables: Tables, size: int) -> bool:
    """Whether the shift maps some terms of every family onto terms; `quotient` proves it for all."""
    return all(_maps_samples(f, ir, tables, size) for f in ir.energy_families)


def _maps_samples(f: Family, ir: ModelIR, tables: Tables, size: int) -> bool:
    states = [c for c in f.columns if c.kind == "state"]
    if not states:
        return True
    columns = [tables[c.index or ""] for c in states]
    sizes = [ir.variable(c.array).n_sites for c in states]
    for m in np.linspace(0, len(columns[0]) - 1, SAMPLES).astype(int):
        pairs = list(zip(states, columns, sizes, strict=True))
        wanted = sorted((c.array, (int(x[m]) + n // size) % n) for c, x, n in pairs)
        lead, site = states[0].array, (int(columns[0][m]) + sizes[0] // size) % sizes[0]
        near = [np.flatnonzero(x == site) for c, x, _ in pairs if c.array == lead]
        terms = (sorted((c.array, int(x[k])) for c, x, _ in pairs) for k in np.concatenate(near))
        if wanted not in terms:
            return False
    return True


def _order(
    ir: ModelIR, tables: Tables, variable: str, size: int, key: np.ndarray | None
) -> Order | None:
    """Words by color; None where two sites of a word share a term."""
    words = ir.variable(variable).n_sites // size
    a, b = (x % words for x in dependencies(ir, tables, variable))
    if np.any(a == b):
        return None
    every = np.arange(words, dtype=np.uint32)
    order = color_graph(*adjacency(a, b, words), every, a, b, key)
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
    n_columns, degree, ranks = columns.shape
    index = np.empty((n_columns, degree, ranks // size), np.uint32)
    turn, flips = np.empty(index.shape, np.uint8), np.zeros(index.shape[1:], np.uint64)
    for first in range(0, ranks // size, CHUNK):
        words = slice(first, min(first + CHUNK, ranks // size))
        lanes = slice(words.start * size, words.stop * size)
        parts = _fold(columns[..., lanes], np.asarray(sizes), flip[..., lanes], symmetric, size)
        index[..., words], turn[..., words], flips[..., words] = parts
    return WordTables(index, turn, flips)


def _fold(
    columns: np.ndarray, sizes: np.ndarray, flip: np.ndarray, symmetric: bool, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fold some words: sort the incidences of each lane by where they point, seen from the lane."""
    n = sizes.astype(np.int64)[:, None, None]
    lane = np.arange(columns.shape[2]) % size
    i = columns.astype(np.int64)
    seen = np.where(i == n, n, (i - lane * (n // size)) % n)
    if symmetric:
        seen = np.sort(seen, axis=0)
    # Any order will do that is the same in all lanes and has none last: by a sum of multiples of the columns.
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    powers = np.cumprod(np.resize(factors, len(n)))
    key = (seen.astype(np.uint64) * powers[:, None, None]).sum(axis=0)
    key[(seen == n).all(axis=0)] = 2**64 - 1
    order = np.argsort(key.T, axis=1, kind="stable").T
    seen = np.take_along_axis(seen, order[None], axis=1).reshape(*seen.shape[:2], -1, size)
    if np.any(seen != seen[..., :1]):
        raise Unsliced("its terms are not listed in the same order all over the lattice")
    seen, words = seen[..., 0], n // size
    none = seen == n
    bits = np.take_along_axis(flip, order, axis=0).reshape(len(flip), -1, size)
    flips = (bits.astype(np.uint64) << np.arange(size, dtype=np.uint64)).sum(
        axis=-1, dtype=np.uint64
    )
    return np.where(none, words, seen % words), np.where(none, 0, seen // words), flips

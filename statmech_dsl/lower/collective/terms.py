"""All that hangs on one site of a variable, or on two: terms on the same sites are added up.

Only sums are even under reflections: the three products of components of two spins are not, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.expr import Expr, call, const, renumber
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.lower.incidence import Occurrence, occurrences


class Asymmetric(Exception):
    """Why a variable has no cluster moves, in words."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Energies of one form on one site, or on two sites of which the first has the larger number.

    Slots are the components of the first site, of the second one, then ``columns``, whose rows are in
    ``indices`` (None: scalars). T divides ``tempered``, not ``fixed``.
    """

    names: tuple[str, ...]
    sites: tuple[np.ndarray, ...]
    tempered: Expr
    fixed: Expr
    columns: tuple[Column, ...]
    indices: tuple[np.ndarray | None, ...]


@dataclass(frozen=True, eq=False)
class Piece:
    """Instances of a family whose slots ``own[n]`` are filled by free sites ``sites[n]``."""

    family: Family
    own: tuple[tuple[int, ...], ...]
    instances: np.ndarray
    sites: tuple[np.ndarray, ...]


def terms_of(ir: ModelIR, tables: Tables, variable: str) -> list[Terms]:
    """All terms that free sites of a variable take part in.

    Raises
    ------
    Asymmetric
        A term joins three of them, or feeds a running sum.
    """
    pieces = list(_pieces(occurrences(ir, tables, variable), tables))
    n = ir.variable(variable).n_sites
    components = ir.variable(variable).domain.components
    return [
        terms
        for arity in (2, 1)
        if (mine := [p for p in pieces if len(p.own) == arity])
        for terms in _added_up(mine, n, components, tables)
    ]


def _pieces(found: Sequence[Occurrence], tables: Tables) -> Iterator[Piece]:
    for family in dict.fromkeys(o.family for o in found):
        if family.feeds or any(c.kind == "sum" for c in family.columns):
            raise Asymmetric(f"the term {family.term!r} is a function of a sum over many sites")
        mine = [o for o in found if o.family == family]
        count = np.zeros(family.n_instances(tables), np.int8)
        for o in mine:
            count[o.instances] += 1
        if count.max() > 2:
            raise Asymmetric(f"the term {family.term!r} joins more than two of its sites")
        for k, o in enumerate(mine):
            alone = count[o.instances] == 1
            yield Piece(family, (o.own,), o.instances[alone], (o.sites[alone],))
            for other in mine[k + 1 :]:
                yield from _pairs(family, o, other)


def _pairs(family: Family, one: Occurrence, other: Occurrence) -> Iterator[Piece]:
    """Instances that two occurrences share, the larger site first."""
    a: np.ndarray | slice
    b: np.ndarray | slice
    if np.array_equal(one.instances, other.instances):
        both, a, b = one.instances, slice(None), slice(None)
    else:
        both, a, b = np.intersect1d(one.instances, other.instances, True, return_indices=True)
    x, y = one.sites[a], other.sites[b]
    first = x > y
    yield Piece(family, (one.own, other.own), both[first], (x[first], y[first]))
    yield Piece(family, (other.own, one.own), both[~first], (y[~first], x[~first]))


def _added_up(pieces: list[Piece], n: int, components: int, tables: Tables) -> Iterator[Terms]:
    """Pieces on the same sites, at most one of each family in a term; more make further terms."""
    pieces = [p for p in pieces if len(p.instances)]
    if not pieces:
        return
    key = np.concatenate([_key(p, n) for p in pieces])
    families = list(dict.fromkeys(p.family for p in pieces))
    lengths = [len(p.instances) for p in pieces]
    family = np.repeat([families.index(p.family) for p in pieces], lengths)
    piece = np.repeat(np.arange(len(pieces)), lengths)
    order = np.lexsort((piece, family, key))
    layer = np.empty(len(key), np.int64)
    layer[order] = _place_in_run(key[order] * len(families) + family[order])
    if layer.any():
        order = np.lexsort((layer, key))
    begins = (np.diff(key[order], prepend=-1) != 0) | (np.diff(layer[order], prepend=0) != 0)
    bundle = np.empty(len(key), np.int64)
    bundle[order] = np.cumsum(begins) - 1
    row = np.full((bundle.max() + 1, len(pieces)), -1, np.int64)
    row[bundle, piece] = np.concatenate([np.arange(k) for k in lengths])
    code = np.zeros(len(row), np.int64)
    for present in (row >= 0).T:
        code = 2 * code + present
        if code.max() > 1 << 60:
            code = np.unique(code, return_inverse=True)[1]
    for value in np.unique(code):
        rows = row[code == value]
        chosen = np.flatnonzero(rows[0] >= 0)
        yield _term([pieces[k] for k in chosen], rows[:, chosen].T, components, tables)


def _key(p: Piece, n: int) -> np.ndarray:
    first, *rest = (s.astype(np.int64) for s in p.sites)
    return first * n + rest[0] if rest else first


def _place_in_run(x: np.ndarray) -> np.ndarray:
    """For each element of a sorted array, how many equal ones come before it."""
    starts = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
    return np.arange(len(x)) - np.repeat(starts, np.diff(np.r_[starts, len(x)]))


def _term(pieces: list[Piece], rows: np.ndarray, components: int, tables: Tables) -> Terms:
    columns: list[Column] = []
    indices: list[np.ndarray | None] = []
    sums = {True: const(0.0), False: const(0.0)}
    first = components * len(pieces[0].own)
    for p, chosen in zip(pieces, rows, strict=True):
        new = {
            k: side * components + p.family.columns[k].component
            for side, own in enumerate(p.own)
            for k in own
        }
        for k, c in enumerate(p.family.columns):
            if k not in new:
                new[k] = first + len(columns)
                columns.append(replace(c, index=c.index and ""))
                indices.append(tables[c.index][p.instances[chosen]] if c.index else None)
        e = renumber(p.family.expr, new)
        sums[p.family.tempered] = call("add", sums[p.family.tempered], e)
    sites = tuple(s[rows[0]] for s in pieces[0].sites)
    names = tuple(dict.fromkeys(p.family.term for p in pieces))
    return Terms(names, sites, sums[True], sums[False], tuple(columns), tuple(indices))

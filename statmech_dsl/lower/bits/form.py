"""The bit-sliced form of a lowered program, or why it has none."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import product

import numpy as np

from statmech_dsl.ir.bits import MAX_LEVELS, BitColumn, BitPass, Bits, BitSum, BitTerm
from statmech_dsl.ir.draws import Categorical
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.kernel import Accumulate, Assign, Gather, LoweredPass, Program, Role
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.ir.reduction import front_and_inner
from statmech_dsl.lower.bits.fold import Fold, quotient
from statmech_dsl.lower.bits.two_valued import TwoValued, Unsliced, two_valued

MAX_COUNT = 31
"""Largest count of a local energy: five bits."""


def require_bits(ir: ModelIR, tables: Tables) -> None:
    """Raise Unsliced unless all terms are bits; cheap, as nothing is lowered yet."""
    for v in ir.variables:
        if v.domain.values is None or len(v.domain.values) != 2:
            raise Unsliced(f"{v.name} has more than two values")
    if ir.sums:
        raise Unsliced("an energy depends on a sum over sites")
    if not all(f.tempered for f in ir.energy_families):
        raise Unsliced("T does not divide all of the energy")
    for f in ir.energy_families:
        _as_bit(f, ir, tables)


def _as_bit(f: Family, ir: ModelIR, tables: Tables) -> TwoValued:
    """The terms of a family without its front."""
    _, inner = front_and_inner(f)
    return two_valued(inner, f.columns, _coefficients(f.columns, tables), ir, f.term)


def bit_form(program: Program, tables: dict[str, np.ndarray], fold: Fold | None) -> Bits:
    """Find the bit-sliced form of a program; its tables are written into ``tables``.

    Raises
    ------
    Unsliced
        It has none.
    """
    ir = program.model
    passes = tuple(_bit_pass(p, ir, tables, fold) for p in program.passes)
    sums = [_bit_sum(f, ir, tables, fold) for f in ir.energy_families]
    for s in program.measured.sums:
        with suppress(Unsliced):  # such sums are added up on unpacked states
            sums += [_bit_sum(f, ir, tables, fold) for f in program.measured.feeding(s.name)]
    return Bits(None if fold is None else fold.size, passes, tuple(sums))


# ---- passes --------------------------------------------------------------------------------------


def _bit_pass(p: LoweredPass, ir: ModelIR, tables: dict[str, np.ndarray], fold) -> BitPass:
    gathers = _heat_bath(p)
    n_ranks, prefix = len(tables[p.order]), f"{p.variable}.pass{p.stream}.bits"
    found = []
    for g in gathers:
        ((_, e),) = g.terms
        what = f"the energy of {p.variable}"
        found.append(
            (g.role, two_valued(e, g.role.columns, _coefficients(g.role.columns, tables), ir, what))
        )
    base = sum((_by_rank(role, tv.low, n_ranks, tables) for role, tv in found), np.zeros(n_ranks))
    steps = [tv.step for _, tv in found if tv.step]
    unit = _unit(steps, base)
    excess = np.rint((base - base.min(initial=np.inf)) / unit).astype(np.int64)
    terms, live = [], [excess]
    for n, (role, tv) in enumerate(found):
        if tv.step:
            term, degrees = _incidences(f"{prefix}{n}", role, tv, p, ir, tables, fold)
            terms.append(replace(term, weight=round(tv.step / unit)))
            live.append(degrees)
    counts = _counts(live, [t.weight for t in terms])
    energies = base.min() + unit * np.array(counts)
    energies[np.abs(energies) < 1e-9 * unit] = 0.0
    classes = _classes(energies, unit)
    if max(classes) > MAX_LEVELS or counts[-1] > MAX_COUNT:
        raise Unsliced(f"the local energy of {p.variable} has more than {MAX_LEVELS} sizes")
    tables[f"{prefix}.energies"] = energies
    offset = f"{prefix}.offset" if excess.any() else None
    if offset is not None:
        tables[offset] = excess.astype(np.uint8)
    return BitPass(
        tuple(terms), offset, counts, f"{prefix}.energies", classes,
        tuple(bool(e > 0) for e in energies),
    )  # fmt: skip


def _heat_bath(p: LoweredPass) -> tuple[Gather, ...]:
    """The gathers of a pass that draws one of two values from its local energy."""
    if p.exclusive:
        raise Unsliced("every site depends on every other")
    energy = read("e.1")
    match p.body:
        case (Accumulate(("e.1",), gathers), Categorical(_, (_, weight)), Assign()) if weight == -(
            read("beta") * energy
        ):
            return gathers
    raise Unsliced(f"{p.update} is not a heat bath")


def _coefficients(columns: tuple[Column, ...], tables: Tables) -> dict[int, np.ndarray]:
    """Values of the coefficient columns over all incidences (or one value for all)."""
    return {
        k: tables[c.array][:1] if c.index is None else tables[c.array][tables[c.index].reshape(-1)]
        for k, c in enumerate(columns)
        if c.kind == "coefficient"
    }


def _by_rank(role: Role, x: np.ndarray, n_ranks: int, tables: Tables) -> np.ndarray:
    """Sums over the incidences of each rank of values that belong to incidences."""
    if role.degree is not None:
        return np.broadcast_to(x, role.degree * n_ranks).reshape(role.degree, n_ranks).sum(axis=0)
    start = tables[role.pointer or ""].astype(np.int64)
    total = np.concatenate([[0.0], np.cumsum(np.broadcast_to(x, start[-1]))])
    return total[start[1:]] - total[start[:-1]]


def _unit(steps: list[float], base: np.ndarray) -> float:
    """The largest unit of which all steps and all differences of ``base`` are multiples."""
    above = base - base.min(initial=np.inf)
    scale = max([*steps, float(above.max(initial=0.0))])
    if scale == 0.0:
        return 1.0
    relative = np.unique(np.round(above / scale, 12))
    if len(relative) > MAX_COUNT:
        raise Unsliced("the fields have many values")
    differences = relative[relative > 1e-9] * scale
    smallest = min([*steps, *differences])
    for k in (1, 2, 3, 4):
        ratios = np.array([*steps, *differences]) * k / smallest
        if np.all(np.abs(ratios - np.rint(ratios)) < 1e-6):
            return smallest / k
    raise Unsliced("energy differences are no multiples of one unit")


def _counts(live: list[np.ndarray], weights: list[int]) -> tuple[int, ...]:
    """All counts that occur, from the offset and the number of terms of each kind at each rank."""
    rows = np.stack(np.broadcast_arrays(*live), axis=-1).reshape(-1, len(live))
    found: set[int] = set()
    for offset, *degrees in np.unique(rows, axis=0):
        ranges = (range(0, w * n + 1, w) for w, n in zip(weights, degrees, strict=True))
        if offset + sum(w * n for w, n in zip(weights, degrees, strict=True)) > 2 * MAX_COUNT:
            raise Unsliced(f"a site takes part in {sum(degrees)} terms")
        found |= {int(offset) + sum(x) for x in product(*ranges)}
    return tuple(sorted(found))


def _classes(energies: np.ndarray, unit: float) -> tuple[int, ...]:
    """Number of each energy's size among the sizes; 0 is for energy 0."""
    sizes = [0.0]
    out = []
    for e in np.abs(energies):
        known = [k for k, size in enumerate(sizes) if abs(size - e) < 1e-6 * unit]
        if not known:
            known = [len(sizes)]
            sizes.append(float(e))
        out.append(known[0])
    return tuple(out)


def _incidences(
    name: str,
    role: Role,
    tv: TwoValued,
    p: LoweredPass,
    ir: ModelIR,
    tables: dict,
    fold: Fold | None,
) -> tuple[BitTerm, np.ndarray]:
    """The term of a role, and the number of its live incidences at each rank."""
    n_ranks = len(tables[p.order])
    states = [c for c in role.columns if c.kind == "state"]
    whole = role.degree is not None and not tv.dead.any()
    if whole and fold is None and _one(tv.flip):
        columns = tuple(BitColumn(c.array, c.index or "") for c in states)
        return BitTerm(columns, tv.monomials, bool(tv.flip[0])), np.array(role.degree)
    columns, flip, degrees = _padded(role, states, tv, n_ranks, ir, tables)
    return _store(name, columns, flip, states, tv, ir, tables, fold), degrees


def _padded(role, states, tv, n_ranks: int, ir: ModelIR, tables) -> tuple[np.ndarray, ...]:
    """Tables of shape (columns, incidences, ranks) in which missing incidences read the row of zeros."""
    if role.degree is not None:
        d, rank = (x.reshape(-1) for x in np.indices((role.degree, n_ranks)))
        degree = role.degree
    else:
        start = tables[role.pointer].astype(np.int64)
        rank = np.repeat(np.arange(n_ranks), np.diff(start))
        d = np.arange(len(rank)) - start[rank]
        degree = int(np.diff(start).max())
    keep = ~np.broadcast_to(tv.dead, len(rank))
    columns = np.empty((len(states), degree, n_ranks), np.uint32)
    for q, c in enumerate(states):
        columns[q] = ir.variable(c.array).n_sites
        columns[q, d[keep], rank[keep]] = tables[c.index].reshape(-1)[keep]
    flip = np.zeros((degree, n_ranks), bool)
    flip[d[keep], rank[keep]] = np.broadcast_to(tv.flip, len(rank))[keep]
    return columns, flip, np.bincount(rank[keep], minlength=n_ranks)


def _store(name, columns, flip, states, tv: TwoValued, ir: ModelIR, tables, fold) -> BitTerm:
    """Write the tables of a term, folded if there is a fold."""
    turns = [""] * len(states)
    if fold is not None:
        sizes = [ir.variable(c.array).n_sites for c in states]
        symmetric = len({c.array for c in states}) == 1 and all(len(m) == 1 for m in tv.monomials)
        folded = quotient(columns, sizes, flip, symmetric, fold.size)
        columns, turns = folded.index, [f"{name}.turn{q}" for q in range(len(states))]
        for q, turn in enumerate(turns):
            tables[turn] = folded.turn[q]
        flip = folded.flip
    for q in range(len(states)):
        tables[f"{name}.{q}"] = np.ascontiguousarray(columns[q])
    constant = _constant_flip(flip, fold)
    if constant is None:
        tables[f"{name}.flip"] = flip
    return BitTerm(
        tuple(BitColumn(c.array, f"{name}.{q}", turns[q]) for q, c in enumerate(states)),
        tv.monomials,
        f"{name}.flip" if constant is None else constant,
    )


def _constant_flip(flip: np.ndarray, fold: Fold | None) -> bool | None:
    """The sign of all terms, or None where they differ."""
    ones = 1 if fold is None else (1 << fold.size) - 1
    if not flip.any():
        return False
    return True if np.all(flip == ones) else None


def _one(x: np.ndarray) -> bool:
    return bool(np.all(x == x[0]))


# ---- sums ----------------------------------------------------------------------------------------


def _bit_sum(f: Family, ir: ModelIR, tables: dict[str, np.ndarray], fold: Fold | None) -> BitSum:
    """A family as a count of bits."""
    if f.element is not None:
        raise Unsliced(f"{f.term} is a vector of sums")
    tv = _as_bit(f, ir, tables)
    n = f.n_instances(tables)
    low, count = np.unique(tv.low, return_counts=True)
    base = float(np.sum(low * count)) * (n // len(tv.low))
    tables[f"{f.name}.scale"] = np.array([base, tv.step])
    states = [c for c in f.columns if c.kind == "state"]
    name = f"{f.name}.bits"
    if not tv.step:
        term = BitTerm((), (), False)
    elif fold is None and not tv.dead.any() and _one(tv.flip):
        columns = tuple(BitColumn(c.array, f"{name}.{q}") for q, c in enumerate(states))
        # Families share index tables, but each is listed in an order of its own.
        tables |= {x.index: tables[c.index or ""] for x, c in zip(columns, states, strict=True)}
        term = BitTerm(columns, tv.monomials, bool(tv.flip[0]))
    elif fold is None:
        live = ~np.broadcast_to(tv.dead, n)
        columns = [tables[c.index or ""][live] for c in states]
        term = _store(
            name, columns, np.broadcast_to(tv.flip, n)[live], states, tv, ir, tables, None
        )
    else:
        term = _folded_sum(name, f, states, tv, ir, tables, fold)
    return BitSum(f.name, term, f"{f.name}.scale")


def _folded_sum(name, f: Family, states, tv: TwoValued, ir: ModelIR, tables, fold: Fold) -> BitTerm:
    """Terms listed at the word of their first site."""
    lead, n_ranks = states[0], ir.variable(states[0].array).n_sites
    words = n_ranks // fold.size
    live = np.flatnonzero(~np.broadcast_to(tv.dead, f.n_instances(tables)))
    site = tables[lead.index or ""][live].astype(np.int64)
    rank = site % words * fold.size + site // words
    order = np.argsort(rank, kind="stable")
    rank, degrees = rank[order], np.bincount(rank, minlength=n_ranks)
    d = np.arange(len(rank)) - (np.cumsum(degrees) - degrees)[rank]
    columns = np.empty((len(states), int(degrees.max(initial=0)), n_ranks), np.uint32)
    flip = np.zeros(columns.shape[1:], bool)
    for q, c in enumerate(states):
        columns[q] = ir.variable(c.array).n_sites
        columns[q, d, rank] = tables[c.index or ""][live[order]]
    flip[d, rank] = np.broadcast_to(tv.flip, f.n_instances(tables))[live[order]]
    return _store(name, columns, flip, states, tv, ir, tables, fold)

"""The bit-sliced form of a lowered program, or why it has none."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from statmech_dsl.ir.bits import BitColumn, BitPass, Bits, BitSum, BitTerm
from statmech_dsl.ir.draws import Categorical
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.kernel import Accumulate, Assign, Gather, LoweredPass, Program, Role
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.ir.reduction import front_and_inner
from statmech_dsl.lower.bits.fold import Fold, quotient
from statmech_dsl.lower.bits.kinds import check_blocks, common_unit, find_kinds, find_runs
from statmech_dsl.lower.bits.two_valued import TwoValued, Unsliced, two_valued
from statmech_dsl.lower.sorting import group


def terms_as_bits(ir: ModelIR, tables: Tables) -> dict[str, tuple[TwoValued, ...]]:
    """The terms of each energy family as bits; cheap, as nothing is lowered yet.

    Raises
    ------
    Unsliced
        Some are none.
    """
    for v in ir.variables:
        if v.domain.values is None or len(v.domain.values) != 2:
            raise Unsliced(f"{v.name} has more than two values")
    if ir.sums:
        raise Unsliced("an energy depends on a sum over sites")
    if not all(f.tempered for f in ir.energy_families):
        raise Unsliced("T does not divide all of the energy")
    return {f.name: _as_bits(f, ir, tables) for f in ir.energy_families}


def _as_bits(f: Family, ir: ModelIR, tables: Tables) -> tuple[TwoValued, ...]:
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
    if not program.passes and not (fold is None and any(m.sliced for m in program.collective)):
        raise Unsliced("no update visits its sites one by one")
    passes = tuple(_bit_pass(p, ir, tables, fold) for p in program.passes)
    sums = [x for f in ir.energy_families for x in _bit_sums(f, ir, tables, fold)]
    for s in program.measured.sums:
        feeding = program.measured.feeding(s.name)
        with suppress(Unsliced):  # such sums are added up on unpacked states
            sums += [x for f in feeding for x in _bit_sums(f, ir, tables, fold)]
    return Bits(None if fold is None else fold.size, passes, tuple(sums))


# ---- passes --------------------------------------------------------------------------------------


def _bit_pass(p: LoweredPass, ir: ModelIR, tables: dict[str, np.ndarray], fold) -> BitPass:
    gathers = _heat_bath(p)
    n_ranks, prefix = len(tables[p.order]), f"{p.variable}.pass{p.stream}.bits"
    base, terms = np.zeros(n_ranks), []
    steps, degrees = [], [np.zeros((0, n_ranks), np.int64)]
    for g in gathers:
        ((_, e),) = g.terms
        what, values = f"the energy of {p.variable}", _coefficients(g.role.columns, tables)
        for tv in two_valued(e, g.role.columns, values, ir, what):
            base += _by_rank(g.role, tv.low, n_ranks, tables)
            if tv.step:
                name = f"{prefix}{len(terms)}"
                term, number = _incidences(name, g.role, tv, p, ir, tables, fold)
                terms.append(term)
                steps.append(tv.step)
                degrees.append(number[None])
    live = np.concatenate(degrees)
    kinds, kind, offset = find_kinds(prefix, p.variable, steps, live, base, tables)
    tables[f"{prefix}.runs"] = runs = find_runs(kind, tables[p.segments])
    if fold is None:
        check_blocks(runs, kinds, p.variable)
    if any(k.digits for k in kinds):
        tables[f"{prefix}.offset"] = offset
        return BitPass(tuple(terms), f"{prefix}.offset", kinds, f"{prefix}.runs")
    return BitPass(tuple(terms), None, kinds, f"{prefix}.runs")


def _heat_bath(p: LoweredPass) -> tuple[Gather, ...]:
    """The gathers of a pass that draws one of two values from its local energy."""
    if p.exclusive:
        raise Unsliced("every site depends on every other")
    if p.reversed:
        raise Unsliced(f"{p.name} visits its sites in the opposite order")
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
        return BitTerm(columns, tv.monomials, bool(tv.flip[0])), np.full(n_ranks, role.degree)
    columns, flip, degrees = _padded(role, states, tv, n_ranks, ir, tables)
    return _store(name, columns, flip, states, tv, ir, tables, fold), degrees


def _padded(role, states, tv, n_ranks: int, ir: ModelIR, tables) -> tuple[np.ndarray, ...]:
    """Tables of shape (columns, incidences, ranks): live incidences, then some that read the row of zeros."""
    if role.degree is not None:
        rank = np.broadcast_to(np.arange(n_ranks), (role.degree, n_ranks)).reshape(-1)
    else:
        rank = np.repeat(np.arange(n_ranks), np.diff(tables[role.pointer].astype(np.int64)))
    n = len(rank)
    live = np.flatnonzero(~np.broadcast_to(tv.dead, n))
    order, start = group(rank[live], n_ranks)
    live, rank, degrees = live[order], rank[live[order]], np.diff(start)
    d = np.arange(len(live)) - start[rank]
    columns = np.empty((len(states), int(degrees.max(initial=0)), n_ranks), np.uint32)
    for q, c in enumerate(states):
        columns[q] = ir.variable(c.array).n_sites
        columns[q, d, rank] = tables[c.index].reshape(-1)[live]
    flip = np.zeros(columns.shape[1:], bool)
    flip[d, rank] = np.broadcast_to(tv.flip, n)[live]
    return columns, flip, degrees


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


def _bit_sums(
    f: Family, ir: ModelIR, tables: dict[str, np.ndarray], fold: Fold | None
) -> list[BitSum]:
    """A family as counts of bits, one for each size of its terms."""
    if f.element is not None:
        raise Unsliced(f"{f.term} is a vector of sums")
    parts = _as_bits(f, ir, tables)
    n, base = f.n_instances(tables), 0.0
    for tv in parts:
        low, count = np.unique(tv.low, return_counts=True)
        base += float(np.sum(low * count)) * (n // len(tv.low))
    steps = [tv.step for tv in parts]
    unit = common_unit(steps) if any(steps) else 0.0
    tables[f"{f.name}.scale"] = np.array([base, unit])
    return [
        BitSum(
            f.name,
            _sum_term(f"{f.name}.bits{k}", f, tv, ir, tables, fold),
            round(tv.step / unit) if unit else 0,
            f"{f.name}.scale",
        )
        for k, tv in enumerate(parts)
    ]


def _sum_term(name: str, f: Family, tv: TwoValued, ir: ModelIR, tables, fold) -> BitTerm:
    """The live terms of a part of a family in a flat list."""
    n, states = f.n_instances(tables), [c for c in f.columns if c.kind == "state"]
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
    return term


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

"""Find the quadratic part of a field's energy on a periodic lattice, from the terms themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.ir.expr import Expr, at_values, const, evaluate, slot, slots_of
from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.lower.derivative import NotDifferentiable, derivative

MAX_AXES = 4
"""Axes of a lattice, at most."""
EQUAL = 1e-12
"""Relative difference up to which couplings are equal."""


class NoPropagator(Exception):
    """The energy has no quadratic part that is the same all over a periodic lattice."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """Couplings in Fourier space on a lattice of these periods, and the curvature of one-site terms."""

    periods: tuple[int, ...]
    spectrum: np.ndarray
    curvature: Expr


def quadratic_part(ir: ModelIR, tables: Tables, variable: str) -> Quadratic:
    """Second derivatives of the energy by a field.

    Raises
    ------
    NoPropagator
        Sites are clamped, terms are not tempered or read sums, couplings of several sites are not
        quadratic, or they differ over the lattice.
    """
    n = ir.variable(variable).n_sites
    if len(tables[ir.variable(variable).free]) < n:
        raise NoPropagator("some of its sites are clamped")
    curvature, rows, columns, values = const(0.0), [], [], []
    for f in ir.families:
        if not f.reads(variable):
            continue
        if f.feeds is not None or not f.tempered:
            what = "is not divided by T" if f.feeds is None else "is a function of a sum over sites"
            raise NoPropagator(f"{f.term!r} {what}")
        own = [k for k, c in enumerate(f.columns) if c.kind == "state" and c.array == variable]
        if len({f.columns[k].index for k in own}) == 1:
            curvature = curvature + _local(f, own, tables, n)
            continue
        for k, m, value in _couplings(f, own, tables):
            rows.append(tables[f.columns[k].index or ""])
            columns.append(tables[f.columns[m].index or ""])
            values.append(value)
    if not rows:
        raise NoPropagator("its sites are not coupled")
    from scipy.sparse import coo_array  # takes long to import, and few updates need it

    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    periods, first = _torus(coo_array(entries, shape=(n, n)), n)
    spectrum = np.fft.rfftn(first.reshape(periods)).real
    return Quadratic(periods, np.ascontiguousarray(spectrum), curvature)


def _local(f: Family, own: list[int], tables: Tables, n: int) -> Expr:
    """Curvature of a term of one site as a function of slot 0."""
    used = {}
    for k, c in enumerate(f.columns):
        if k in own:
            used[k] = slot(0)
        elif c.kind != "coefficient" or c.index is not None and np.ptp(tables[c.array]) > 0:
            raise NoPropagator(f"{f.term!r} differs from site to site")
        else:
            used[k] = const(float(tables[c.array].flat[0]))
    visits = np.bincount(tables[f.columns[own[0]].index or ""], minlength=n)
    if np.ptp(visits):
        raise NoPropagator(f"{f.term!r} differs from site to site")
    try:
        once = derivative(at_values(f.expr, used), 0)
        return float(visits[0]) * derivative(once, 0)
    except NotDifferentiable as why:
        raise NoPropagator(f"{f.term!r} has no curvature: {why}") from None


def _couplings(f: Family, own: list[int], tables: Tables) -> Iterator[tuple[int, int, np.ndarray]]:
    """Second derivatives by pairs of slots, one for each instance."""
    states = {k for k, c in enumerate(f.columns) if c.kind != "coefficient"}
    n = f.n_instances(tables)
    for k in own:
        for m in own:
            try:
                second = derivative(derivative(f.expr, k), m)
            except NotDifferentiable as why:
                raise NoPropagator(f"{f.term!r} has no curvature: {why}") from None
            if slots_of(second) & states:
                raise NoPropagator(f"{f.term!r} couples sites, but is not quadratic")
            yield k, m, _evaluated(second, f, tables, n)


def _evaluated(e: Expr, f: Family, tables: Tables, n: int) -> np.ndarray:
    """An expression over coefficients for each instance: once for each different row of them."""
    read = sorted(slots_of(e))
    table = np.empty((n, len(read)))
    for place, k in enumerate(read):
        c = f.columns[k]
        table[:, place] = tables[c.array][0 if c.index is None else tables[c.index]]
    rows, which = np.unique(table, axis=0, return_inverse=True)
    values = [evaluate(e, dict(zip(read, row, strict=True)), {}) for row in rows.tolist()]
    return np.array(values, float)[which.reshape(-1)]


def _torus(matrix: Any, n: int) -> tuple[tuple[int, ...], np.ndarray]:
    """Periods of a lattice on which a matrix is the same all over, sites row by row; its first row."""
    entries = matrix.tocsr()
    entries.sum_duplicates()
    entries.eliminate_zeros()
    coo = entries.tocoo()
    first = entries[[0]].toarray().ravel()
    size = np.abs(first).max()
    if coo.nnz == n * np.count_nonzero(first):
        for axes in range(1, MAX_AXES + 1):
            for periods in _factorizations(n, axes):
                a, b = (np.stack(np.unravel_index(x, periods)) for x in (coo.row, coo.col))
                apart = (b - a) % np.array(periods)[:, None]
                expected = first[np.ravel_multi_index(tuple(apart), periods)]
                if np.abs(coo.data - expected).max() <= EQUAL * size:
                    return periods, first
    raise NoPropagator("its couplings are not the same all over a periodic lattice")


def _factorizations(n: int, axes: int) -> Iterator[tuple[int, ...]]:
    """Products of so many factors above 1, in any order."""
    if axes == 1:
        yield (n,)
        return
    for a in range(2, n // 2 + 1):
        if n % a == 0:
            for rest in _factorizations(n // a, axes - 1):
                if rest[0] > 1:
                    yield (a, *rest)

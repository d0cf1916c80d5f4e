"""The matrix of a dense pass, and its rounding to whole steps, in which sums are exact in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import Expr, evaluate
from statmech_dsl.ir.kernel import Accumulate, Gather, LoweredPass, Role
from statmech_dsl.ir.model import Column, ModelIR, Tables

LARGEST_SLACK = 0.25
"""Slack of an exponent up to which `WIDER` makes up for the curvature of the exponential."""
WIDER = 1.25


@dataclass(frozen=True, eq=False)
class Couplings:
    """Fields as ``offset + matrix @ n``, n being 1 where a source has its high value and 0 elsewhere.

    Rows are the sites of a pass by rank; columns all sites of its sources, variable by variable.
    ``error`` bounds the difference between any two orders of adding up a field in float64.
    """

    matrix: np.ndarray
    offset: np.ndarray
    error: np.ndarray


@dataclass(frozen=True, eq=False)
class Steps:
    """Couplings in whole steps of ``scale``, for each row its own.

    No sum of some ``steps`` of a row and its ``offset`` exceeds the limit, so that integers or floats which
    hold all whole numbers up to it add them up without error. ``slack`` bounds the deviation of any field,
    from the exact one and from the sum of its terms in float64; it is infinite where a coupling is not finite.
    """

    steps: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    slack: np.ndarray


class Units:
    """Steps for verdicts in float32: in units of the largest one, or they might leave its range.

    ``scale`` and ``slack`` are those of `Steps`, by rank.
    """

    def __init__(self, steps: Steps) -> None:
        self.unit = float(steps.scale.max())
        self._largest_slack = float(steps.slack.max())
        slack = (steps.slack / self.unit).astype(np.float32)
        self.scale = (steps.scale / self.unit).astype(np.float32)
        self.slack = np.nextafter(slack, np.float32(np.inf))  # never less than it was

    def factors(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factors from a field to an exponent of 2, and from its slack to that of the exponent.

        The second factor is infinite where nothing is certain.
        """
        exponent, width = np.empty(beta.shape, np.float32), np.empty(beta.shape, np.float32)
        factors(beta.reshape(-1), self.unit, self._largest_slack, exponent, width)
        return exponent, width


@compiled
def factors(beta, unit, largest_slack, exponent, width):
    """See `Units.factors`."""
    exponents, widths = exponent.reshape(-1), width.reshape(-1)
    for k in range(beta.shape[0]):
        x = beta[k] * unit
        exponents[k] = np.float32(-LOG2E * x)
        certain = abs(beta[k]) * largest_slack <= LARGEST_SLACK
        widths[k] = np.float32(WIDER * abs(x)) if certain else np.float32(np.inf)


def couplings(p: LoweredPass, model: ModelIR, tables: Tables) -> Couplings:
    """Add up the incidences of a dense pass."""
    return Incidences(p, model, tables)(tables)


class Incidences:
    """Where the incidences of a dense pass belong in its matrix; that does not change with the couplings."""

    def __init__(self, p: LoweredPass, model: ModelIR, tables: Tables) -> None:
        gathered = p.body[0]
        assert p.dense is not None
        assert isinstance(gathered, Accumulate)
        sizes = [model.variable(v).n_sites for v in p.dense.sources]
        first = dict(zip(p.dense.sources, np.cumsum([0, *sizes[:-1]]), strict=True))
        self.shape = len(tables[p.order]), sum(sizes)
        self._gathers = [_Placed(g, first, self.shape[0], model, tables) for g in gathered.gathers]
        ranks = np.concatenate([g.ranks for g in self._gathers])
        self._roundings = 2.0**-50 * (np.bincount(ranks, minlength=self.shape[0]) + 8)

    @np.errstate(invalid="ignore", over="ignore")  # random couplings need not be finite
    def __call__(self, tables: Tables) -> Couplings:
        """The matrix of these couplings."""
        matrix, (offset, size) = np.zeros(self.shape), np.zeros((2, self.shape[0]))
        for g in self._gathers:
            add_up(g.ranks, g.sites, g.joins, *g.terms(tables), matrix, offset, size)
        return Couplings(matrix, offset, self._roundings * size)


@compiled
def add_up(ranks, sites, joins, index, low, high, matrix, offset, size):
    """Add incidences to rows, and to the matrix if they join sites; ``low`` and ``high`` are lines."""
    (low_from, low_slope, a), (high_from, high_slope, b) = low, high
    for m in range(ranks.shape[0]):
        k = ranks[m]
        x, y = low_from + low_slope * a[index[m]], high_from + high_slope * b[index[m]]
        offset[k] += x
        size[k] += max(abs(x), abs(y))
        if joins:
            matrix[k, sites[m]] += y - x


Line = tuple[float, float, np.ndarray]
"""Numbers ``constant + slope * x[index]``."""


class _Placed:
    """The incidences of a gather: the ranks and sources that they join, and what they add."""

    def __init__(
        self, g: Gather, first: Mapping[str, Any], n: int, model: ModelIR, tables: Tables
    ) -> None:
        ranks = _ranks(g.role, n, tables)
        self._columns, self._shape = g.role.columns, ranks.shape
        self.ranks = np.ascontiguousarray(ranks.ravel(), np.uint32)
        self.sites, self.joins = np.zeros(len(self.ranks), np.uint32), False
        self._ends: tuple[float, ...] = (0.0, 0.0)
        for c in self._columns:
            if c.kind == "state":
                self.sites, self.joins = tables[c.index or ""].ravel().astype(np.uint32), True
                self.sites += np.uint32(first[c.array])
                self._ends = model.variable(c.array).domain.values or self._ends
        self._index = {c.index: tables[c.index].astype(np.int64) for c in self._columns if c.index}
        self._expressions: list[Expr] = [e for _, e in g.terms]
        lines = [_as_line(self._expressions, self._columns, x) for x in self._ends]
        self._lines = [x for x in lines if x is not None] if None not in lines else []
        coefficients = [c for c in self._columns if c.kind == "coefficient"]
        self._of = coefficients[0] if coefficients and self._lines else None
        self._place = np.zeros(len(self.ranks), np.uint32)
        if not self._lines:
            self._place = np.arange(len(self.ranks), dtype=np.uint32)
        elif self._of is not None and self._of.index is not None:
            self._place = self._index[self._of.index].ravel().astype(np.uint32)

    def terms(self, tables: Tables) -> tuple[np.ndarray, Line, Line]:
        """What each incidence adds if the other site has its low value, and its high one, by an index."""
        if self._lines:
            x = np.zeros(1) if self._of is None else np.ascontiguousarray(tables[self._of.array])
            low, high = ((constant, slope, x) for constant, slope in self._lines)
        else:
            low, high = ((0.0, 1.0, self._term(tables, x)) for x in self._ends)
        return self._place, low, high

    def _term(self, tables: Tables, state: float) -> np.ndarray:
        def value(c: Column):
            if c.kind == "state":
                return state
            return tables[c.array][0] if c.index is None else tables[c.array][self._index[c.index]]

        values = [value(c) for c in self._columns]
        found = sum(evaluate(e, values, {}) for e in self._expressions)
        return np.array(np.broadcast_to(found, self._shape), float).ravel()


def _ranks(role: Role, n: int, tables: Tables) -> np.ndarray:
    """The rank that each incidence of a role belongs to, in the shape of its tables."""
    if role.degree is not None:
        return np.broadcast_to(np.arange(n), (role.degree, n))
    return np.repeat(np.arange(n), np.diff(tables[role.pointer or ""].astype(np.int64)))


def _as_line(
    expressions: Sequence[Expr], columns: tuple[Column, ...], state: float
) -> tuple[float, float] | None:
    """Terms as ``constant + slope * c`` of their one coefficient c; None if they are no such function."""
    if sum(c.kind == "coefficient" for c in columns) > 1:
        return None

    def line(e: Expr) -> tuple[float, float] | None:
        if e.op == "const":
            return float(e.attr), 0.0  # type: ignore[arg-type]
        if e.op == "slot":
            return (state, 0.0) if columns[e.attr].kind == "state" else (0.0, 1.0)  # type: ignore[index]
        parts = [line(x) for x in e.args]
        parts = parts * 2 if e.op == "sqr" else parts
        if any(x is None for x in parts):
            return None
        (a, b), *rest = parts  # type: ignore[misc]
        if e.op == "neg":
            return -a, -b
        ((c, d),) = rest  # type: ignore[misc]
        if e.op in ("mul", "sqr"):
            return None if b and d else (a * c, a * d + b * c)
        sign = 1.0 if e.op == "add" else -1.0
        return a + sign * c, b + sign * d

    found = [line(e) for e in expressions]
    if any(x is None for x in found):
        return None
    return sum(x[0] for x in found if x), sum(x[1] for x in found if x)


@np.errstate(invalid="ignore", over="ignore")
def in_steps(c: Couplings, limit: int, largest: float = np.inf) -> Steps:
    """Round couplings so that sums of steps stay within +-limit, and each step within +-largest."""
    reach = _largest_sum(c.matrix) + np.abs(c.offset)
    finite = np.isfinite(reach)
    n = c.matrix.shape[1] + 2  # each rounding may add half a step
    scale = np.maximum(reach, 2.0**-900) / (limit - n)
    scale = np.maximum(scale, np.abs(c.matrix).max(1, initial=0.0) / (largest - 1))
    scale = np.where(finite, scale, 1.0)
    matrix, offset = np.where(finite[:, None], c.matrix, 0.0), np.where(finite, c.offset, 0.0)
    steps, whole = np.rint(matrix / scale[:, None]), np.rint(offset / scale)
    rest = _largest_sum(matrix - steps * scale[:, None]) + np.abs(offset - whole * scale)
    return Steps(steps, whole, scale, np.where(finite, rest + c.error, np.inf))


def _largest_sum(matrix: np.ndarray) -> np.ndarray:
    """Largest absolute value of a sum of some entries of each row."""
    return np.maximum(np.maximum(matrix, 0.0).sum(1), np.maximum(-matrix, 0.0).sum(1))

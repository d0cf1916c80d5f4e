"""The matrix of a dense pass, and its rounding to whole steps, in which sums are exact in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

    @np.errstate(invalid="ignore", over="ignore")
    def factors(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factors from a field to an exponent of 2, and from its slack to that of the exponent.

        The second factor is infinite where nothing is certain.
        """
        certain = np.abs(beta) * self._largest_slack <= LARGEST_SLACK
        exponent = -LOG2E * (beta * self.unit)
        width = np.where(certain, WIDER * np.abs(beta * self.unit), np.inf)
        return exponent.astype(np.float32), width.astype(np.float32)


@np.errstate(invalid="ignore", over="ignore")  # random couplings need not be finite
def couplings(p: LoweredPass, model: ModelIR, tables: Tables) -> Couplings:
    """Add up the incidences of a dense pass."""
    gathered = p.body[0]
    assert p.dense is not None
    assert isinstance(gathered, Accumulate)
    sources = p.dense.sources
    sizes = [model.variable(v).n_sites for v in sources]
    first = dict(zip(sources, np.cumsum([0, *sizes[:-1]]), strict=True))
    shape = len(tables[p.order]), sum(sizes)
    matrix, offset, size = np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[0])
    count = np.zeros(shape[0])
    for g in gathered.gathers:
        ranks = _ranks(g.role, shape[0], tables)
        state = next((c for c in g.role.columns if c.kind == "state"), None)
        low, high = _terms(g, model, tables, ranks.shape)
        offset += np.bincount(ranks.ravel(), low.ravel(), shape[0])
        largest = np.maximum(np.abs(low), np.abs(high))
        size += np.bincount(ranks.ravel(), largest.ravel(), shape[0])
        count += np.bincount(ranks.ravel(), minlength=shape[0])
        if state is not None:
            sites = first[state.array] + tables[state.index or ""].astype(np.int64)
            np.add.at(matrix, (ranks, sites), high - low)
    return Couplings(matrix, offset, 2.0**-50 * size * (count + 8))


def _ranks(role: Role, n: int, tables: Tables) -> np.ndarray:
    """The rank that each incidence of a role belongs to, in the shape of its tables."""
    if role.degree is not None:
        return np.broadcast_to(np.arange(n), (role.degree, n))
    return np.repeat(np.arange(n), np.diff(tables[role.pointer or ""].astype(np.int64)))


def _terms(
    g: Gather, model: ModelIR, tables: Tables, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """What each incidence adds if the other site has its low value, and its high one."""
    expressions: list[Expr] = [e for _, e in g.terms]

    def value(c: Column, high: int):
        if c.kind == "state":
            values = model.variable(c.array).domain.values
            assert values is not None
            return values[high]
        return tables[c.array][0 if c.index is None else tables[c.index]]

    low, high = (
        sum(evaluate(e, [value(c, n) for c in g.role.columns], {}) for e in expressions)
        for n in (0, 1)
    )
    return np.broadcast_to(low, shape), np.broadcast_to(high, shape)


@np.errstate(invalid="ignore", over="ignore")
def in_steps(
    c: Couplings, limit: int, largest: float = np.inf, one_scale: bool = False
) -> Steps:
    """Round couplings so that sums of steps stay within +-limit, and each step within +-largest.

    Rows have a scale each, or one in common.
    """
    reach = _largest_sum(c.matrix) + np.abs(c.offset)
    finite = np.isfinite(reach)
    n = c.matrix.shape[1] + 2  # each rounding may add half a step
    scale = np.maximum(reach, 2.0**-900) / (limit - n)
    scale = np.maximum(scale, np.abs(c.matrix).max(1, initial=0.0) / (largest - 1))
    scale = np.where(finite, scale, 1.0)
    if one_scale:
        scale = np.full_like(scale, scale.max())
    matrix, offset = np.where(finite[:, None], c.matrix, 0.0), np.where(finite, c.offset, 0.0)
    steps, whole = np.rint(matrix / scale[:, None]), np.rint(offset / scale)
    rest = _largest_sum(matrix - steps * scale[:, None]) + np.abs(offset - whole * scale)
    return Steps(steps, whole, scale, np.where(finite, rest + c.error, np.inf))


def _largest_sum(matrix: np.ndarray) -> np.ndarray:
    """Largest absolute value of a sum of some entries of each row."""
    return np.maximum(np.maximum(matrix, 0.0).sum(1), np.maximum(-matrix, 0.0).sum(1))

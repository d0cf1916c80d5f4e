"""Expressions of two-state sites whose terms take two values each, as bits: which, and of what sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from statmech_dsl.ir.expr import Expr, evaluate
from statmech_dsl.ir.model import Column, ModelIR

MAX_COEFFICIENTS = 16
"""Different coefficients of a family; more are couplings of any value."""
TOLERANCE = 1e-9
"""Relative difference of steps that are the same."""
MAX_SITES = 6
"""Sites of a term besides the own one."""


class Unsliced(Exception):
    """Why a program cannot be bit-sliced, in words."""


@dataclass(frozen=True, eq=False)
class TwoValued:
    """Values ``low[m] + step * bit`` of instances m; the bit is the sum of monomials, flipped where ``flip``.

    ``low`` and ``flip`` are arrays over instances, or one value for all. Instances whose value is ``low[m]``
    alone have ``dead`` set.
    """

    monomials: tuple[tuple[int, ...], ...]
    low: np.ndarray
    flip: np.ndarray
    dead: np.ndarray
    step: float


def two_valued(
    e: Expr,
    columns: Sequence[Column],
    coefficients: Mapping[int, np.ndarray],
    ir: ModelIR,
    what: str,
) -> tuple[TwoValued, ...]:
    """Write an expression as the sum of a bit for each size of step; every instance is live in one at most.

    ``coefficients[k]`` are the values of coefficient column k.

    Raises
    ------
    Unsliced
        An instance takes more than two values.
    """
    states = [k for k, c in enumerate(columns) if c.kind == "state"]
    if any(c.kind == "sum" for c in columns):
        raise Unsliced(f"{what} depends on a running sum")
    domains = [ir.variable(columns[k].array).domain for k in states]
    for k, domain in zip(states, domains, strict=True):
        if domain.values is None or len(domain.values) != 2:
            raise Unsliced(f"{columns[k].array} has more than two values")
    if len(states) > MAX_SITES:
        raise Unsliced(f"{what} joins {len(states)} sites")
    code, kinds = _kinds(coefficients, what)
    table = np.array([_values(e, states, domains, kind) for kind in kinds])
    low, high = table.min(axis=1), table.max(axis=1)
    steps = high - low
    live = steps > 0
    if not live.any():
        return (TwoValued((), low[code], np.zeros(1, bool), np.ones(1, bool), 0.0),)
    tolerance = TOLERANCE * steps
    near = np.minimum(np.abs(table - low[:, None]), np.abs(table - high[:, None]))
    if np.any(near > tolerance[:, None]):
        raise Unsliced(f"{what} takes more than two values")
    bits = table > (low + 0.5 * steps)[:, None]
    parts, rest = [], live.copy()
    while rest.any():
        step = float(steps[rest][0])
        own = rest & (np.abs(steps - step) <= TOLERANCE * step)
        flip = bits[:, 0] & own
        shapes = {tuple(row) for row in (bits ^ flip[:, None])[own]}
        if len(shapes) > 1:
            raise Unsliced(f"{what} has a form that depends on the coupling")
        monomials = _monomials(shapes.pop(), len(states))
        base = np.where(own if parts else own | ~live, low, 0.0)
        parts.append(TwoValued(monomials, base[code], flip[code], ~own[code], step))
        rest &= ~own
    return tuple(parts)


def _kinds(coefficients: Mapping[int, np.ndarray], what: str) -> tuple[np.ndarray, list[dict]]:
    """Number the different combinations of coefficients: the number of each instance, and the values."""
    code, kinds = np.zeros(1, np.int64), [{}]
    for k, x in coefficients.items():
        values = _few(x, what)
        code = code * len(values) + np.searchsorted(values, x)
        kinds = [{**kind, k: float(v)} for kind in kinds for v in values]
        if len(kinds) > MAX_COEFFICIENTS:
            raise Unsliced(f"{what} has couplings of many values")
    return code, kinds


def _few(x: np.ndarray, what: str) -> np.ndarray:
    """The different values of an array; a sample shows first whether there are few."""
    values = np.unique(x[: 64 * MAX_COEFFICIENTS])
    if len(values) <= MAX_COEFFICIENTS and len(x) > 64 * MAX_COEFFICIENTS:
        known = np.isin(x, values)
        values = values if known.all() else np.unique(x)
    if len(values) > MAX_COEFFICIENTS:
        raise Unsliced(f"{what} has couplings of many values")
    return values


def _values(e: Expr, states: list[int], domains: list, kind: dict[int, float]) -> list[float]:
    """Values over all configurations, the last site's bit changing fastest."""
    out = []
    for x in product(*(domain.values for domain in domains)):
        slots = {**kind, **dict(zip(states, x, strict=True))}
        out.append(evaluate(e, slots, {}))
    return out


def _monomials(truth: tuple[bool, ...], n: int) -> tuple[tuple[int, ...], ...]:
    """Algebraic normal form of a truth table that is 0 where all bits are 0."""
    found = []
    for size in range(1, n + 1):
        for chosen in combinations(range(n), size):
            parity = False
            for bits in product((0, 1), repeat=size):
                place = sum(bit << (n - 1 - k) for bit, k in zip(bits, chosen, strict=True))
                parity ^= bool(truth[place])
            if parity:
                found.append(chosen)
    return tuple(found)

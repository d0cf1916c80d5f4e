"""Which passes the field tier takes: discrete draws whose weights can be bounded along with their errors.

The bound is the classical one for sums of products: every leaf counts with its absolute value, and the
error is that bound times the number of roundings on the way to the result, in units of 2^-24.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from statmech_dsl.ir.draws import Categorical, Let
from statmech_dsl.ir.expr import Expr, call, const, evaluate, slots_of, walk
from statmech_dsl.ir.kernel import SIZE, Accumulate, Assign, FieldForm, Gather, Statement
from statmech_dsl.ir.model import Column, ModelIR

_EXACT = frozenset({"eq", "ne", "lt", "le", "sign"})


class _Refused(Exception):
    """Why a pass is not taken."""


@dataclass(frozen=True)
class _Bound:
    """Of an expression: largest absolute value, roundings, and degrees in sums and in beta (low, high)."""

    size: Expr
    roundings: int = 0
    sums: int = 0
    betas: tuple[int, int] = (0, 0)


def field_form(body: tuple[Statement, ...], exclusive: bool, ir: ModelIR) -> FieldForm | str:
    """What the field tier needs to run a body, or why it cannot."""
    if exclusive:
        return "every site depends on every other"
    match body:
        case (Accumulate() as sums, *lets, Categorical() as draw, Assign()) if all(
            isinstance(s, Let) for s in lets
        ):
            pass
        case _:
            return "only discrete values drawn by their weights are decided in float32"
    try:
        gathers = [_gather(g, ir) for g in sums.gathers]
        names = {n: _Bound(const(1.0), sums=1) for n in sums.names}
        names["beta"] = _Bound(const(1.0), 1, betas=(1, 1))
        for s in lets:
            assert isinstance(s, Let)
            names[s.name] = _bound(s.expr, lambda x: _named(x, names))
        weights = [_bound(w, lambda x: _named(x, names)) for w in draw.log_weights]
    except _Refused as reason:
        return str(reason)
    weights = [w for w in weights if w.size != const(0.0)]
    if not weights or any(w.sums != 1 or w.betas[1] > 1 for w in weights):
        return "its log weights are not proportional to sums over neighbors"
    return FieldForm(
        Accumulate((*sums.names, SIZE), tuple(g for g, _ in gathers)),
        max(float(w.size.attr) for w in weights),  # type: ignore[arg-type]
        max(w.roundings for w in weights) + max((n for _, n in gathers), default=0),
        any(w.betas[0] == 0 for w in weights),
    )


def _gather(g: Gather, ir: ModelIR) -> tuple[Gather, int]:
    """A gather that adds up sizes too, and the roundings of an incidence."""
    columns = g.role.columns
    bounds = [_bound(e, lambda x: _slot(x, columns, ir)) for _, e in g.terms]
    size = bounds[0].size
    for b in bounds[1:]:
        size = size if b.size == size else call("max", size, b.size)
    return replace(g, terms=(*g.terms, (SIZE, size))), max(b.roundings for b in bounds)


def _named(e: Expr, names: dict[str, _Bound]) -> _Bound | None:
    if e.op != "read":
        return None
    if e.attr not in names:
        raise _Refused(f"its log weights read {e.attr}")
    return names[e.attr]  # type: ignore[index]


def _slot(e: Expr, columns: tuple[Column, ...], ir: ModelIR) -> _Bound | None:
    """Bound of a slot, or of a function of one discrete variable, which has few values."""
    if e.op == "slot" and columns[e.attr].kind == "coefficient":  # type: ignore[index]
        return _Bound(call("abs", e), 1)
    if e.op == "slot" and columns[e.attr].kind == "sum":  # type: ignore[index]
        raise _Refused("a term reads a running sum")
    if e.op == "read":
        raise _Refused(f"a term reads {e.attr}")
    used = slots_of(e)
    if len(used) != 1 or (e.op != "slot" and is_polynomial(e)):
        return None
    column = columns[used.pop()]
    if column.kind != "state":
        return None
    values = ir.variable(column.array).domain.values
    if values is None:
        raise _Refused(f"it reads the continuous variable {column.array!r}")
    (k,) = slots_of(e)
    top = max(_finite(evaluate(e, {k: v}, {})) for v in values)
    return _Bound(const(top), 0 if e.op == "slot" else 1)


def _finite(x: Any) -> float:
    """Absolute value of a number that has one."""
    if not math.isfinite(x):
        raise _Refused("a term may be infinite")
    return abs(x)


def is_polynomial(e: Expr) -> bool:
    """Whether an expression has arithmetic and comparisons only."""
    cheap = {
        "const",
        "slot",
        "read",
        "add",
        "sub",
        "mul",
        "neg",
        "sqr",
        "abs",
        "min",
        "max",
        "where",
    }
    return all(x.op in cheap or x.op in _EXACT for x in walk(e))


def _bound(e: Expr, leaf: Callable[[Expr], _Bound | None]) -> _Bound:
    found = leaf(e)
    if found is not None:
        return found
    if e.op == "const":
        return _Bound(const(_finite(e.attr)), 1)
    if e.op in _EXACT or e.op == "where":
        _require_exact(e if e.op in _EXACT else e.args[0], leaf)
    if e.op in _EXACT:
        return _Bound(const(1.0))
    a = [_bound(x, leaf) for x in (e.args[1:] if e.op == "where" else e.args)]
    roundings = max(b.roundings for b in a)
    match e.op:
        case "neg" | "abs":
            return a[0]
        case "add" | "sub":
            parts = [b for b in a if b.size != const(0.0)] or a[:1]
            if len({b.sums for b in parts}) > 1:
                raise _Refused("its log weights are not proportional to sums over neighbors")
            return _joined(call("add", a[0].size, a[1].size), roundings + 1, parts)
        case "min" | "max" | "where":
            return _joined(call("max", a[0].size, a[1].size), roundings, a)
        case "mul" | "sqr":
            x, y = a[0], a[-1]
            betas = (x.betas[0] + y.betas[0], x.betas[1] + y.betas[1])
            n = x.roundings + y.roundings + 1
            return _Bound(call("mul", x.size, y.size), n, x.sums + y.sums, betas)
    raise _Refused(f"{e.op} of couplings, or of several variables, has no bound in float32")


def _joined(size: Expr, roundings: int, parts: list[_Bound]) -> _Bound:
    low, high = min(b.betas[0] for b in parts), max(b.betas[1] for b in parts)
    return _Bound(size, roundings, max(b.sums for b in parts), (low, high))


def _require_exact(e: Expr, leaf: Callable[[Expr], _Bound | None]) -> None:
    """Comparisons must come out alike in both precisions: of whole numbers that float32 holds."""
    whole = all(x.op != "const" or float(x.attr).is_integer() for x in walk(e))  # type: ignore[arg-type]
    sizes = [_bound(x, leaf).size for x in e.args]
    small = all(x.op == "const" and float(x.attr) < 2**24 for x in sizes)  # type: ignore[arg-type]
    if not (whole and small and is_polynomial(e)):
        raise _Refused("it compares numbers that are rounded")

"""Energies that may be infinite: what is forbidden must not be what others are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statmech_dsl.ir.draws import old
from statmech_dsl.ir.expr import Expr, read, slots_of, substitute, walk
from statmech_dsl.ir.kernel import LocalEnergy
from statmech_dsl.ir.model import Family, ModelIR, Tables
from statmech_dsl.lower.laws import Body, map_exprs


def against_present(body: Body, components: int) -> Body:
    """The same statements with local energies relative to the present value, which is allowed."""
    present, later = old(components), dict[str, Expr]()
    out = []

    def renumbered(e: Expr) -> Expr:
        return substitute(e, lambda x: later.get(str(x.attr)))

    for s in body:
        s = map_exprs(s, renumbered)
        if isinstance(s, LocalEnergy) and s.at[0] != present:
            later.update((f"{s.name}.{c}", read(f"{s.name}.{c + 1}")) for c in range(len(s.at)))
            s = replace(s, at=(present, *s.at))
        out.append(s)
    return tuple(out)


def may_be_infinite(f: Family, ir: ModelIR, tables: Tables) -> bool:
    """Whether a term may be infinite at some values of its variables.

    Energies hold no infinite coupling. Log-densities are infinite where a value is impossible: they
    say so by a constant, by a table of logarithms, or by a logarithm or division of the states.
    """
    coefficients = {c.array for c in f.columns if c.kind == "coefficient"}
    if any(np.isinf(tables[name]).any() for name in coefficients):
        return True

    def lowest(k: int) -> float:
        """Smallest value of what a slot reads, now."""
        c = f.columns[k]
        if c.kind == "coefficient":
            return float(np.min(tables[c.array]))
        values = ir.variable(c.array).domain.values if c.kind == "state" else None
        return values[0] if values else -np.inf

    def lowest_ever(k: int) -> float:
        """The same for all couplings: they may change, and their sign with them."""
        return -np.inf if f.columns[k].kind == "coefficient" else lowest(k)

    for e in walk(f.expr):
        if e.op == "const" and np.isinf(e.attr):  # type: ignore[call-overload]
            return True
        if e.op not in ("log", "div"):
            continue
        # A logarithm is infinite on one side of 0, a division only there.
        low = _low(e.args[-1], lowest if e.op == "div" else lowest_ever)
        if low <= 0 and any(f.columns[k].kind != "coefficient" for k in slots_of(e.args[-1])):
            return True
    return False


def _low(e: Expr, lowest: Callable[[int], float]) -> float:
    """A lower bound of an expression, as far as it is easily seen; 0 < x counts as the smallest number."""
    a = [_low(x, lowest) for x in e.args]
    match e.op:
        case "const":
            return float(e.attr)  # type: ignore[arg-type]
        case "slot":
            return lowest(e.attr)  # type: ignore[arg-type]
        case "exp" | "exp2":
            return np.finfo(float).tiny
        case "add":
            return a[0] + a[1]
        case "mul" | "div" if min(a) >= 0:
            return np.finfo(float).tiny if min(a) > 0 else 0.0
        case "sqr" if a[0] > 0:
            return a[0] ** 2
        case "sqr" | "abs":
            return max(a[0], 0.0)
        case "max":
            return max(a)
        case "min":
            return min(a)
        case "where":
            return min(a[1:])
        case "eq" | "ne" | "lt" | "le":
            return 0.0
    return -np.inf

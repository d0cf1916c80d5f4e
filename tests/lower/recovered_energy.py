"""The energy of a recovered model, evaluated straight from the definition of the IR."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Family
from statmech_dsl.lower.recovery import Recovered

OPS: dict[str, Callable] = {
    **{"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative},
    **{"sqr": np.square, "abs": np.abs, "sign": np.sign, "floor": np.floor, "sqrt": np.sqrt},
    **{"min": np.minimum, "max": np.maximum, "where": np.where, "atan2": np.arctan2},
    **{"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal},
    **{"exp": np.exp, "exp2": np.exp2, "log": np.log, "sin": np.sin, "cos": np.cos},
}


def evaluate(e: Expr, slots: list[np.ndarray]) -> np.ndarray:
    """Expression over columns."""
    if e.op == "const":
        return np.float64(e.attr)  # type: ignore[arg-type]
    if e.op == "slot":
        return slots[e.attr]  # type: ignore[index]
    return np.float64(1.0) * OPS[e.op](*(evaluate(x, slots) for x in e.args))


States = dict[str, np.ndarray]


def terms(r: Recovered, f: Family, states: States, sums: States) -> np.ndarray:
    """Values of all instances of a family."""
    n = f.n_instances(r.tables)
    columns = []
    for c in f.columns:
        if c.kind == "state":
            source = states[c.array].reshape(-1, r.ir.variable(c.array).domain.components)[
                :, c.component
            ]
        else:
            source = r.tables[c.array] if c.kind == "coefficient" else sums[c.array]
        columns.append(source[r.tables[c.index] if c.index else np.zeros(n, int)].astype(float))
    return np.broadcast_to(evaluate(f.expr, columns), n)


def running_sums(r: Recovered, states: States) -> States:
    """Running sums from scratch."""
    sums = {s.name: np.zeros(s.size) for s in r.ir.sums}
    for f in r.ir.families:
        if f.feeds:
            element = r.tables[f.element] if f.element else np.zeros(f.n_instances(r.tables), int)
            np.add.at(sums[f.feeds], element, terms(r, f, states, {}))
    return sums


def energy(r: Recovered, states: States) -> float:
    """Total energy."""
    sums = running_sums(r, states)
    return float(sum(terms(r, f, states, sums).sum() for f in r.ir.energy_families))


def touching(r: Recovered, f: Family, variable: str, site: int) -> np.ndarray:
    """Which instances of a family read a site."""
    hit = np.zeros(f.n_instances(r.tables), bool)
    for c in f.columns:
        if c.kind == "state" and c.array == variable:
            assert c.index
            hit |= r.tables[c.index] == site
    return hit


def local_difference(r: Recovered, old: States, new: States, variable: str, site: int) -> float:
    """Energy difference from the instances that read a site, and through the sums that it feeds."""
    sums = running_sums(r, old)
    moved = {name: x.copy() for name, x in sums.items()}
    for f in r.ir.families:
        if f.feeds:
            hit = touching(r, f, variable, site)
            element = r.tables[f.element] if f.element else np.zeros(len(hit), int)
            change = terms(r, f, new, {}) - terms(r, f, old, {})
            np.add.at(moved[f.feeds], element[hit], change[hit])
    total = 0.0
    for f in r.ir.energy_families:
        change = terms(r, f, new, moved) - terms(r, f, old, sums)
        reads_sums = any(c.kind == "sum" for c in f.columns)
        total += change[touching(r, f, variable, site) | reads_sums].sum()
    return float(total)

"""From the factors of a model and given states to the local fields of a variable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.inference.pseudolikelihood.local_fields import Block, Fields
from statmech_dsl.inference.pseudolikelihood.separable import products
from statmech_dsl.ir.arrays import evaluate
from statmech_dsl.ir.expr import Expr, at_values, const, difference, slot, slots_of
from statmech_dsl.ir.model import Family, ModelIR, Tables, Variable
from statmech_dsl.lower.derivative import derivative
from statmech_dsl.lower.incidence import Occurrence, occurrences
from statmech_dsl.solvers.evaluate import slot_values
from statmech_dsl.solvers.system import Values


@dataclass(frozen=True, eq=False)
class Sites:
    """The free sites of a variable in given states.

    Attributes
    ----------
    variable : Variable
        The variable.
    own : tuple of Expr
        Own functions of a continuous variable, in which slot k is component k of the site.
    seen : ndarray, shape (r, sites, states)
        Their values; of a discrete variable, whether it has value number r + 1.
    fields : Fields
        What they are multiplied by.
    """

    variable: Variable
    own: tuple[Expr, ...]
    seen: np.ndarray
    fields: Fields


def site_terms(
    ir: ModelIR, tables: Tables, values: Values, first: dict[str, int], n_entries: int, name: str
) -> Sites:
    """Collect all terms of the energy that a variable occurs in.

    Parameters
    ----------
    ir, tables, values
        The model and states; what T does not divide does not count.
    first : dict of str to int
        Tables of couplings, and where each begins in their vector, which has ``n_entries``.
    name : str
        The variable.

    Raises
    ------
    InfeasibleError
        A term is not of the form that is needed.
    """
    v = ir.variable(name)
    free = tables[v.free].astype(int)
    position = np.full(v.n_sites, -1)
    position[free] = np.arange(len(free))
    n = next(iter(values.values())).shape[1]
    x = values[name].reshape(v.n_sites, -1, n)[free]
    own: dict[Expr, int] = {}
    blocks: list[Block] = []
    fixed: list[Block] = []
    for o in occurrences(ir, tables, name):
        f = o.family
        if f.feeds is None and not f.tempered:
            continue
        if f.feeds is not None or any(c.kind == "sum" for c in f.columns):
            raise InfeasibleError(
                f"one-site conditionals need local terms; {f.term!r} is a function of a sum over sites",
                mend="use method='exchange' or 'path'",
            )
        couplings = [
            k for k, c in enumerate(f.columns) if c.kind == "coefficient" and c.array in first
        ]
        bare = at_values(f.expr, {k: const(0.0) for k in couplings})
        for k, e in [(None, bare), *((k, derivative(f.expr, k)) for k in couplings)]:
            for r, other in _parts(e, o, v, own):
                B, which = _others(other, o, ir, tables, values, n)
                entry = np.zeros(len(o.sites), int)
                if k is not None:
                    c = f.columns[k]
                    index = 0 if c.index is None else tables[c.index][o.instances].astype(int)
                    entry += first[c.array] + index
                block = Block(r, B, position[o.sites], which, entry, len(free))
                (fixed if k is None else blocks).append(block)
    if v.domain.values is None:
        seen = np.array(
            [np.broadcast_to(evaluate(a, list(x.swapaxes(0, 1))), (len(free), n)) for a in own]
        )
    else:
        seen = np.array([x[:, 0] == u for u in v.domain.values[1:]], float)
    constant = np.zeros((len(seen), len(free), n))
    for b in fixed:
        constant[b.r] += b.times(np.ones(1))
    if not np.isfinite(constant).all():
        raise InfeasibleError(
            "one-site conditionals next to forbidden states are not defined here",
            where=f"variable {name!r}",
            mend="use method='exchange'",
        )
    return Sites(v, tuple(own), seen, Fields(constant, blocks, n_entries))


def _parts(e: Expr, o: Occurrence, v: Variable, own: dict[Expr, int]) -> Iterator[tuple[int, Expr]]:
    """Numbers of own functions, and what a term multiplies each by; new ones are added to ``own``."""
    if v.domain.values is not None:
        low, *rest = ({k: const(u) for k in o.own} for u in v.domain.values)
        for r, high in enumerate(rest):
            if (other := difference(e, high, low)) != const(0.0):
                yield r, other
        return
    found = products(e, set(o.own))
    if found is None:
        raise InfeasibleError(
            f"the one-site conditional of {v.name!r} needs terms that are sums of products of a function "
            f"of one site and one of the others; {o.family.term!r} is none",
            mend="use method='exchange' or 'path'",
        )
    components = {k: slot(c) for k, c in zip(o.own, o.components, strict=True)}
    for mine, other in found:
        mine = at_values(mine, components)
        if mine.op == "neg":
            mine, other = mine.args[0], -other
        if slots_of(mine) and other != const(0.0):
            yield own.setdefault(mine, len(own)), other


def _others(
    e: Expr, o: Occurrence, ir: ModelIR, tables: Tables, values: Values, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Different values of an expression in all states, [other, state], and which each occurrence reads."""
    f: Family = o.family
    used = sorted(slots_of(e))
    indices = sorted({i for k in used if (i := f.columns[k].index) is not None})
    which = np.zeros(len(o.sites), int)
    local = dict(tables)
    if indices:
        rows = np.stack([tables[i][o.instances] for i in indices], axis=1)
        distinct, which = np.unique(rows, axis=0, return_inverse=True)
        local |= dict(zip(indices, distinct.T, strict=True))
    slots = [
        slot_values(c, ir, local, values, {}) if k in used else np.zeros(1)
        for k, c in enumerate(f.columns)
    ]
    count = len(local[indices[0]]) if indices else 1
    return np.array(np.broadcast_to(evaluate(e, slots), (count, n)), float), which.reshape(-1)

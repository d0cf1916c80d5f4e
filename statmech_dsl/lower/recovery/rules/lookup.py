"""Indices that are states: ``table[s]`` reads s, and all entries of ``table`` that s may select."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import product as combinations
from math import prod
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.subtensor import AdvancedSubtensor

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, call, evaluate, slot
from statmech_dsl.lower.recovery.algebra import elementwise, reshape, take
from statmech_dsl.lower.recovery.rules.elementwise import attained
from statmech_dsl.lower.recovery.rules.positions import moved_by
from statmech_dsl.lower.recovery.sums import MAX_ARITY
from statmech_dsl.lower.recovery.terms import Term, Value
from statmech_dsl.lower.recovery.walker import Walker

MAX_ENTRIES = 64
"""Largest number of entries of a table that are written out."""


def refuse_indices() -> NonLocalEnergyError:
    """Error for an index that is a state where it would choose among sites."""
    return NonLocalEnergyError(
        "an index depends on the states, so that any site may interact with any other",
        mend="index a table of numbers by a discrete variable, table[s], or sum over all k with "
        "pt.eq(s, k)",
    )


def look_up(op: Any, node: Apply, walk: Walker) -> Value:
    """``table[..., s, ...]``: a choice among the entries that the values of s select."""
    table, *indices = node.inputs
    choosing = [n for n, x in enumerate(indices) if walk.depends(x)]
    states = [walk.collapse(walk(indices[n])) for n in choosing]
    states = [replace(v, terms=tuple(_plain(t, walk) for t in v.terms)) for v in states]
    values = [_values(v, walk) for v in states]
    if prod(len(x) for x in values) > MAX_ENTRIES:
        raise NonLocalEnergyError(
            f"a table with {prod(len(x) for x in values)} entries is indexed by states; "
            f"at most {MAX_ENTRIES} are written out",
            mend="write the table as a formula",
        )
    if walk.depends(table) and prod(len(x) for x in values) > MAX_ARITY:
        raise refuse_indices()
    shape, entries = walk.shape_of(table), walk(table)
    chosen = list(combinations(*values))
    branches = []
    fixed = [None if n in choosing else walk.known.structure(x) for n, x in enumerate(indices)]
    for choice in chosen:
        given = list(fixed)
        for n, v, number in zip(choosing, states, choice, strict=True):
            given[n] = np.full(v.shape, number, np.int64)
        source = moved_by(op, [shape], indices, given)
        branches.append(walk.collapse(take(entries, source)))
    trailing = _trailing_axes(op, len(shape))
    states = [reshape(v, (*v.shape, *(1,) * trailing)) for v in states]

    def build(*e: Expr) -> Expr:
        index, entry = e[: len(states)], e[len(states) :]
        result = entry[-1]
        for choice, x in zip(chosen[-2::-1], entry[-2::-1], strict=True):
            match = [call("eq", i, float(n)) for i, n in zip(index, choice, strict=True)]
            result = call("where", reduce(lambda a, b: a * b, match), x, result)
        return result

    return elementwise(build, [*states, *branches])


def _plain(t: Term, walk: Walker) -> Term:
    """Drop what does nothing to the values that occur, such as clipping into their range."""
    if len(t.leaves) != 1 or t.leaves[0].kind != "state":
        return t
    if (values := walk.domains[t.leaves[0].array].values) is None:
        return t
    same = all(evaluate(t.expr, [x], {}) == x for x in values)
    return replace(t, expr=slot(0)) if same else t


def _values(v: Value, walk: Walker) -> list[int]:
    """All values of an index, in ascending order."""
    found = set()
    for t in v.terms:
        values = attained(t, walk)
        if values is None:
            raise refuse_indices()
        found |= {int(x) for x in values}
    return sorted(found)


def _trailing_axes(op: Any, n_axes: int) -> int:
    """Number of axes of the result after those of the index arrays."""
    if not isinstance(op, AdvancedSubtensor):
        return 0
    arrays = [p for p, entry in enumerate(op.idx_list) if isinstance(entry, int)]
    if arrays[-1] - arrays[0] + 1 > len(arrays):  # a slice in between: NumPy puts them first
        return n_axes - len(arrays)
    return n_axes - 1 - arrays[-1]

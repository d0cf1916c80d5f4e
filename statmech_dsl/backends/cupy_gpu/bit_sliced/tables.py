"""The arrays of a bit-sliced kernel: where ranks read, in the order in which threads visit them.

States lie in rows by rank, so that what neighboring ranks read is often a run of neighboring rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Column, Terms

GROUP = 32
"""Words of sites that neighboring threads visit, and ranks among which a stream has a quad."""
LISTED = 1 << 31
"""Mark of a group whose places are listed one by one."""
ROWS = 15
"""Terms that an adder takes at once, where words hold replicas."""
ROUNDS = 32
"""Times that a thread uses this adder."""

Rows = Mapping[str, np.ndarray]
"""Row of each site or word of a variable by number, and after the last one that of zeros."""
Arguments = dict[str, np.ndarray | int]


def of_pass(terms: Terms, rows: Rows, name: str, folded: bool) -> Arguments:
    """Arguments of a pass, which end in ``name``."""
    if folded:
        fixed = _stack([_whole(x, GROUP) for x in terms.fixed], 0, np.uint64)
        return _places(terms, rows, name) | {f"fixed{name}": fixed, f"ranks{name}": fixed.shape[-1]}
    signs = [_quads(np.where(x, 255, 0).astype(np.uint8)).view(np.uint32) for x in terms.fixed]
    quads = [_quads(_rows(c, rows)) for c in terms.columns]
    return {f"quads{name}": _stack(quads), f"fixed{name}": _stack(signs)}


def of_sum(terms: Terms, rows: Rows, name: str, folded: bool) -> Arguments:
    """Arguments of a sum: its terms in the order of the rows of their first column, in whole parts."""
    part = GROUP * GROUP if folded else ROWS * ROUNDS
    order = np.argsort(_rows(terms.columns[0], rows), kind="stable")
    missing = -len(order) % part
    columns = []
    for c in terms.columns:
        zeros = np.full(missing, len(rows[c.variable]) - 1)
        turn = None if c.turn is None else np.append(c.turn[order], 0 * zeros)
        columns.append(Column(c.variable, np.append(c.index[order], zeros), turn))
    fixed = [np.append(x[order], np.zeros(missing, x.dtype)) for x in terms.fixed]
    ordered = replace(terms, columns=columns)
    out: Arguments = {f"parts{name}": (len(order) + missing) // part}
    if folded:
        return out | _places(ordered, rows, name) | {f"fixed{name}": _stack(fixed, 0, np.uint64)}
    signs = [np.where(x, 2**32 - 1, 0).astype(np.uint32) for x in fixed]
    return out | {
        f"list{name}": _stack([_rows(c, rows) for c in columns]),
        f"fixed{name}": _stack(signs),
    }


def _places(terms: Terms, rows: Rows, name: str) -> Arguments:
    """Places [group, column] of words of sites, and those that are listed: pairs of a row and a turn."""
    places, lists, n = [], [np.zeros((0, 2), np.uint32)], 0
    for c in terms.columns:
        row = _whole(_rows(c, rows), GROUP)
        turn = np.zeros_like(row) if c.turn is None else _whole(c.turn, GROUP)
        each = np.stack([row, turn.astype(np.uint32)], axis=-1).reshape(-1, GROUP, 2)
        steps = np.diff(each.astype(np.int64), axis=1)
        listed = np.flatnonzero(~(steps == [1, 0]).all(axis=(1, 2)))
        place = each[:, 0].copy()
        place[listed, 0] = n + GROUP * np.arange(len(listed))
        place[listed, 1] = LISTED
        places.append(place)
        lists.append(each[listed].reshape(-1, 2))
        n += GROUP * len(listed)
    return {f"places{name}": _stack(places), f"listed{name}": np.concatenate(lists)}


def _rows(c: Column, rows: Rows) -> np.ndarray:
    return rows[c.variable][c.index].astype(np.uint32)


def _whole(x: np.ndarray, multiple: int) -> np.ndarray:
    """Repeat the last rank until there is a whole number of groups."""
    return np.concatenate([x, np.repeat(x[-1:], -len(x) % multiple)])


def _quads(x: np.ndarray) -> np.ndarray:
    """Ranks k, k + 8, k + 16, k + 24 of each group, for k = 0, ..., 7."""
    four = _whole(x, GROUP).reshape(-1, 4, GROUP // 4).transpose(0, 2, 1)
    return np.ascontiguousarray(four).reshape(-1, 4)


def _stack(parts: list[np.ndarray], axis: int = 1, dtype: type = np.uint32) -> np.ndarray:
    return np.stack(parts, axis) if parts else np.zeros((1, 1), dtype)

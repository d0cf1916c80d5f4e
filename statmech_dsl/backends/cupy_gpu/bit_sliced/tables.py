"""The arrays of a bit-sliced kernel: where ranks read, in the order in which threads visit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from statmech_dsl.backends.cupy_gpu.bit_sliced.layout import GROUP, in_quads
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Column, Terms

LISTED = 1 << 31
"""Mark of a group of words or of a quad whose places are listed one by one."""
ROWS = 7
"""Quads that an adder takes at once."""
ROUNDS = 32
"""Times that a thread uses this adder."""

Rows = Mapping[str, np.ndarray]
"""Row of each site or word of a variable by number, and after the last one that of zeros."""
Arguments = dict[str, np.ndarray | int]


def bounds(segments: np.ndarray, runs: np.ndarray, fold: int) -> np.ndarray:
    """First and last rank (word, under a fold) of each run, its kind, and whether it ends a color."""
    first, last, kind = runs[:-1, 0], runs[1:, 0], runs[:-1, 1]
    ends = np.isin(last, segments)
    return np.stack([first // fold, last // fold, kind, ends], axis=1).astype(np.int64)


def of_terms(terms: Terms, rows: Rows, name: str, folded: bool) -> Arguments:
    """Arguments, ending in ``name``, for what the ranks of a pass or the terms of a sum read."""
    if folded:
        fixed = _stack([_whole(x) for x in terms.fixed], 0, np.uint64)
        fixed = _beyond(fixed.T, GROUP).T
        places, listed = _word_places(terms, rows)
        out: Arguments = {f"places{name}": places, f"listed{name}": listed, f"fixed{name}": fixed}
        return out | {f"ranks{name}": fixed.shape[-1]}
    signs = [in_quads(_whole(np.where(x, 255, 0).astype(np.uint8))) for x in terms.fixed]
    places, listed = _quad_places(terms, rows)
    fixed = _beyond(_stack([x.view(np.uint32)[:, 0] for x in signs]), GROUP // 2)
    return {f"places{name}": places, f"listed{name}": listed, f"fixed{name}": fixed}


def of_sum(terms: Terms, rows: Rows, name: str, folded: bool) -> Arguments:
    """Arguments of a sum, whose terms are put in an order in which they read runs of rows."""
    part = GROUP * GROUP if folded else 4 * ROWS * ROUNDS
    order = _in_runs(_rows(terms.columns[0], rows))
    missing = -len(order) % part
    columns = []
    for c in terms.columns:
        zeros = np.full(missing, len(rows[c.variable]) - 1)
        turn = None if c.turn is None else np.append(c.turn[order], 0 * zeros)
        columns.append(Column(c.variable, np.append(c.index[order], zeros), turn))
    fixed = [np.append(x[order], np.zeros(missing, x.dtype)) for x in terms.fixed]
    ordered = replace(terms, columns=columns, fixed=fixed)
    parts = (len(order) + missing) // part
    return {f"parts{name}": parts} | of_terms(ordered, rows, name, folded)


def _in_runs(row: np.ndarray) -> np.ndarray:
    """An order in which each row comes once in rising order, then each that is left, and so on."""
    order = np.argsort(row, kind="stable")
    sorted_ = row[order]
    again = np.arange(len(row)) - np.searchsorted(sorted_, sorted_)
    return order[np.argsort(again, kind="stable")]


def _word_places(terms: Terms, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Places [group, column] of words of sites, and those that are listed: pairs of a row and a turn."""
    places, lists, n = [], [], 0
    for c in terms.columns:
        row = _whole(_rows(c, rows))
        turn = np.zeros_like(row) if c.turn is None else _whole(c.turn)
        each = np.stack([row, turn.astype(np.uint32)], axis=-1).reshape(-1, GROUP, 2)
        steps = np.diff(each.astype(np.int64), axis=1)
        listed = np.flatnonzero(~(steps == [1, 0]).all(axis=(1, 2)))
        place = each[:, 0].copy()
        place[listed, 0] = n + GROUP * np.arange(len(listed))
        place[listed, 1] = LISTED
        places.append(place)
        lists.append(each[listed].reshape(-1, 2))
        n += GROUP * len(listed)
    return _beyond(_stack(places), 2), np.concatenate(lists) if lists else _stack([])


def _quad_places(terms: Terms, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Places [quad, column]; where the rows of a column do not follow each other, all columns are listed."""
    places, bytes_ = [], []
    for c in terms.columns:
        row = in_quads(_whole(_rows(c, rows))).astype(np.int64)
        row += np.where(row == rows[c.variable][-1], 8 * np.arange(4), 0)  # all zeros there
        quad, byte = row // GROUP * 8 + row % 8, row % GROUP // 8
        follow = (np.diff(row, axis=1) == 8).all(axis=1)
        places.append(np.where(follow, quad[:, 0] | byte[:, 0] << 29, LISTED).astype(np.uint32))
        bytes_.append((4 * quad + byte).astype(np.uint32))
    place = _stack(places)
    listed = (place == LISTED).any(axis=1)
    place[listed] = len(places) * np.arange(listed.sum())[:, None] | LISTED
    return _beyond(place, GROUP // 2), _stack([x[listed] for x in bytes_])


def _beyond(x: np.ndarray, n: int) -> np.ndarray:
    """Add what is read ahead of the last words, up to two of a stream."""
    return np.concatenate([x, np.zeros((n, *x.shape[1:]), x.dtype)])


def _rows(c: Column, rows: Rows) -> np.ndarray:
    return rows[c.variable][c.index].astype(np.uint32)


def _whole(x: np.ndarray) -> np.ndarray:
    """Repeat the last rank until there is a whole number of groups."""
    return np.concatenate([x, np.repeat(x[-1:], -len(x) % GROUP)])


def _stack(parts: list[np.ndarray], axis: int = 1, dtype: type = np.uint32) -> np.ndarray:
    return np.stack(parts, axis) if parts else np.zeros((1, 1), dtype)

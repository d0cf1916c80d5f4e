"""Compiled sorting of integers: 10^6 sites must lower in about a second."""

from __future__ import annotations

import numpy as np

from statmech_dsl.compiled import compiled


def group(keys: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stable counting sort: the positions ordered by key, and where each key begins (n + 1 numbers)."""
    return _group(np.ascontiguousarray(keys, np.uint32), n)  # one type: compiled once


@compiled
def _group(keys: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    start = np.zeros(n + 1, np.int64)
    for k in keys:
        start[k + 1] += 1
    for k in range(n):
        start[k + 1] += start[k]
    fill = start[:n].copy()
    order = np.empty(len(keys), np.uint32)
    for m in range(len(keys)):
        k = keys[m]
        order[fill[k]] = m
        fill[k] += 1
    return order, start

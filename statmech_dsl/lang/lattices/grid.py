"""Reading arrays over the cells of a lattice at a distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ahead(grid: np.ndarray, offset: Sequence[int], periodic: Sequence[bool]) -> np.ndarray:
    """Return for each cell the grid's entry `offset` cells ahead, or -1 beyond an open end.

    Examples
    --------
    >>> ahead(np.array([10, 20, 30]), (1,), (True,))
    array([20, 30, 10])
    >>> ahead(np.array([10, 20, 30]), (1,), (False,))
    array([20, 30, -1])
    """
    for axis, (step, wraps) in enumerate(zip(offset, periodic, strict=True)):
        if step:
            grid = np.roll(grid, -step, axis)
            if not wraps:
                beyond = slice(-step, None) if step > 0 else slice(None, -step)
                grid[(slice(None),) * axis + (beyond,)] = -1
    return grid

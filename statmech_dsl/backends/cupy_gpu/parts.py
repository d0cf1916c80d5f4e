"""How the instances of a family are shared out among threads that add them up.

`ir.reduction` adds groups of 8 instances one after the other. On a card, threads each add some of the
groups of an element: part j of n takes the groups j, j + n, ...; the first part begins with the instances
before the first full group, the last one ends with those after the last. A second stage adds the parts in
order. So a part alone is the definition, and the number of parts follows from the number of instances alone.
"""

from __future__ import annotations

import numpy as np

PART = 1024
"""Instances from which on an element has several parts."""
MOST = 1 << 14
"""Parts of an element."""


def parts(
    element: np.ndarray | None, n_instances: int, size: int, several: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Parts and their starts.

    Rows of parts are: element, first instance, end, number among the element's parts, how many. The parts of
    element e are those from ``starts[e]`` to ``starts[e + 1]``.

    Examples
    --------
    >>> parts(np.array([0, 0, 2]), 3, 3, True)[0].T.tolist()
    [[0, 0, 2, 0, 1], [2, 2, 3, 0, 1]]
    """
    if element is None:
        element = np.zeros(n_instances, np.int64)
    counts = np.bincount(element, minlength=size)
    ends = np.cumsum(counts)
    wanted = np.minimum(-(-counts // PART), MOST) if several else np.sign(counts)
    starts = np.concatenate([[0], np.cumsum(wanted)])
    which = np.repeat(np.arange(size), wanted)
    number = np.arange(len(which)) - starts[which]
    rows = [which, ends[which] - counts[which], ends[which], number, wanted[which]]
    return np.array(rows), starts

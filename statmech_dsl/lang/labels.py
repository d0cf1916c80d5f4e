"""What single sites are called where variables have no arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def site_labels(
    variables: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]], coords: Mapping[Any, Any]
) -> list[Any]:
    """Labels of all sites of variables with these dimensions and shapes.

    The sites of one vector have their coordinate, or the numbers 0 .. n-1; others the name of the variable
    and the indices.

    Examples
    --------
    >>> site_labels({"s": (("city",), (2,))}, {"city": ["Rome", "Oslo"]})
    ['Rome', 'Oslo']
    >>> site_labels({"s": (("x", "y"), (1, 2)), "t": (("z",), (1,))}, {})
    ['s[0,0]', 's[0,1]', 't[0]']
    """
    if len(variables) == 1:
        ((dims, shape),) = variables.values()
        if len(shape) == 1:
            return np.asarray(coords.get(dims[0], np.arange(shape[0]))).tolist()
    return [
        f"{name}[{','.join(map(str, index))}]"
        for name, (_, shape) in variables.items()
        for index in np.ndindex(shape)
    ]

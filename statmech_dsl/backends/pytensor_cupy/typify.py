"""Values on their way to the device and back."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from scipy import sparse

from statmech_dsl.backends.pytensor_cupy import array_module


@singledispatch
def cupy_typify(value: Any) -> Any:
    """The value on the device; what lies there already, or has no place there, as it is.

    Register a function to bring other types there.

    Examples
    --------
    >>> cupy_typify(slice(1, 3))
    slice(1, 3, None)
    """
    return value


@cupy_typify.register(np.ndarray)
@cupy_typify.register(np.generic)
def _array(value: np.ndarray | np.generic) -> Any:
    return array_module.load().asarray(value)


@cupy_typify.register(sparse.spmatrix)
@cupy_typify.register(sparse.sparray)
def _sparse(value: Any) -> Any:
    kind = getattr(array_module.load("cupyx.scipy.sparse"), f"{value.format}_matrix")
    return kind(value)


def to_host(value: Any) -> Any:
    """The value as a NumPy array or SciPy matrix; what lies on the host already as it is."""
    return value.get() if hasattr(value, "get") else value

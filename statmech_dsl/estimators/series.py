"""The one way in for Monte Carlo series: checked float64 arrays (chains, draws, ...)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statmech_dsl.errors import DiagnosticsError


def as_series(values: ArrayLike, name: str = "series") -> NDArray[np.float64]:
    """Check a Monte Carlo series and bring it to one shape.

    Parameters
    ----------
    values : array_like, shape (draws,) or (chains, draws, ...)
        One chain, or several of the same length.
    name : str
        What the error messages call it.

    Returns
    -------
    ndarray, shape (chains, draws, ...)
        The same values in float64.

    Raises
    ------
    DiagnosticsError
        If there are fewer than two draws in all, or one of them is NaN or infinite.

    Examples
    --------
    >>> as_series([1, 2, 3]).shape
    (1, 3)
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 1:
        series = series[np.newaxis]
    if series.ndim < 2 or series.shape[0] * series.shape[1] < 2:
        raise DiagnosticsError(
            f"an error bar needs at least two draws, got an array of shape {np.shape(values)}",
            where=name,
            mend="pass an array of shape (draws,) or (chains, draws)",
        )
    if not np.isfinite(series).all():
        chain, draw, *_ = np.argwhere(~np.isfinite(series))[0]
        raise DiagnosticsError(
            "a draw is NaN or infinite, so that it has no mean",
            where=f"{name}, chain {chain}, draw {draw}",
            mend="look for a division by zero or a log of zero in the energy or observable",
        )
    return series

"""A tempering ladder at a glance: whether all neighbors swap, and replicas travel."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from statmech_dsl.errors import DiagnosticsError

PATHS = 4
"""Replicas whose paths are drawn: more hide each other."""


def ladder(data: xr.DataTree, *, chain: int = 0) -> Figure:
    """Plot the swaps, the barrier and the paths of some replicas of a tempering run.

    Parameters
    ----------
    data : xarray.DataTree
        What `temper` returned.
    chain : int
        The chain whose replicas are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels: acceptance of swaps and barrier against T, and the temperature index of replicas
        against draws.

    Raises
    ------
    DiagnosticsError
        If the run swapped no temperatures.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.temper(model, T=[1.0, 2.0, 3.0], draws=50, seed=1, progressbar=False)
    >>> figure = ladder(data)
    >>> [axes.get_title() for axes in figure.axes]
    ['swaps', 'barrier', 'paths of replicas']
    >>> plt.close(figure)
    """
    if "sample_stats" not in data.children or "temperature_index" not in data["sample_stats"]:
        raise DiagnosticsError(
            "this run has no ladder", mend="pass the DataTree that temper returns"
        )
    stats = data["sample_stats"].to_dataset()
    T = stats["T"].values
    finite = np.where(np.isfinite(T), T, np.nan)  # an infinite temperature has no place on the axis
    figure, (swaps, barrier, paths) = plt.subplots(
        1, 3, figsize=(9.6, 2.9), width_ratios=(1, 1, 1.6), layout="constrained"
    )
    rungs = (finite[1:] + finite[:-1]) / 2
    swaps.plot(rungs, stats["swap_acceptance"].mean("chain"), "o-", ms=3, color="#0072B2")
    swaps.set(title="swaps", ylabel="mean probability", ylim=(0, 1))
    barrier.plot(finite, stats["barrier"], "o-", ms=3, color="#0072B2")
    barrier.set(title="barrier", ylabel="sum of rejections", ylim=(0, None))
    for axes in (swaps, barrier):
        axes.set(xlabel="T")
    index = stats["temperature_index"].sel(chain=chain).transpose("draw", "replica").values
    some = np.unique(np.linspace(0, index.shape[1] - 1, PATHS).astype(int))
    paths.plot(index[:, some], lw=0.8)
    paths.set(title="paths of replicas", xlabel="draw", ylabel="index of T")
    return figure

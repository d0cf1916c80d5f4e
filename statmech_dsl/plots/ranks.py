"""Ranks of true parameters among posterior draws: flat, if inference is right."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import binom

from statmech_dsl.errors import DiagnosticsError

BINS = 20
"""Bars of a histogram, at most."""


def ranks(data: xr.Dataset) -> Figure:
    """Plot histograms of the ranks that `calibrate` found.

    Parameters
    ----------
    data : xarray.Dataset
        What `calibrate` returned.

    Returns
    -------
    matplotlib.figure.Figure
        A histogram for each parameter; 99 of 100 bars of uniform ranks lie in the band.

    Raises
    ------
    DiagnosticsError
        There are no ranks.

    Examples
    --------
    >>> ranks_of = np.random.default_rng(1).integers(0, 100, (300, 2))
    >>> data = xr.Dataset(
    ...     {"rank": (("simulation", "parameter"), ranks_of), "p_value": ("parameter", [0.5, 0.4])},
    ...     coords={"parameter": ["J", "h"]},
    ...     attrs={"draws": 99, "method": "exact"},
    ... )
    >>> figure = ranks(data)
    >>> [axes.get_title() for axes in figure.axes]
    ['J, p = 0.50', 'h, p = 0.40']
    >>> plt.close(figure)
    """
    if "rank" not in data:
        raise DiagnosticsError("there are no ranks", mend="pass the Dataset that calibrate returns")
    n, draws = data.sizes["simulation"], data.attrs["draws"]
    bins = min(BINS, draws + 1)
    edges = np.linspace(-0.5, draws + 0.5, bins + 1)
    names = data["parameter"].values
    figure, axes = plt.subplots(
        1, len(names), figsize=(3.2 * len(names), 2.6), layout="constrained", squeeze=False
    )
    low, high = binom.ppf([0.005, 0.995], n, 1 / bins)
    for panel, name in zip(axes[0], names, strict=True):
        of = data.sel(parameter=name)
        panel.axhspan(low, high, color="0.9")
        panel.axhline(n / bins, color="0.6", lw=0.8)
        panel.hist(of["rank"].values, edges, color="#0072B2", rwidth=0.9)
        panel.set(title=f"{name}, p = {float(of['p_value']):.2f}", xlabel="rank of the truth")
    axes[0, 0].set_ylabel("simulations")
    return figure

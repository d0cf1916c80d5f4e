"""What the temperatures of a ladder have in common."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import Multihistogram


def overlap_matrix(data: xr.DataTree) -> Figure:
    """Plot the probability that a draw of one temperature may as well stem from another.

    Free energies between two temperatures rest on draws that may stem from both. Where the squares beside the
    diagonal are pale, below 0.03 or so, they hang on tails [1]_.

    Parameters
    ----------
    data : xarray.DataTree
        What `temper` or `sample` returned for two temperatures or more.

    Returns
    -------
    matplotlib.figure.Figure
        The matrix; each row is one temperature and sums to 1.

    Raises
    ------
    DiagnosticsError
        There is one temperature only.

    References
    ----------
    .. [1] P. V. Klimovich, M. R. Shirts and D. L. Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.temper(model, T=[2.0, 2.5, 3.0], draws=50, seed=1, progressbar=False)
    >>> figure = overlap_matrix(data)
    >>> shares = figure.axes[0].images[0].get_array()
    >>> bool(np.allclose(shares.sum(axis=1), 1))
    True
    >>> plt.close(figure)
    """
    posterior = data["posterior"].to_dataset() if "posterior" in data.children else {}
    energy = posterior.get("energy")
    if energy is None or energy.sizes.get("T", 1) < 2:
        raise DiagnosticsError(
            "there are no energies at several temperatures here",
            mend="pass the DataTree that temper returns, or sample for a list of temperatures",
        )
    T = energy["T"].values
    flat = energy.transpose("chain", "draw", "T", ...).values
    shares = Multihistogram(flat.reshape(*flat.shape[:2], -1), 1 / T).overlap_matrix
    figure, axes = plt.subplots(figsize=(4.6, 4.0), layout="constrained")
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    every = max(1, len(T) // 10)
    axes.set_xticks(range(0, len(T), every), [f"{t:.3g}" for t in T[::every]], rotation=90)
    axes.set_yticks(range(0, len(T), every), [f"{t:.3g}" for t in T[::every]])
    axes.set(title="overlap", xlabel="drawn at T", ylabel="weighted for T")
    if len(T) <= 12:
        for (i, j), x in np.ndenumerate(shares):
            color = "white" if x > 0.5 else "black"
            axes.text(j, i, f"{x:.2f}", ha="center", va="center", size=7, color=color)
    figure.colorbar(image, ax=axes)
    return figure

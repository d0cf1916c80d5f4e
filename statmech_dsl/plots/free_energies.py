"""Routes to a free energy side by side."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from statmech_dsl.errors import DiagnosticsError

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Of methods; people who do not see all colors can tell them apart (Okabe and Ito)."""


def free_energies(data: xr.Dataset) -> Figure:
    """Plot F against T, and by how much each route is off the others.

    Parameters
    ----------
    data : xarray.Dataset
        What `free_energy` returned, of one method or of a panel, at two temperatures or more.

    Returns
    -------
    matplotlib.figure.Figure
        Left F over T with errors; right, for each method, log Z minus the weighted mean of all of them, with
        errors.

    Raises
    ------
    DiagnosticsError
        If there is one temperature only, or no free energy.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.free_energy(model, T=[2.0, 3.0], method="panel", seed=1, progressbar=False)
    >>> figure = free_energies(data)
    >>> [line.get_text() for line in figure.axes[0].get_legend().get_texts()]
    ['tempering', 'integration', 'population', 'annealing', 'flat_histogram']
    >>> plt.close(figure)
    """
    if "free_energy" not in data or data["free_energy"].sizes.get("T", 1) < 2:
        raise DiagnosticsError(
            "there is no free energy over T here",
            mend="pass what sm.free_energy returns for a list of temperatures",
        )
    if "method" not in data.dims:
        data = data.drop_vars("method", errors="ignore").expand_dims(method=[data.attrs["method"]])
    data = data.isel(T=np.isfinite(data["T"].values)).sortby("T")
    weight = data["log_partition_error"].clip(1e-150) ** -2  # where log Z is known it has no error
    mean = (weight * data["log_partition"]).sum("method") / weight.sum("method")
    figure, (curve, off) = plt.subplots(1, 2, figsize=(9.6, 3.4), layout="constrained")
    n = data.sizes["method"]
    for k, name in enumerate(data["method"].values):
        own, color = data.sel({"method": name}), COLORS[k % len(COLORS)]
        F, F_error = own["free_energy"].values, own["free_energy_error"].values
        difference = (own["log_partition"] - mean).values
        style = {"ms": 3, "lw": 0.8, "capsize": 2, "color": color}
        T = own["T"].values
        curve.errorbar(T, F, F_error, fmt="o-", **style, label=name)
        shift = (k - (n - 1) / 2) * 0.15 * np.diff(T).min() / n
        error = own["log_partition_error"].values
        off.errorbar(T + shift, difference, error, fmt="o", **style)
    off.axhline(0.0, color="0.6", lw=0.8)
    curve.set(title="free energy", xlabel="T", ylabel="F")
    off.set(title="log Z minus the mean of all routes", xlabel="T", ylabel="difference")
    curve.legend(frameon=False)
    return figure

"""Integrated autocorrelation times of the variables of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl import estimators
from statmech_dsl.diagnostics.checks import ChainCheck, at_temperature
from statmech_dsl.diagnostics.posterior import SCALAR, read_posterior, variable
from statmech_dsl.estimators import CorrelatedMean


@overload
def tau_int(data: xr.DataTree, var: str | Iterable[str] | None = ...) -> xr.Dataset: ...
@overload
def tau_int(data: ArrayLike) -> CorrelatedMean: ...
def tau_int(
    data: xr.DataTree | ArrayLike, var: str | Iterable[str] | None = None
) -> xr.Dataset | CorrelatedMean:
    r"""Estimate integrated autocorrelation times, in draws.

    :math:`\tau_{int} = \frac12 + \sum_{t\ge1} \rho(t)`, summed over Wolff's automatic window
    (hep-lat/0306017); 1/2 for independent draws. Multiply by ``thin`` for sweeps.

    Parameters
    ----------
    data : xarray.DataTree or array_like, shape (draws,) or (chains, draws)
        What `sample` or `temper` returned, or one series.
    var : str or iterable of str, optional
        Variables of the posterior; all that are scalars if not given. Those with further
        dimensions get a time for each component.

    Returns
    -------
    xarray.Dataset or CorrelatedMean
        For a DataTree the time of each variable under its name and its standard error under
        ``name_error``, over ``T`` if there is one; for an array the result of
        `statmech_dsl.estimators.tau_int`, which has the mean and its error too.

    Raises
    ------
    DiagnosticsError
        If a variable does not exist, or a draw is NaN or infinite.

    Warns
    -----
    ShortChainWarning
        If chains are shorter than 50 autocorrelation times.

    Examples
    --------
    >>> print(f"{tau_int(np.random.default_rng(2).normal(size=(4, 2000))).tau:.1f}")
    0.5
    """
    if not isinstance(data, xr.DataTree | xr.Dataset):
        result = estimators.tau_int(data)
        check = ChainCheck(np.shape(data)[-1])
        check.see("the series", result.tau)
        check.warn()
        return result
    posterior = read_posterior(data)
    if var is None:
        names = [str(name) for name, array in posterior.items() if set(array.dims) <= SCALAR]
    else:
        names = [var] if isinstance(var, str) else list(var)
    check = ChainCheck(posterior.sizes["draw"])
    times = {}
    for name in names:
        times |= _labelled(str(name), variable(posterior, name), check)
    check.warn()
    return xr.Dataset(times)


def _labelled(name: str, array: xr.DataArray, check: ChainCheck) -> dict[str, xr.DataArray]:
    """Return the times and errors of all components of an array (chain, draw, ...)."""
    template = array.isel(chain=0, draw=0, drop=True).drop_attrs().astype(float)
    tau, error = template.copy(), template.copy()
    for index in np.ndindex(template.shape):
        result = estimators.tau_int(array.values[:, :, *index])
        tau[index], error[index] = result.tau, result.tau_error
        T = template[index].coords.get("T")
        check.see(at_temperature(name, None if T is None else float(T)), result.tau)
    about = f"integrated autocorrelation time of {name}"
    return {
        name: tau.assign_attrs(long_name=about, units="draws"),
        f"{name}_error": error.assign_attrs(long_name=f"standard error of {about}", units="draws"),
    }

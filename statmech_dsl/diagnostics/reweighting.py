"""`reweight`: what a run at some temperatures says about others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.diagnostics.checks import ChainCheck, at_temperature
from statmech_dsl.diagnostics.derived import choose
from statmech_dsl.diagnostics.functions import Derived, labelled, source
from statmech_dsl.diagnostics.posterior import (
    COPIES,
    log_weights,
    read_posterior,
    sites_of,
    variable,
)
from statmech_dsl.errors import ArgumentError, DiagnosticsError, OverlapError
from statmech_dsl.estimators import (
    FlatWeights,
    Multihistogram,
    Pool,
    Weights,
    jackknife,
    tau_int,
)

ENOUGH = 50.0
"""Effective draws below which an estimate is refused: its error could not be trusted either."""
LEVEL = "level"
"""The dimension of the temperatures of the run, while ``T`` is the one that is asked for."""


def reweight(
    data: xr.DataTree,
    T: ArrayLike,
    quantities: Iterable[str] | None = None,
    *,
    functions: Mapping[str, Derived] | None = None,
    magnetization: str | None = "auto",
    n_sites: int | None = None,
) -> xr.Dataset:
    r"""Estimate quantities at temperatures between those of a run, from all of its draws.

    All draws at all temperatures are pooled, and weighted by :math:`e^{-E/T}` over the density of the
    pool (the multiple-histogram method, without bins) [1]_. Errors are from the jackknife over blocks of
    draws; they include those of the log Z of the run's temperatures, and allow for the correlation of
    replicas that swapped. Draws of `flat_histogram` have known weights instead of temperatures.

    Parameters
    ----------
    data : xarray.DataTree
        What `sample`, `temper` or `flat_histogram` returned.
    T : float or sequence of float
        Temperatures in the range of the run, or a little beyond.
    quantities, functions, magnetization, n_sites
        As for `derived`: which quantities, functions of your own, the order parameter, the sites.

    Returns
    -------
    xarray.Dataset
        Each quantity and its ``_error`` over ``T``; ``log_partition`` with its error, relative to the
        highest temperature of the run unless that is infinite, and absolute after a flat histogram of all
        levels; and ``effective_sample_size``: how
        many independent draws at this temperature the weighted ones are worth, about.

    Raises
    ------
    OverlapError
        The draws say too little about a temperature: fewer than 50 effective ones.
    DiagnosticsError
        As for `derived`.

    References
    ----------
    .. [1] A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 63, 1195 (1989).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.temper(model, T=(1.5, 4.0), draws=2000, seed=1, progressbar=False)
    >>> between = sm.reweight(data, T=[2.0, 3.0], quantities=["heat_capacity"])
    >>> exact = sm.exact(model, T=[2.0, 3.0])
    >>> z = (between.heat_capacity - exact.heat_capacity) / between.heat_capacity_error
    >>> bool((abs(z) < 4).all())
    True
    """
    posterior = read_posterior(data)
    log_weight = log_weights(data)
    if log_weight is not None:  # all states count alike, before the weights of a temperature
        posterior = posterior.assign_coords(T=np.inf)
    if "T" not in posterior.coords:
        raise DiagnosticsError(
            "the temperature of this run is not recorded",
            mend="set data.attrs['T'], or give the posterior a coordinate T",
        )
    wanted = np.asarray(T, float)
    if wanted.ndim > 1 or not wanted.size or not (wanted > 0).all():
        raise ArgumentError("T must be a positive number, or a list of them", where=f"T={T!r}")
    posterior = posterior.assign_attrs(n_sites=sites_of(data, n_sites))
    if "T" not in posterior.dims:
        posterior = posterior.expand_dims("T")
    chosen = choose(posterior, quantities, functions, magnetization)
    energy = variable(posterior, "energy").transpose("chain", "draw", "T", ...)
    pool: Pool
    if log_weight is None:
        flat = energy.values.reshape(*energy.shape[:2], -1)
        pool = Multihistogram(flat, 1.0 / energy["T"].values)
    else:
        pool = FlatWeights(energy.values[..., 0], log_weight)
    draws, check = posterior.rename(T=LEVEL), ChainCheck(posterior.sizes["draw"])
    absolute = _absolute(data)
    tables: list[xr.Dataset] = []
    for t in wanted.reshape(-1):
        weights = pool.at(1.0 / float(t))
        table = _log_partition(weights, absolute)
        table["effective_sample_size"] = _effective(weights, float(t))
        table |= _quantities(chosen, draws.assign_coords(T=t), weights, check)
        tables.append(xr.Dataset(table, coords={"T": t}))
    check.warn()
    if not wanted.ndim:
        return tables[0]
    return xr.concat(tables, dim="T", coords="different", compat="equals")


def _quantities(
    chosen: Mapping[str, Derived], draws: xr.Dataset, weights: Weights, check: ChainCheck
) -> dict[str, xr.DataArray]:
    """Return functions of weighted means, with errors by what each moment adds to the means."""
    results: dict[str, xr.DataArray] = {}
    for name, function in chosen.items():
        means, influences, sources = {}, {}, {}
        for key, what in function.of.items():
            array = _pooled(source(draws, what), draws, name)
            sources[key] = array.isel(pool=0)
            means[key], influences[key] = weights.mean(array.values)
        found = jackknife(
            lambda *, _f=function, _m=means, **x: _f.value(**{k: _m[k] + x[k] for k in x}),
            influences,
        )
        check.see(at_temperature(name, float(draws["T"])), found.tau, found.n_blocks)
        results |= labelled(name, function, found, sources)
    return results


def _pooled(array: xr.DataArray, draws: xr.Dataset, name: str) -> xr.DataArray:
    """Join the temperatures, and the copies, of a moment to one dimension."""
    along = [d for d in draws["energy"].dims if d not in ("chain", "draw")]
    if set(along) != {d for d in array.dims if d in COPIES | {LEVEL}}:
        raise DiagnosticsError(
            f"{name!r} does not belong to single states, which have the weights",
            where=f"dims {array.dims}",
            mend="look at overlaps at the temperatures of the run, with sm.derived",
        )
    array = array.drop_vars([d for d in along if d in array.coords])
    return array.stack(pool=along, create_index=False).transpose("chain", "draw", "pool", ...)


def _effective(weights: Weights, T: float) -> float:
    """Effective number of independent draws; refuse too few of them."""
    influence = weights.mean(weights.pool.energy)[1]
    size = weights.effective_size / (2 * tau_int(influence).tau)
    if not size >= ENOUGH:
        raise OverlapError(
            f"the draws say too little about T={T:g}: they are worth {size:.3g} independent ones there",
            where=weights.pool.source,
            mend="stay within the range of the run, extend that, or take more draws",
        )
    return size


def _log_partition(weights: Weights, absolute: float) -> dict[str, float | xr.DataArray]:
    error = tau_int(weights.log_partition_influence).error
    about = {
        "long_name": "log Z",
        "reference": "absolute" if absolute else weights.pool.reference_name,
    }
    return {
        "log_partition": xr.DataArray(weights.log_partition + absolute, attrs=about),
        "log_partition_error": xr.DataArray(error, attrs={"long_name": "standard error of log Z"}),
    }


def _absolute(data: xr.DataTree) -> float:
    """Log Z of the highest temperature (of beta = 0, for flat histograms) where the run knows it, else 0."""
    if "density_of_states" in data.children:
        return float(data["density_of_states"].attrs.get("log_volume", 0.0))
    if "sample_stats" not in data.children:
        return 0.0
    known = data["sample_stats"].to_dataset().get("log_partition")
    if known is None or known.attrs.get("reference") != "absolute":
        return 0.0
    return float(known.isel(T=-1))

"""Heat capacity, susceptibility, Binder cumulant and functions of your own, with errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import xarray as xr

from statmech_dsl.diagnostics.checks import ChainCheck
from statmech_dsl.diagnostics.functions import Derived, estimate
from statmech_dsl.diagnostics.posterior import (
    SCALAR,
    log_weights,
    over_copies,
    per_temperature,
    read_posterior,
    sites_of,
    variable,
)
from statmech_dsl.diagnostics.thermodynamic import THERMAL, magnetic
from statmech_dsl.errors import DiagnosticsError
from statmech_dsl.estimators import tau_int

TAU = "tau_int_energy"


def derived(
    data: xr.DataTree,
    quantities: Iterable[str] | None = None,
    *,
    functions: Mapping[str, Derived] | None = None,
    magnetization: str | None = "auto",
    n_sites: int | None = None,
) -> xr.Dataset:
    r"""Estimate thermodynamic quantities and functions of means, with errors.

    With E the total energy, N the number of sites, m the magnetization per site and k_B = 1:

    ====================================== ============================================
    ``energy_per_site``                    <E> / N
    ``heat_capacity``                      (<E^2> - <E>^2) / T^2, total (extensive)
    ``heat_capacity_per_site``             the same divided by N
    ``tau_int_energy``                     integrated autocorrelation time of E, in draws
    ``magnetization``                      <m>
    ``abs_magnetization``                  <\|m\|>
    ``susceptibility_per_site``            N (<m^2> - <\|m\|>^2) / T, for any temperature
    ``susceptibility_per_site_disordered`` N <m^2> / T, where <m> = 0 by symmetry
    ``binder_cumulant``                    U_4 = 1 - <m^4> / (3 <m^2>^2) [1]_
    ====================================== ============================================

    In a broken phase without a field <m> is degenerate: it depends on which wells the chains are in
    and may have any value up to the spontaneous magnetization, which <\|m\|> estimates instead.
    Hence two conventions for the susceptibility. The one with <\|m\|> works in both phases, but far
    above the transition it tends to 1 - 2/pi times the true value; the other one is true there, and
    grows like N in the ordered phase.

    Errors are from the jackknife over blocks longer than the autocorrelation time, all chains
    together (see `statmech_dsl.estimators.jackknife`).

    Parameters
    ----------
    data : xarray.DataTree
        What `sample` returned.
    quantities : iterable of str, optional
        Which of the above to compute; all that are possible if not given.
    functions : mapping of str to Derived, optional
        Further functions of means, under names of your choice.
    magnetization : str or None
        Name of a scalar observable, the magnetization or other order parameter per site; "auto"
        is ``m`` if there is a scalar of this name, None leaves these quantities out.
    n_sites : int, optional
        Number of sites N; needed where the model has several variables.

    Returns
    -------
    xarray.Dataset
        Each quantity and its ``_error``, over ``T`` if the run had a list of temperatures.

    Raises
    ------
    DiagnosticsError
        If N or T is not known, a name does not exist, m is not a scalar, or a draw is NaN.

    Warns
    -----
    ShortChainWarning
        If chains are shorter than 50 autocorrelation times, or fewer than 8 blocks can be made.

    References
    ----------
    .. [1] K. Binder, Finite size scaling analysis of Ising model block distribution functions,
       Z. Phys. B 43, 119 (1981).

    Examples
    --------
    >>> import numpy as np
    >>> energy = np.random.default_rng(1).normal(-100, 4, size=(4, 1000))
    >>> data = xr.DataTree.from_dict(
    ...     {
    ...         "/": xr.Dataset(attrs={"n_sites": '{"s": 64}', "T": 2.0}),
    ...         "posterior": xr.Dataset({"energy": (("chain", "draw"), energy)}),
    ...     }
    ... )
    >>> table = derived(
    ...     data,
    ...     functions={"doubled": Derived(of={"e": "energy"}, value=lambda e: 2 * e)},
    ... )
    >>> print(f"{table.heat_capacity:.2f} +- {table.heat_capacity_error:.2f}")
    4.02 +- 0.10
    >>> print(f"{table.doubled:.0f}")
    -200
    """
    posterior = read_posterior(data)
    if log_weights(data) is not None:
        raise DiagnosticsError(
            "the draws of a flat histogram belong to no temperature",
            mend="use sm.reweight(data, T=...), which gives the same quantities",
        )
    if "T" not in posterior.coords:
        raise DiagnosticsError(
            "the temperature of this run is not recorded",
            mend="set data.attrs['T'], or give the posterior a coordinate T",
        )
    posterior = posterior.assign_attrs(n_sites=sites_of(data, n_sites))
    more = (TAU,) if "energy" in posterior else ()
    chosen = choose(posterior, quantities, functions, magnetization, more)
    with_tau = TAU in (more if quantities is None else quantities)
    check = ChainCheck(posterior.sizes["draw"])

    def compute(draws: xr.Dataset) -> xr.Dataset:
        table = estimate(chosen, draws, check)
        return table.assign(_energy_time(draws)) if with_tau else table

    table = per_temperature(posterior, compute)
    check.warn()
    return table


def choose(
    posterior: xr.Dataset,
    quantities: Iterable[str] | None,
    functions: Mapping[str, Derived] | None,
    magnetization: str | None,
    more: tuple[str, ...] = (),
) -> dict[str, Derived]:
    """Return the quantities that are asked for; ``more`` are names that the caller knows himself."""
    m = _order_parameter(posterior, magnetization)
    known = (THERMAL if "energy" in posterior else {}) | (magnetic(m) if m else {})
    possible = [*known, *more]
    wanted = possible if quantities is None else list(quantities)
    if unknown := set(wanted) - set(possible):
        raise DiagnosticsError(
            f"no such quantity: {', '.join(sorted(unknown))}",
            where=f"possible for this run: {', '.join(possible)}",
            mend="name a magnetization=, or define the quantity in functions=",
        )
    return {name: known[name] for name in wanted if name not in more} | dict(functions or {})


def _order_parameter(posterior: xr.Dataset, name: str | None) -> str | None:
    """Name of the magnetization per site, or None."""
    if name is None:
        return None
    scalars = [v for v, array in posterior.data_vars.items() if set(array.dims) <= SCALAR]
    if name == "auto":
        return "m" if "m" in scalars else None
    if name not in scalars:
        variable(posterior, name)
        raise DiagnosticsError(
            f"{name!r} has more than one number per draw",
            where=f"dims {posterior[name].dims}",
            mend="declare the mean over the sites as an Observable, for a vector one component or "
            "its length",
        )
    return name


def _energy_time(draws: xr.Dataset) -> dict[str, xr.DataArray]:
    result = tau_int(over_copies(variable(draws, "energy")))
    about = {"long_name": "integrated autocorrelation time of the energy", "units": "draws"}
    error = {"long_name": f"standard error of {about['long_name']}", "units": "draws"}
    return {
        TAU: xr.DataArray(result.tau, attrs=about),
        f"{TAU}_error": xr.DataArray(result.tau_error, attrs=error),
    }

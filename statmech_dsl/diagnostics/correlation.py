"""The two-point function of stored states."""

from __future__ import annotations

import xarray as xr

from statmech_dsl.diagnostics.checks import ChainCheck
from statmech_dsl.diagnostics.functions import Derived, estimate
from statmech_dsl.diagnostics.pairs import Geometry, pair_average
from statmech_dsl.diagnostics.posterior import per_temperature, read_posterior, variable
from statmech_dsl.diagnostics.states import Component, check_sites, over_states


def correlation(
    data: xr.DataTree,
    var: str,
    lattice: Geometry,
    *,
    component: Component | tuple[Component, ...] | None = None,
    connected: bool = False,
) -> xr.Dataset:
    r"""Estimate the two-point function G(r) = <s_i . s_j>, over all pairs at distance r.

    On a crystal that is periodic along all axes the average over translations is done by FFT, on
    other lattices and on graphs (where a distance is a number of bonds) pair by pair. Directions
    at the same distance are averaged too. The errors are from the jackknife over blocks longer than
    the autocorrelation time of the slowest r; errors at different r are correlated.

    Parameters
    ----------
    data : xarray.DataTree
        A run with stored states, as from ``sample(..., store=["s"])``.
    var : str
        The variable; a `UnitVector` is correlated by the scalar product.
    lattice : lattice
        The lattice or graph that it was declared on.
    component : callable or tuple of callables, optional
        From stored values to what is correlated. For an `Angle` ``(np.cos, np.sin)`` gives
        <cos(theta_i - theta_j)>; for a `Potts` variable ``lambda s: s == 0`` correlates one color.
    connected : bool
        Subtract \|<m>\|^2, with m the mean over the sites. In a broken phase <m> is degenerate (it
        depends on which well the chains are in), and so is this difference.

    Returns
    -------
    xarray.Dataset
        ``G`` and ``G_error`` over ``r`` (and ``T``), with the coordinate ``multiplicity``, the mean
        number of sites at distance r from a site.

    Raises
    ------
    DiagnosticsError
        If the states were not stored or do not fit the lattice, or if there are more than 2048
        sites and no translations.

    Warns
    -----
    ShortChainWarning
        If chains are shorter than 50 autocorrelation times, or fewer than 8 blocks can be made.

    Examples
    --------
    >>> import numpy as np
    >>> from statmech_dsl.lang import lattices
    >>> spins = np.random.default_rng(1).choice([-1, 1], size=(4, 500, 16)).astype("int8")
    >>> posterior = xr.Dataset({"s": (("chain", "draw", "s_site"), spins)})
    >>> data = xr.DataTree.from_dict({"posterior": posterior})
    >>> G = correlation(data, "s", lattices.square(4)).G
    >>> G.sel(r=1).dims, np.allclose(G.sel(r=0), 1), bool(abs(G.sel(r=2)) < 0.05)
    ((), True, True)
    """
    posterior = read_posterior(data)
    check_sites(variable(posterior, var).isel(T=0, missing_dims="ignore"), lattice.n_sites)
    pairs = pair_average(lattice)
    check = ChainCheck(posterior.sizes["draw"])
    about = {"long_name": "two-point function", "formula": "<s_i . s_j>"}
    if connected:
        about = {"long_name": "connected two-point function", "formula": "<s_i . s_j> - <m>^2"}

    def compute(draws: xr.Dataset) -> xr.Dataset:
        states = variable(draws, var)
        products = xr.DataArray(
            over_states(pairs.average, states, component, pairs.size),
            dims=("chain", "draw", "r"),
            coords={"r": pairs.r, "multiplicity": ("r", pairs.multiplicity)},
        )
        of = {"g": lambda _: products}
        if connected:
            means = over_states(lambda s: s.mean(axis=1), states, component, lattice.n_sites)
            magnetization = xr.DataArray(means, dims=("chain", "draw", "component"))
            of["m"] = lambda _: magnetization
        G = Derived(of=of, value=_two_point, **about)
        return estimate({"G": G}, draws, check)

    table = per_temperature(posterior, compute)
    check.warn()
    return table


def _two_point(g, m=None):
    return g if m is None else g - (m**2).sum()

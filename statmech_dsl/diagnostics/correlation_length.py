"""The second-moment correlation length."""

from __future__ import annotations

from itertools import product
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from statmech_dsl.diagnostics.checks import ChainCheck
from statmech_dsl.diagnostics.functions import Derived, estimate
from statmech_dsl.diagnostics.pairs import Geometry, periodic_grid
from statmech_dsl.diagnostics.posterior import per_temperature, read_posterior, variable
from statmech_dsl.diagnostics.states import Component, check_sites, over_states
from statmech_dsl.errors import DiagnosticsError

type Real = NDArray[np.float64]


class Crystal(Geometry, Protocol):
    """What is asked of a lattice here: periods and coordinates too."""

    @property
    def box(self) -> Real | None:
        """Period vectors as rows; None for a graph."""
        ...

    @property
    def positions(self) -> Real:
        """Coordinates of the sites, (n_sites, dim)."""
        ...


def correlation_length(
    data: xr.DataTree,
    var: str | tuple[str, str],
    lattice: Crystal,
    *,
    component: Component | tuple[Component, ...] | None = None,
) -> xr.Dataset:
    r"""Estimate the second-moment correlation length of a periodic system.

    .. math:: \xi = \frac{1}{2 \sin(k_{min}/2)} \sqrt{\frac{S(0)}{S(k_{min})} - 1}, \qquad
              S(k) = \frac1N \Bigl\langle \Bigl|\sum_j s_j e^{i k x_j}\Bigr|^2 \Bigr\rangle

    with S averaged over the directions of the smallest wave vectors of the box, in units of the
    distance of neighbors [1]_. S(0) is not connected, as usual in finite-size scaling: xi / L grows
    with L in the ordered phase, where xi is no length, and the curves cross at the transition.

    Parameters
    ----------
    data : xarray.DataTree
        A run with stored states, or with the two observables.
    var : str or (str, str)
        A stored variable; or the names of two observables, S(0) and S(k_min) of each state.
    lattice : lattice
        The periodic lattice that the variable was declared on.
    component : callable or tuple of callables, optional
        From stored values to what is correlated, as in `correlation`.

    Returns
    -------
    xarray.Dataset
        ``correlation_length`` and its jackknife error (over ``T``), NaN where S(0) < S(k_min), as
        in an antiferromagnet or within the noise of an uncorrelated system.

    Raises
    ------
    DiagnosticsError
        If the lattice is not periodic, or the states were not stored or do not fit it.

    Warns
    -----
    ShortChainWarning
        If chains are shorter than 50 autocorrelation times, or fewer than 8 blocks can be made.

    References
    ----------
    .. [1] F. Cooper, B. Freedman and D. Preston, Solving phi^4_{1,2} field theory with Monte Carlo,
       Nucl. Phys. B 210, 210 (1982).

    Examples
    --------
    >>> from statmech_dsl.lang import lattices
    >>> rng = np.random.default_rng(1)
    >>> values = {
    ...     "S0": (("chain", "draw"), rng.exponential(50, size=(4, 500))),
    ...     "Sk": (("chain", "draw"), rng.exponential(10, size=(4, 500))),
    ... }
    >>> data = xr.DataTree.from_dict({"posterior": xr.Dataset(values)})
    >>> xi = correlation_length(data, ("S0", "Sk"), lattices.square(16))
    >>> print(f"{xi.correlation_length:.1f} +- {xi.correlation_length_error:.1f}")
    5.1 +- 0.1
    """
    posterior = read_posterior(data)
    k_min = smallest_wave_vectors(lattice)
    factor = 1 / (2 * np.sin(np.linalg.norm(k_min[0]) / 2))
    check = ChainCheck(posterior.sizes["draw"])

    def second_moment(s0: float, sk: float) -> float:
        return factor * np.sqrt(s0 / sk - 1) if s0 >= sk > 0 else np.nan

    def compute(draws: xr.Dataset) -> xr.Dataset:
        if isinstance(var, str):
            s0, sk = _structure_factors(variable(draws, var), lattice, k_min, component)
        else:
            s0, sk = (variable(draws, name) for name in var)
        xi = Derived(
            of={"s0": lambda _: s0, "sk": lambda _: sk},
            value=second_moment,
            long_name="second-moment correlation length",
            formula="sqrt(S(0) / S(k_min) - 1) / (2 sin(k_min / 2))",
        )
        return estimate({"correlation_length": xi}, draws, check)

    table = per_temperature(posterior, compute)
    check.warn()
    return table


def smallest_wave_vectors(lattice: Crystal) -> Real:
    """Return the smallest nonzero wave vectors of a periodic box, one of each pair +-k: (K, dim).

    Raises
    ------
    DiagnosticsError
        If the lattice is not periodic along all axes.

    Examples
    --------
    >>> from statmech_dsl.lang import lattices
    >>> (smallest_wave_vectors(lattices.square(8)) / (2 * np.pi / 8)).round(9) + 0.0
    array([[0., 1.],
           [1., 0.]])
    """
    if lattice.box is None or periodic_grid(lattice) is None:
        raise DiagnosticsError(
            "the second-moment correlation length needs a crystal periodic along all axes",
            where=repr(lattice),
            mend="use periodic boundaries, or look at correlation(...).G",
        )
    reciprocal = 2 * np.pi * np.linalg.inv(lattice.box).T
    steps = list(product((-1, 0, 1), repeat=len(reciprocal)))
    waves = np.array(steps[len(steps) // 2 + 1 :]) @ reciprocal  # one of +-k, without k = 0
    norms = np.linalg.norm(waves, axis=1)
    return waves[norms < norms.min() * (1 + 1e-9)]


def _structure_factors(
    states: xr.DataArray,
    lattice: Crystal,
    k: Real,
    component: Component | tuple[Component, ...] | None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """S(0), and S(k) averaged over the wave vectors, of every state."""
    check_sites(states, lattice.n_sites)
    waves = np.concatenate([np.zeros_like(k[:1]), k])
    phases = np.exp(1j * lattice.positions @ waves.T)

    def structure_factors(spins: Real) -> Real:
        modes = np.tensordot(spins, phases, axes=(1, 0))  # (states, components, wave vectors)
        return (np.abs(modes) ** 2).sum(axis=1) / lattice.n_sites

    values = over_states(structure_factors, states, component, lattice.n_sites)
    dims = ("chain", "draw")
    return xr.DataArray(values[..., 0], dims=dims), xr.DataArray(
        values[..., 1:].mean(axis=-1), dims=dims
    )

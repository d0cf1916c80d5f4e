"""`approximate`: log Z by mean field or the Bethe approximation."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError, NotConvergedWarning
from statmech_dsl.ir.temperatures import Temperatures, temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.solvers.approximations.bethe import Bethe
from statmech_dsl.solvers.approximations.groups import TOLERANCE, Stationary, groups
from statmech_dsl.solvers.approximations.mean_field import MeanField
from statmech_dsl.solvers.factors import factorize
from statmech_dsl.solvers.labels import CONVENTION, Column, temperature, thermodynamics
from statmech_dsl.solvers.recovered import recovered_from
from statmech_dsl.solvers.system import System, discrete_system
from statmech_dsl.solvers.thermal import Thermal

Method = Literal["mean_field", "bethe"]
SEED = 1
"""Of the random starting points."""


def approximate(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    method: Method = "bethe",
) -> xr.Dataset:
    r"""Approximate log Z of a discrete model: mean field, or Bethe.

    ``mean_field`` is the product of single-site distributions :math:`q` with the lowest

    .. math:: F = \langle E \rangle_q - T S(q),

    an upper bound of the true free energy. ``bethe`` is belief propagation: exact on trees, good where
    loops are long or couplings weak, and no bound. Both take the terms as they are written, iterate from
    several starting points and keep the lowest free energy that converged.

    Parameters
    ----------
    model : Model
        A model of discrete variables and local terms.
    T, beta
        As in `exact`.
    method : {"mean_field", "bethe"}
        The approximation.

    Returns
    -------
    Dataset
        ``log_partition``, ``free_energy``, ``energy`` and ``entropy``, as in `exact`;
        ``converged``, ``iterations`` and ``residual``, the last change; and for each variable ``s``
        the probabilities of its values, ``s_probability``.

    Raises
    ------
    ArgumentError
        An argument is out of range.
    ModelError
        A free variable is continuous, or a parameter is random.
    InfeasibleError
        A term is a function of a sum over many sites, couples too many sites, or forbids states in mean field.

    Warns
    -----
    NotConvergedWarning
        The iteration did not settle from any starting point.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=6, lattice="chain", periodic=False)
    >>> F = sm.exact(model, T=2.0).free_energy
    >>> bethe, mean = (sm.approximate(model, T=2.0, method=m) for m in ("bethe", "mean_field"))
    >>> print(f"{float(bethe.free_energy - F):.6f} {float(mean.free_energy - F):.6f}")
    0.000000 1.201145
    """
    if method not in get_args(Method):
        raise ArgumentError(
            f"unknown method {method!r}", mend=f"use one of {', '.join(get_args(Method))}"
        )
    recovered = recovered_from(given_or_context(model))
    system = discrete_system(recovered.ir, recovered.tables, recovered.clamped)
    at = temperatures(T, beta, any(f.tempered for f in system.ir.energy_families))
    n_levels = np.array([len(x) for x in system.levels], dtype=int)
    solver = {"mean_field": MeanField, "bethe": Bethe}[method](groups(factorize(system)), n_levels)
    found = [_best(solver, float(b), n_levels, method) for b in at.beta.flat]
    columns = thermodynamics(
        [
            Thermal(float(b), x.log_partition, x.energy, np.nan)
            for b, x in zip(at.beta.flat, found, strict=True)
        ],
        at,
    )
    del columns["heat_capacity"]
    attrs = {
        "convention": CONVENTION,
        "method": method,
        "n_sites": json.dumps({v.name: v.n_sites for v in system.ir.variables}),
    }
    columns |= _report(found, at) | _probabilities(found, system, at)
    coords = {"T": temperature(at)}
    return xr.Dataset(columns, coords=coords, attrs=attrs)


def _best(solver: MeanField | Bethe, beta: float, n_levels: np.ndarray, method: str) -> Stationary:
    """The lowest free energy, with a warning if nothing converged."""
    best = lowest(solver, beta, n_levels)
    if not best.converged:
        warnings.warn(
            f"{method} did not converge at beta = {beta:g}: after {best.iterations} iterations values "
            f"change by {best.residual:.1e}, and {TOLERANCE:.0e} is asked for",
            NotConvergedWarning,
            stacklevel=3,
        )
    return best


def lowest(solver: MeanField | Bethe, beta: float, n_levels: np.ndarray) -> Stationary:
    """The lowest free energy of those that converged from several starting points."""
    found = [solver.solve(beta, start) for start in _starts(n_levels)]
    return max(found, key=lambda x: (x.converged, x.log_partition if x.converged else -x.residual))


def _starts(n_levels: np.ndarray) -> Iterator[np.ndarray]:
    """Log weights: almost equal, random, and in favor of the first or the last level of all sites."""
    shape = (len(n_levels), n_levels.max(initial=1))
    level = np.arange(shape[1])
    noise = np.random.default_rng(SEED).normal(size=shape)
    yield 1e-3 * noise
    yield 2.0 * noise
    yield 2.0 * (level == 0) + 1e-3 * noise
    yield 2.0 * (level == n_levels[:, np.newaxis] - 1) + 1e-3 * noise


def _report(found: list[Stationary], at: Temperatures) -> dict[str, Column]:
    dims = ("T",) * at.T.ndim
    meaning = {
        "converged": "whether the iteration settled",
        "iterations": "iterations",
        "residual": "last change",
    }
    return {
        name: (dims, np.reshape([getattr(x, name) for x in found], at.T.shape), {"long_name": text})
        for name, text in meaning.items()
    }


def _probabilities(found: list[Stationary], system: System, at: Temperatures) -> dict[str, Column]:
    """For each variable the probabilities of its values, 1 or 0 at clamped sites."""
    columns = {}
    for v in system.ir.variables:
        if v.domain.values is None:
            continue  # clamped
        values, numbers = np.asarray(v.domain.values), system.numbers[v.name]
        p = np.tile(system.base[v.name][:, np.newaxis] == values, (len(found), 1, 1)).astype(float)
        for k, x in enumerate(found):
            p[k, numbers >= 0] = x.marginals[numbers[numbers >= 0], : len(values)]
        dims = (*(f"{v.name}_dim_{k}" for k in range(len(v.shape))), f"{v.name}_value")
        attrs = {"long_name": f"probabilities of the values of {v.name}", "values": values.tolist()}
        columns[f"{v.name}_probability"] = (
            ("T",) * at.T.ndim + dims,
            p.reshape(at.T.shape + v.shape + values.shape),
            attrs,
        )
    return columns

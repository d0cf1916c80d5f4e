"""`exact`: log Z and expectations of discrete models, without sampling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, get_args

import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike
from pytensor.graph.traversal import ancestors

from statmech_dsl.errors import ArgumentError, InfeasibleError, ModelError
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.lower.recovery import Recovered, recover
from statmech_dsl.solvers.elimination import Elimination, elimination
from statmech_dsl.solvers.enumeration import MAX_STATES, Spectrum, spectrum
from statmech_dsl.solvers.labels import (
    CONVENTION,
    ground_state,
    means,
    temperature,
    thermodynamics,
)
from statmech_dsl.solvers.observables import expectations, observables_of
from statmech_dsl.solvers.system import System, discrete_system, power_of_two

Method = Literal["auto", "enumeration", "elimination"]

FEW_STATES = 2**20
"""Number of states up to which "auto" enumerates in any case: a second or two."""


def exact(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    method: Method = "auto",
    observables: bool | Sequence[str] = True,
) -> xr.Dataset:
    r"""Sum over all states of a discrete model.

    .. math:: Z = \sum_x e^{-E(x)/T}, \quad F = -T \log Z, \quad
        \langle O \rangle = \frac{1}{Z} \sum_x O(x) e^{-E(x)/T}

    Enumeration visits all states, 2^24 at most, and is the only method that gives observables,
    the lowest energy and its degeneracy. Elimination sums over one site after another; it takes
    up to 2 GiB and is feasible where few sites hang together at a time: trees, long chains and
    strips, a 12x12 Ising torus. <E> and its variance come from the power series of log Z in beta,
    without numerical derivatives.

    Parameters
    ----------
    model : Model
        A model all of whose free (not clamped) variables are discrete.
    T : float or sequence of float
        Temperature in units of energy (k_B = 1). A list adds the dimension ``T`` to the results.
    beta : float or sequence of float, optional
        Inverse temperature, instead of T; 0 is allowed.
    method : {"auto", "enumeration", "elimination"}
        "auto" enumerates up to 2^20 states, or 2^24 if there are observables to measure or
        elimination is not feasible.
    observables : bool or sequence of str
        Observables whose means are wanted: all that the method can give, none, or those named.

    Returns
    -------
    Dataset
        ``log_partition``, ``free_energy``, ``energy``, ``heat_capacity`` and ``entropy``: totals,
        not per site. By enumeration also ``min_energy``, ``degeneracy`` and the mean of each
        observable under its own name.

        Terms of the log-density that are no `Energy` are not divided by T. They count in log Z and
        in all means, but not in ``energy``; ``entropy`` is then -dF/dT, relative to the measure
        that they define.

    Raises
    ------
    ArgumentError
        An argument is out of range or names no observable.
    ModelError
        A free variable is continuous, or a parameter is random.
    InfeasibleError
        Too many states, and too many sites that hang together.
    ImproperDistributionError
        The energy is NaN or minus infinity in some state, or plus infinity in all.

    Examples
    --------
    >>> import math
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     lattice = sm.lattices.chain(10)
    ...     s = sm.Spin("s", lattice)
    ...     i, j = lattice.bonds
    ...     exchange = sm.Energy("exchange", -1.0 * s[i] * s[j])
    ...     m2 = sm.Observable("m2", s.mean() ** 2)
    >>> result = sm.exact(model, T=2.0)
    >>> transfer_matrix = (2 * math.cosh(0.5)) ** 10 + (2 * math.sinh(0.5)) ** 10
    >>> print(f"{float(result.log_partition):.9f} {math.log(transfer_matrix):.9f}")
    8.133060918 8.133060918
    >>> round(float(result.m2), 4)
    0.2716
    """
    model = given_or_context(model)
    recovered = _recover(model)
    system = discrete_system(recovered.ir, recovered.tables, recovered.clamped)
    at = temperatures(T, beta, any(f.tempered for f in system.ir.energy_families))
    measured = observables_of(model, observables)
    solution = _solve(system, method, measured.names, required=not isinstance(observables, bool))
    sums = [solution.thermal(float(b)) for b in at.beta.flat]
    columns = thermodynamics(sums, at)
    if isinstance(solution, Spectrum):
        columns |= ground_state(solution)
        columns |= means(expectations(measured, system, solution, sums), at)
    attrs = {
        "convention": CONVENTION,
        "method": "enumeration" if isinstance(solution, Spectrum) else "elimination",
        "n_sites": json.dumps({v.name: v.n_sites for v in system.ir.variables}),
    }
    return xr.Dataset(columns, coords={"T": temperature(at)}, attrs=attrs)


def _recover(model: pm.Model) -> Recovered:
    """Find the local terms of a model and refuse random parameters."""
    recovered = recover(model)
    if recovered.random:
        behind = set(ancestors([recovered.parameters[name] for name in recovered.random]))
        names = ", ".join(repr(v.name) for v in model.free_RVs if v in behind)
        raise ModelError(
            f"the energy depends on the random variable {names}, and log Z is a function of it",
            mend="give it a number (pm.do) or use pm.Data",
        )
    return recovered


def _solve(
    system: System, method: Method, measured: tuple[str, ...], required: bool
) -> Spectrum | Elimination:
    """Choose a method and prepare it; ``required``: the user has named the measured observables."""
    if method not in get_args(Method):
        raise ArgumentError(
            f"unknown method {method!r}", mend=f"use one of {', '.join(get_args(Method))}"
        )
    required = required and bool(measured)
    if method == "elimination" and required:
        raise ArgumentError(
            "elimination gives no means of observables",
            mend="use method='enumeration', or leave out observables=",
        )
    n = system.n_states
    if method == "auto" and (required or n <= (MAX_STATES if measured else FEW_STATES)):
        method = "enumeration"
    if method == "enumeration":
        return spectrum(system)
    try:
        return elimination(system)
    except InfeasibleError as error:
        if method == "elimination":
            raise
        if n <= MAX_STATES:
            return spectrum(system)
        raise InfeasibleError(
            f"enumeration would visit {power_of_two(n)} states, at most {power_of_two(MAX_STATES)} "
            f"are allowed; {error.what}",
            mend=error.mend,
        ) from None

"""`exact`: log Z and expectations, without sampling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.lower.observables import Observables
from statmech_dsl.lower.recovery import Recovered
from statmech_dsl.solvers.counting import Counting
from statmech_dsl.solvers.enumeration import Enumeration
from statmech_dsl.solvers.labels import (
    CONVENTION,
    ground_state,
    means,
    rounding,
    temperature,
    thermodynamics,
)
from statmech_dsl.solvers.methods import Costs, Problem, choose, costs
from statmech_dsl.solvers.observables import countable, expectations, observables_of
from statmech_dsl.solvers.recovered import recovered_from

Method = Literal["auto", "enumeration", "counting", "planar", "elimination", "gaussian"]


def exact(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    method: Method = "auto",
    observables: bool | Sequence[str] = True,
) -> xr.Dataset:
    r"""Sum over all states, exactly.

    .. math:: Z = \sum_x e^{-E(x)/T}, \quad F = -T \log Z, \quad
        \langle O \rangle = \frac{1}{Z} \sum_x O(x) e^{-E(x)/T}

    ``enumeration`` visits all states, 2^24 at most. ``counting`` takes energies that depend on sums over
    sites only, up to thousands of sites. ``planar`` takes Ising models on planar graphs, with any
    couplings, by free fermions. ``elimination`` sums over one site after another; it takes up to 2 GiB and is
    feasible where few sites hang together at a time: trees, long chains and strips, a 12x12 Ising
    torus. ``gaussian`` takes quadratic energies of real fields. The energy and its variance never come from
    numerical derivatives. `exact_costs` says in advance what each method would take.

    Parameters
    ----------
    model : Model
        A model all of whose free (not clamped) variables are discrete, or all are real fields with a
        quadratic energy.
    T : float or sequence of float
        Temperature in units of energy (k_B = 1). A list adds the dimension ``T`` to the results.
    beta : float or sequence of float, optional
        Inverse temperature, instead of T; 0 is allowed.
    method : {"auto", "enumeration", "counting", "planar", "elimination", "gaussian"}
        "auto" enumerates up to 2^20 states, or 2^24 if there are observables to measure; else it takes the
        cheapest that applies, and says in ``attrs`` which, and why.
    observables : bool or sequence of str
        Observables whose means are wanted: all that the method can give, none, or those named.

    Returns
    -------
    Dataset
        ``log_partition``, ``free_energy``, ``energy``, ``heat_capacity`` and ``entropy``: totals,
        not per site. By enumeration and counting also ``min_energy``, ``degeneracy`` and the mean of
        each observable under its own name; counting gives those that do not tell alike sites apart.
        ``rounding_error`` of planar is the largest relative error of a factor of Z that was seen.

        Terms of the log-density that are no `Energy` are not divided by T. They count in log Z and
        in all means, but not in ``energy``; ``entropy`` is then -dF/dT, relative to the measure
        that they define.

    Raises
    ------
    ArgumentError
        An argument is out of range or names no observable.
    ModelError
        A free variable is continuous and no `Field`, or a parameter is random.
    InfeasibleError
        No method fits, or the chosen one does not: the message says what it would take.
    ImproperDistributionError
        The energy is NaN or minus infinity in some state, or plus infinity in all; or log Z of a real
        field is infinite.

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
    recovered = recovered_from(model)
    at = temperatures(T, beta, any(f.tempered for f in recovered.ir.energy_families))
    measured = observables_of(model, observables)
    choice = choose(_problem(recovered, measured, observables), method)
    solution = choice.solution
    sums = [solution.thermal(float(b)) for b in at.beta.flat]
    columns = thermodynamics(sums, at) | rounding(sums, at)
    if isinstance(solution, Enumeration | Counting):
        columns |= ground_state(solution.spectrum)
        if isinstance(solution, Counting):
            names = countable(measured, solution, required=not isinstance(observables, bool))
            measured = Observables(model, names)
        columns |= means(expectations(measured, solution.states(), solution.spectrum, sums), at)
    attrs = {
        "convention": CONVENTION,
        "method": choice.method,
        "reason": choice.reason,
        "cost": str(solution.cost),
        "n_sites": json.dumps({v.name: v.n_sites for v in recovered.ir.variables}),
    }
    return xr.Dataset(columns, coords={"T": temperature(at)}, attrs=attrs)


def exact_costs(
    model: pm.Model | None = None, *, observables: bool | Sequence[str] = True
) -> Costs:
    """Say what the methods of `exact` would cost, without running them.

    Parameters
    ----------
    model, observables
        As in `exact`.

    Returns
    -------
    Costs
        Operations and memory of each method that applies, why the others do not, and which one "auto"
        takes; print it.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=24, periodic=False)
    >>> sm.exact_costs(model).chosen
    'planar'
    """
    model = given_or_context(model)
    return costs(_problem(recovered_from(model), observables_of(model, observables), observables))


def _problem(recovered: Recovered, measured: Observables, wanted: bool | Sequence[str]) -> Problem:
    has_any = bool(measured.names)
    return Problem(recovered, has_any, has_any and not isinstance(wanted, bool))

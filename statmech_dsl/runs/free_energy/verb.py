"""`free_energy`: log Z and what follows from it, by a named route or by several of them."""

from __future__ import annotations

import warnings

import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Init
from statmech_dsl.errors import ArgumentError, OverlapWarning
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results.free_energy import Curve, panel_dataset, to_dataset
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.free_energy.routes import ROUTES
from statmech_dsl.runs.free_energy.segment import Effort
from statmech_dsl.runs.free_energy.start import Journey, plan
from statmech_dsl.runs.free_energy.travel import travel
from statmech_dsl.runs.progress import progress
from statmech_dsl.solvers.exact import exact

FEW_STATES = 2**20
"""Number of states up to which "auto" takes the exact sum."""


def free_energy(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    method: str = "auto",
    reference: pm.Model | None = None,
    ground_state: tuple[float, float] | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    thin: int = 1,
    seed: int | None = None,
    init: Init = "cold",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    progressbar: bool = True,
) -> xr.Dataset:
    r"""Estimate log Z, the free energy and the entropy of a model, with errors.

    .. math:: Z = \int e^{-E(x)/T} dx, \quad F = -T \log Z, \quad S = (\langle E \rangle - F) / T

    Every route follows log Z from a distribution for which it is known: from infinite temperature, where it is
    the measure of all states, or, where that is infinite (a Field) or the model has terms that T does not
    divide, from independent sites or from ``reference``. The routes are

    * ``"tempering"``: replicas swap temperatures along a ladder that tunes itself; all draws are weighted
      together (the multistate Bennett acceptance ratio, MBAR) [1]_;
    * ``"integration"``: replicas swap on a finer grid, and the mean energy is integrated over beta, with
      an error of the quadrature;
    * ``"population"``: population annealing: members are weighed and resampled step by step [2]_;
    * ``"annealing"``: annealed importance sampling: members cool without resampling, and each keeps the weight
      of its way [3]_;
    * ``"flat_histogram"``: the density of states of a discrete model, then the sum over its levels;
    * ``"exact"``: `exact`;
    * ``"panel"``: all sampling routes that are possible, side by side, and whether they agree.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    T : float or sequence of float
        Temperature in units of energy (k_B = 1). A list adds the dimension ``T`` to the results.
    beta : float or sequence of float, optional
        Inverse temperature, instead of T.
    method : str
        One of the routes above; ``"auto"`` is the exact sum for up to 2^20 states, else tempering.
    reference : Model, optional
        A model of the same variables to begin from, at the same T. If `exact` can do it log Z is absolute, else
        it is relative to that model. ``log_partition_difference`` is given in both cases.
    ground_state : tuple of two floats, optional
        The lowest energy and the number of states that have it, where they are known: log Z is then known at
        both ends of all temperatures, which makes low ones much more precise. For tempering.
    draws : int
        Draws of each chain, and members of each population.
    tune : int
        Sweeps before: half of them tune the ladder, the others forget the first states.
    chains : int
        Independent ladders, chains or populations.
    thin : int
        Sweeps from draw to draw.
    seed : int, optional
        The results are a function of it, whatever the number of threads.
    init : {"hot", "cold", "both"} or dict
        First states, as for `sample`.
    updates : str, list or dict
        As for `sample`, but for ``"tuned"``.
    backend : {"auto", "numba", "cupy", "reference"}
        What runs the sweeps.
    threads : int, optional
        Threads over replicas; all cores unless given.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    Dataset
        ``log_partition``, ``free_energy``, ``energy``, ``heat_capacity`` and ``entropy``, totals and not per
        site, each with its ``_error``, over ``T``; and ``effective_sample_size``. A panel has the dimension
        ``method`` too, ``worst_sigma``: the largest difference between two routes in units of its standard
        error, and ``agreed``. Routes are never said to agree if one of them is in ``trouble``, in words.

    Raises
    ------
    ArgumentError
        An argument is out of range, or a route cannot be taken here.
    ModelError
        There is nothing to sample, or a coupling is random.
    ImproperDistributionError
        The weights cannot be normalized.

    Warns
    -----
    OverlapWarning
        A route is in trouble: neighboring distributions have too little in common, or too few draws speak of a
        temperature. Or the routes of a panel do not agree.

    References
    ----------
    .. [1] M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008).
    .. [2] K. Hukushima and Y. Iba, AIP Conf. Proc. 690, 200 (2003); J. Machta, Phys. Rev. E 82, 026704 (2010).
    .. [3] R. M. Neal, Stat. Comput. 11, 125 (2001).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> found = sm.free_energy(model, T=2.0, method="tempering", seed=1, progressbar=False)
    >>> z = (found.log_partition - sm.exact(model, T=2.0).log_partition) / found.log_partition_error
    >>> bool(abs(z) < 4)
    True
    """
    model = given_or_context(model)
    effort = Effort(
        count("draws", draws, 2),
        count("tune", tune, 0),
        count("chains", chains, 1),
        count("thin", thin, 1),
        seed_of(seed),
        init,
    )
    threads = None if threads is None else count("threads", threads, 1)
    if method == "exact":
        return _exact(model, T, beta, reference)
    options = {"updates": updates, "backend": backend, "threads": threads}
    journey = plan(model, T, beta, reference, ground_state, effort, options)
    at = temperatures(T, beta, journey.tempered)
    names = _routes(method, journey)
    if names == ("exact",):
        return _exact(model, T, beta, reference)
    curves: dict[str, Curve] = {}
    with progress(progressbar, "free energy", None) as advance:
        for name in names:
            curves[name] = travel(journey, name, effort, advance)
    attrs = {"seed": str(effort.seed), "reference": journey.reference}
    if method == "panel":
        data = panel_dataset(curves, at, attrs)
        data = data if reference is not None else data.drop_vars("log_partition_difference")
        if not data.agreed:
            _warn(f"the routes do not agree: worst_sigma is {float(data.worst_sigma):.3g}", curves)
        return data
    ((name, curve),) = curves.items()
    if curve.trouble:
        _warn(f"method={name!r} is in trouble", curves)
    data = to_dataset(curve, at, attrs | {"method": name})
    return data if reference is not None else data.drop_vars("log_partition_difference")


def _routes(method: str, journey: Journey) -> tuple[str, ...]:
    """The routes of a method that can be taken."""
    if method == "auto":
        if journey.reference == "absolute" and journey.n_states <= FEW_STATES:
            return ("exact",)
        method = "tempering"
    if method == "panel":
        return tuple(name for name, route in ROUTES.items() if route.refuse(journey) is None)
    if method not in ROUTES:
        raise ArgumentError(
            f"there is no method {method!r}",
            mend=f"use one of auto, panel, exact, {', '.join(ROUTES)}",
        )
    if (reason := ROUTES[method].refuse(journey)) is not None:
        raise ArgumentError(f"method={method!r} cannot be used here: {reason}")
    return (method,)


def _exact(
    model: pm.Model, T: ArrayLike, beta: ArrayLike | None, reference: pm.Model | None
) -> xr.Dataset:
    data = exact(model, T=T, beta=beta, observables=False)
    data = data[["log_partition", "free_energy", "energy", "heat_capacity", "entropy"]]
    zeros = {f"{name}_error": abs(x) * 0.0 for name, x in data.items()}
    if reference is not None:
        other = exact(reference, T=T, beta=beta, observables=False)
        zeros["log_partition_difference"] = data["log_partition"] - other["log_partition"]
    return data.assign(zeros).assign_attrs(method="exact", reference="absolute")


def _warn(what: str, curves: dict[str, Curve]) -> None:
    reasons = [f"{name}: {reason}" for name, c in curves.items() for reason in c.trouble]
    warnings.warn("; ".join([what, *reasons]), OverlapWarning, stacklevel=3)

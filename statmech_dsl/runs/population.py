"""`population_anneal`: a population that is cooled and resampled, with free energies."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.engine.compile import compile_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.errors import ArgumentError, InterruptedWarning, SmallPopulationWarning
from statmech_dsl.estimators.families import family_sizes
from statmech_dsl.estimators.families import overlap as overlap_of
from statmech_dsl.estimators.log_weights import FAMILIES
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results.population import Step, to_population
from statmech_dsl.rng import CHAIN_BITS
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.members import Members
from statmech_dsl.runs.progress import Advance, progress
from statmech_dsl.runs.sectors import require_all_states

RESOLUTION = 1e-3
"""How well a step in beta is looked for, relative to it."""


def population_anneal(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    population: int = 1000,
    sweeps: int = 10,
    overlap: float = 0.85,
    runs: int = 1,
    tune: int = 1000,
    seed: int | None = None,
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    progressbar: bool = True,
) -> xr.DataTree:
    """Cool a population of systems; get equilibrium averages and log Z at all temperatures on the way.

    The population begins at infinite temperature. At each step the next temperature is chosen such that the
    energies of the population and those it should have there overlap as wanted; members are copied or
    removed in proportion to exp(-(change of beta) E), then swept. The product of the mean weights is the
    partition function.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    T : float or (float, float)
        Lowest temperature, or the highest and the lowest of the results; they hold the first and the last one
        exactly. A `Field` has no infinite temperature: its population begins at the highest one.
    beta : float or (float, float), optional
        Inverse temperatures, instead of T; 0 is infinite temperature.
    population : int
        Members. What it must be shows in ``rho_t``: some hundred times that.
    sweeps : int
        Sweeps at each temperature.
    overlap : float
        Overlap of the energies at successive temperatures, between 0 and 1: what a smaller one saves in
        temperatures it costs in families.
    runs : int
        Independent populations, side by side at the same temperatures; averages weight them by exp(log Z).
    tune : int
        Sweeps before the first temperature, only where its states cannot be drawn exactly: with a `Field`, or
        terms that T does not divide.
    seed : int, optional
        The results are a function of it, the temperatures included, whatever the number of threads.
    updates : str, list or dict
        ``"auto"``, the name of an update, a list of names and of pairs ``(name, times)`` that make up a
        sweep, or ``{variable: either}``.
    backend : {"auto", "numba", "reference"}
        What runs the sweeps.
    threads : int, optional
        Threads over members; all cores unless given.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    DataTree
        ``averages``, over T: ``energy``, ``heat_capacity``, observables, ``log_partition`` and
        ``free_energy``, each with its ``_error``. ``posterior``: energy and observables of each member
        (``draw``) of each run (``chain``). ``sample_stats``: ``log_partition``, ``rho_t`` (mean square family
        size), ``rho_s`` (entropic family size), ``families``, ``population`` of each run. ``final_state``:
        the members at the lowest temperature.

        Where the first states cannot be drawn exactly, log Z is relative to that of the first temperature;
        its attribute ``reference`` says so.

    Warns
    -----
    SmallPopulationWarning
        The population is less than 100 rho_t: errors may be too small.

    Raises
    ------
    ArgumentError
        An argument is out of range.
    ModelError
        There is nothing to sample, or a coupling is random.
    ImproperDistributionError
        The weights cannot be normalized.

    References
    ----------
    K. Hukushima and Y. Iba, AIP Conf. Proc. 690, 200 (2003); J. Machta, Phys. Rev. E 82, 026704 (2010);
    W. Wang, J. Machta and H. G. Katzgraber, Phys. Rev. E 92, 063307 (2015), for families; M. Weigel,
    L. Barash, L. Shchur and W. Janke, Phys. Rev. E 103, 053301 (2021), for errors and adaptive steps.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.population_anneal(model, T=2.0, population=2000, seed=1, progressbar=False)
    >>> last = data.averages.isel(T=-1)
    >>> exact = sm.exact(model, T=2.0)
    >>> bool(abs(last.log_partition - exact.log_partition) < 4 * last.log_partition_error)
    True
    """
    model = given_or_context(model)
    population, sweeps = count("population", population, 2), count("sweeps", sweeps, 1)
    runs, tune = count("runs", runs, 1), count("tune", tune, 0)
    threads = None if threads is None else count("threads", threads, 1)
    seed, (first, last) = seed_of(seed), _range(T, beta)
    if not isinstance(overlap, int | float) or not 0 < overlap < 1:
        raise ArgumentError("overlap must be between 0 and 1", where=f"overlap={overlap!r}")
    if population >= 1 << CHAIN_BITS or runs >= 1 << (32 - CHAIN_BITS):
        raise ArgumentError("more than 2^20 members or 2^12 runs", mend="split the run")
    sampler = compile_model(
        model, population * runs, updates=updates, backend=backend, threads=threads
    )
    require_all_states(sampler, "population annealing begins at states of all kinds")
    if not sampler.tempered:
        raise ArgumentError("the model has no Energy, so that T divides nothing")
    members = Members(sampler, seed, runs, population)
    if not members.exact_start and first == 0 and not members.proper:
        raise ArgumentError(
            "a Field has no infinite temperature to begin at", mend="give T=(high, low)"
        )
    members.begin(first, tune)
    began, what = time.perf_counter(), f"population annealing, {runs} x {population} members"
    with progress(progressbar, what, None, "temperatures") as advance:
        steps = _cool(members, first, last, float(overlap), sweeps, advance)
    attrs = {
        "population": population,
        "sweeps": sweeps,
        "overlap": float(overlap),
        "sampling_time": time.perf_counter() - began,
    }
    _check_families(steps[-1], population)
    state = sampler.kernels.unpack(members.packed)
    reference = "absolute" if members.exact_start else "the highest temperature"
    return to_population(sampler, model, state, steps, reference, attrs)


def _range(T: ArrayLike, beta: ArrayLike | None) -> tuple[float, float]:
    """Inverse temperatures of the first and the last results."""
    name, given = ("T", T) if beta is None else ("beta", beta)
    try:
        x = np.atleast_1d(np.asarray(given, np.float64))
    except (TypeError, ValueError):
        x = np.zeros(3)
    with np.errstate(divide="ignore"):
        betas = np.sort(1 / x if beta is None else x)
    if len(betas) == 1:
        betas = np.append(0.0, betas)
    usable = len(betas) == 2 and 0 <= betas[0] < betas[1] and np.isfinite(betas).all()
    if not usable or (beta is not None and not np.array_equal(T, 1.0)):
        raise ArgumentError(
            f"{name}= is the lowest temperature, or the highest and the lowest one",
            where=f"{name}={given!r}",
            mend="give T=(high, low) with high > low > 0, or beta=(low, high), and not both",
        )
    return float(betas[0]), float(betas[1])


def _cool(
    members: Members,
    first: float,
    last: float,
    target: float,
    sweeps: int,
    advance: Advance,
) -> list[Step]:
    """Go down to the last temperature; what is done until Ctrl-C is kept."""
    steps: list[Step] = []
    try:
        while True:
            step = members.measure(sweeps if members.moved else 0)
            if members.beta >= first:
                steps.append(step)
            advance(1, f"T = {members.T:.4g}, rho_t = {family_sizes(step.families[0]).rho_t:.3g}")
            if members.beta >= last:
                return steps
            end = first if members.beta < first else last
            members.move(next_beta(members.beta, end, step.energy, target))
    except KeyboardInterrupt:
        if not steps:
            raise
        warnings.warn(f"interrupted at T = {members.T:.4g}", InterruptedWarning, stacklevel=3)
    return steps


def next_beta(beta: float, end: float, energy: np.ndarray, target: float) -> float:
    """The inverse temperature at which the energies overlap as wanted, at most ``end``."""
    if overlap_of(-(end - beta) * energy) >= target:
        return end
    low, high = beta, end
    while high - low > RESOLUTION * (high - beta):
        middle = (low + high) / 2
        good = overlap_of(-(middle - beta) * energy) >= target
        low, high = (middle, high) if good else (low, middle)
    return high


def _check_families(step: Step, population: int) -> None:
    rho_t = max(family_sizes(f).rho_t for f in step.families)
    if population < FAMILIES * rho_t:
        warnings.warn(
            f"the population is small: {population} members, and rho_t is {rho_t:.3g} at the end; take "
            f"{FAMILIES} rho_t of them, or more sweeps",
            SmallPopulationWarning,
            stacklevel=3,
        )

"""`free_energy_profile`: the free energy as a function of an observable."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.engine.compile import refuse_random
from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Init
from statmech_dsl.errors import ArgumentError, OverlapError, OverlapWarning
from statmech_dsl.estimators import Multihistogram, tau_int
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.lower.path import steered
from statmech_dsl.lower.recovery import recover
from statmech_dsl.lower.reductions import measure
from statmech_dsl.results.tree import CONVENTION
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.free_energy.routes.tempering import ladder_energies, poor_overlap
from statmech_dsl.runs.free_energy.segment import Effort
from statmech_dsl.runs.free_energy.start import compiler
from statmech_dsl.runs.pilots import tuned_ladder
from statmech_dsl.runs.progress import progress

FEWEST_VISITS = 20.0
"""Effective draws in a bin below which it gets no value."""


def free_energy_profile(
    model: pm.Model | None = None,
    *,
    observable: str,
    bins: ArrayLike,
    T: float = 1.0,
    draws: int = 2000,
    tune: int = 2000,
    chains: int = 4,
    thin: int = 1,
    seed: int | None = None,
    init: Init = "hot",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    progressbar: bool = True,
) -> xr.Dataset:
    r"""Estimate the free energy of states by the value of an observable.

    .. math:: F(a) = -T \log \frac{p(a)}{\Delta a}, \quad p(a) = P(A(x) \in \text{bin of } a)

    Replicas are held by springs to values of the observable all along the range (umbrella sampling) [1]_; they
    swap springs as in tempering, and all draws are weighted together, without the springs (WHAM without bins)
    [2]_.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    observable : str
        Name of an observable that is a sum over sites times a constant, such as ``s.mean()``.
    bins : array_like of float
        Edges of bins of its values, ascending.
    T : float
        Temperature.
    draws, tune, chains, thin, seed, init, updates, backend, threads, progressbar
        As for `temper`.

    Returns
    -------
    Dataset
        ``free_energy`` over the centers of the bins, up to a constant: its least value is 0; its
        ``_error``, that of the difference to that bin; ``log_probability`` of each bin (their sum over
        the range is 1) with its error. Bins that too few draws speak of have NaN.

    Raises
    ------
    ArgumentError
        An argument is out of range, or the observable cannot be steered.
    OverlapError
        No draw has a value within the bins, or too few have.

    Warns
    -----
    OverlapWarning
        Neighboring springs have too little in common.

    References
    ----------
    .. [1] G. M. Torrie and J. P. Valleau, J. Comput. Phys. 23, 187 (1977).
    .. [2] M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008).

    Examples
    --------
    The double well of a magnet below its critical temperature:

    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> edges = np.arange(-17, 18, 2) / 16  # all values of m
    >>> found = sm.free_energy_profile(
    ...     model, observable="m", bins=edges, T=1.8, seed=1, progressbar=False
    ... )
    >>> barrier = found.free_energy.sel(m=0) - found.free_energy.sel(m=1)
    >>> bool(10 < barrier < 11.3)
    True
    """
    model = given_or_context(model)
    edges = _edges(bins)
    effort = Effort(
        count("draws", draws, 2),
        count("tune", tune, 40),
        count("chains", chains, 1),
        count("thin", thin, 1),
        seed_of(seed),
        init,
    )
    threads = None if threads is None else count("threads", threads, 1)
    refuse_random(model)
    recovered = recover(model)
    at = temperatures(T, None, any(f.tempered for f in recovered.ir.energy_families))
    if at.T.ndim:
        raise ArgumentError("a profile has one temperature", where=f"T={T!r}")
    measured = measure(model, recovered.ir, recovered.tables)
    if observable not in measured.names:
        raise ArgumentError(
            f"the model has no observable {observable!r}",
            mend=f"its observables are {', '.join(measured.names) or 'none: declare sm.Observable'}",
        )
    width = float(np.diff(edges).mean())
    stiffness = 1.0 / width**2
    low, high = float(edges[0]), float(edges[-1])
    path = steered(recovered, float(at.beta), measured, observable, stiffness, low)
    options = {"updates": updates, "backend": backend, "threads": threads}
    sampler = compiler(path, options)(effort.chains * len(edges))
    ends = np.array([stiffness * (high - low), 0.0])
    total = effort.tune + effort.draws * effort.thin
    with progress(progressbar, f"steering {observable}", total) as advance:
        ladder, widths = tuned_ladder(
            sampler, ends, effort.thin, effort.tune // 2, effort.seed, init, advance
        )
        pull = ladder_energies(sampler, ladder, widths, effort, advance)
    for reason in poor_overlap(pull, ladder):
        warnings.warn(f"springs are too far apart: {reason}", OverlapWarning, stacklevel=2)
    if not ((pull <= 0) & (pull >= low - high)).any():  # minus the observable, above the first edge
        raise OverlapError(
            f"no draw has a value of {observable!r} within the bins", mend="choose other bins"
        )
    value, error, of_log_p = _log_probability(pull, ladder, stiffness, edges - low)
    if np.isnan(value).all():
        raise OverlapError(
            f"no bin of {observable!r} has {FEWEST_VISITS:g} effective draws",
            mend="take more draws",
        )
    free = -float(at.T) * (value - np.log(np.diff(edges)))
    best = int(np.nanargmin(free))
    difference = [
        tau_int(x - of_log_p[best]).error if np.isfinite(f) else math.nan
        for x, f in zip(of_log_p, free, strict=True)
    ]
    difference[best] = 0.0
    centers = (edges[1:] + edges[:-1]) / 2
    return xr.Dataset(
        {
            "free_energy": (observable, free - free[best], {"units": "energy"}),
            "free_energy_error": (observable, float(at.T) * np.array(difference)),
            "log_probability": (observable, value),
            "log_probability_error": (observable, error),
        },
        {observable: (observable, centers, {"long_name": f"{observable}, centers of bins"})},
        {"convention": CONVENTION, "T": float(at.T), "seed": str(effort.seed)},
    )


def _log_probability(
    pull: np.ndarray, ladder: np.ndarray, stiffness: float, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log of the probability of bins, its error, and what each moment adds to it (bin, chain, draw)."""
    above = -pull  # the energy that the ladder divides is minus the observable
    pool = Multihistogram(pull, ladder)
    # Weights of the spring at 0, which is undone.
    log_w = pool.log_weights(0.0) + stiffness * above.reshape(-1) ** 2 / 2
    inside = (above >= edges[0]) & (above <= edges[-1])
    w = np.exp(log_w - log_w[inside.reshape(-1)].max())
    w[~inside.reshape(-1)] = 0.0
    index = np.searchsorted(edges[:-1], above, side="right") - 1  # the last bin has both edges
    of_bins, values, errors = [], [], []
    norm = w.mean()
    of_norm = pool.corrected((w - norm)[:, None])[..., 0] / norm
    for k in range(len(edges) - 1):
        x = w * (index.reshape(-1) == k)
        p = x.mean()
        enough = p > 0 and x.sum() ** 2 / (x**2).sum() >= FEWEST_VISITS
        influence = (
            pool.corrected((x - p)[:, None])[..., 0] / p - of_norm
            if enough
            else np.zeros(of_norm.shape)
        )
        of_bins.append(influence)
        values.append(math.log(p / norm) if enough else math.nan)
        errors.append(tau_int(influence).error if enough else math.nan)
    return np.array(values), np.array(errors), np.array(of_bins)


def _edges(bins: ArrayLike) -> np.ndarray:
    edges = np.asarray(bins, float)
    if edges.ndim != 1 or len(edges) < 3 or not (np.diff(edges) > 0).all():
        raise ArgumentError(
            "bins are the edges of two bins or more, ascending", where=f"bins={bins!r}"
        )
    return edges

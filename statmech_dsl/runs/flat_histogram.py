"""`flat_histogram`: walkers for which all energies are equally likely."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence

import numpy as np
import pymc as pm
import xarray as xr

from statmech_dsl.engine.compile import compile_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Init, Sampler
from statmech_dsl.errors import BackendError, ModelError, ShortChainWarning
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results import Recorder, to_tree
from statmech_dsl.results.density import add_density
from statmech_dsl.results.ladder import log_volume
from statmech_dsl.runs.arguments import count, seed_of, stored
from statmech_dsl.runs.energy_bins import choose_bins, window_of
from statmech_dsl.runs.exploring import explore
from statmech_dsl.runs.progress import progress
from statmech_dsl.runs.sample import acceptance, run_chains
from statmech_dsl.runs.wang_landau import learn


def flat_histogram(
    model: pm.Model | None = None,
    *,
    energies: Sequence[float] | None = None,
    draws: int = 20_000,
    tune: int = 20_000,
    chains: int = 32,
    thin: int = 1,
    seed: int | None = None,
    init: Init = "hot",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    store: str | Sequence[str] = (),
    progressbar: bool = True,
) -> xr.DataTree:
    r"""Estimate the density of states, by walkers that visit all energies equally often.

    A state has the weight 1/g(E), where g(E) is the number of states of its energy. It is not known at
    first: all walkers together learn it during ``tune`` sweeps (Wang and Landau, with the 1/t schedule of
    Belardinelli and Pereyra) [1]_ [2]_. Then the weights are frozen, and the draws are a Markov chain like any
    other: ln g and its errors come from them alone [3]_, and `reweight` gives any quantity at any temperature.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    energies : tuple, optional
        ``(low, high)`` keeps walkers within a range; ``(low, high, number)`` cuts it into bins, which
        energies without a common spacing need, so those of continuous variables. Unless given, all levels, as
        a short run finds them.
    draws : int
        Recorded draws of each walker.
    tune : int
        Sweeps in which the weights are learned.
    chains : int
        Walkers, two or more. They learn the weights together, and walk alone after.
    thin : int
        Sweeps from draw to draw.
    seed : int, optional
        The results are a function of it and of the number of walkers, whatever the number of threads.
    init : {"hot", "cold", "both"} or dict
        First states, as for `sample`.
    updates : str, list or dict
        ``"auto"``, the name of an update, a list of names and of pairs ``(name, times)`` that make up a
        sweep, or ``{variable: either}``.
    backend : {"auto", "numba", "reference"}
        What runs the sweeps.
    threads : int, optional
        Threads over walkers; all cores unless given.
    store : str or sequence of str
        Variables whose states are recorded at every draw.
    progressbar : bool
        Whether to show progress, with the step by which ln g still changes.

    Returns
    -------
    DataTree
        Group ``density_of_states``: ``log_density_of_states`` over ``level`` (energies, or centers of bins)
        with its ``_error``, and ``visits``. In a bin, g is the measure of its states. It is absolute, that is
        its sum is the number (or the measure) of all states, unless ``energies`` leaves some out or their
        measure is infinite; then its sum is 1. Also the groups of `sample`, without a temperature;
        ``sample_stats`` has the ``log_weight`` that makes all states count alike.

    Raises
    ------
    ArgumentError
        An argument is out of range.
    ModelError
        The energies need bins, or a variable is in float32.

    Warns
    -----
    ShortChainWarning
        If ``tune`` was too short to reach the 1/t schedule: errors are large then, not wrong.

    References
    ----------
    .. [1] F. Wang and D. P. Landau, Phys. Rev. Lett. 86, 2050 (2001).
    .. [2] R. E. Belardinelli and V. D. Pereyra, Phys. Rev. E 75, 046701 (2007).
    .. [3] B. A. Berg and T. Neuhaus, Phys. Rev. Lett. 68, 9 (1992).

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=4)
    >>> data = sm.flat_histogram(model, draws=2000, tune=2000, seed=1, progressbar=False)
    >>> found = data.density_of_states.sel(level=-32)  # the two ground states
    >>> z = (found.log_density_of_states - np.log(2)) / found.log_density_of_states_error
    >>> bool(abs(z) < 4)
    True
    """
    model = given_or_context(model)
    draws, tune = count("draws", draws, 2), count("tune", tune, 1)
    chains, thin = count("chains", chains, 2), count("thin", thin, 1)
    threads = None if threads is None else count("threads", threads, 1)
    seed, window = seed_of(seed), window_of(energies)
    if backend == "cupy":
        raise BackendError("flat histograms change their weights at every sweep, on the processor")
    options = {"backend": "numba" if backend == "auto" else backend, "threads": threads}
    pilot = compile_model(model, chains, **options)
    _refuse(pilot, energies)
    sampler = compile_model(model, chains, updates=updates, law="tabulated", **options)
    names = stored(store, sampler)
    numbers, zeros = np.arange(chains), np.zeros(chains, int)
    state = sampler.start(seed, numbers, zeros, np.zeros(chains), init)
    began = time.perf_counter()
    recorder = Recorder(sampler, draws, chains, names)
    with progress(progressbar, f"flattening with {chains} walkers", tune + draws * thin) as advance:
        explored = explore(pilot, seed, chains, window)
        bins = choose_bins(energies, explored.energies)
        state, walk = learn(sampler, state, bins, explored, tune, advance)
        state = run_chains(sampler, state, recorder, 0, draws, thin, advance)
    if not walk.late:
        warnings.warn(
            f"tune={tune} sweeps were too few to learn the weights: ln g still moved by steps of "
            f"{walk.step:.1g}. Errors are larger than they need be; take a longer tune",
            ShortChainWarning,
            stacklevel=2,
        )
    attrs = {"tune": tune, "thin": thin, "sampling_time": time.perf_counter() - began}
    statistics = acceptance(sampler, state.accepted, recorder.n * thin)
    everywhere = np.array([math.inf])
    tree = to_tree(sampler, recorder.arrays(), state, everywhere, False, model, attrs, statistics)
    found = walk.bins
    whole = _measure(sampler) if found.holds(explored.energies) else math.nan
    return add_density(tree, state.law_table, found.low, found.width, found.window, whole)


def _measure(sampler: Sampler) -> float:
    """Log of the measure of all states; NaN where it is infinite, or T does not divide all of the energy."""
    whole = log_volume(sampler)
    return math.nan if whole is None or math.isinf(whole) else whole


def _refuse(sampler: Sampler, energies: Sequence[float] | None) -> None:
    """Energies of continuous variables without bins, or in single precision."""
    variables = [v for v in sampler.program.model.variables if v.domain.values is None]
    names = ", ".join(v.name for v in variables)
    if variables and (energies is None or len(energies) != 3):
        raise ModelError(
            "the energies of continuous variables have no levels",
            where=f"{names} is continuous",
            mend="give bins: energies=(low, high, number)",
        )
    single = ", ".join(v.name for v in variables if v.domain.storage_dtype == "float32")
    if single:
        raise ModelError(
            "flat_histogram adds up changes of the energy, which float32 does not resolve",
            where=f"{single} is a variable in float32",
            mend='use dtype="float64"',
        )

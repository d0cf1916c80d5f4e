"""`temper`: replicas at many temperatures, which they swap."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.engine.compile import compile_model
from statmech_dsl.engine.composition import TUNED, Updates
from statmech_dsl.engine.sampler import Init, Sampler
from statmech_dsl.errors import ArgumentError, InterruptedWarning
from statmech_dsl.ir.state import State
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results import Recorder, final_state, to_tree
from statmech_dsl.results.ladder import Passage, add_ladder, add_variables
from statmech_dsl.results.overlaps import Overlaps
from statmech_dsl.rng import CHAIN_BITS, LADDER_BITS
from statmech_dsl.runs.arguments import count, seed_of, stored
from statmech_dsl.runs.choosing import Pilot, tuned_updates
from statmech_dsl.runs.ensemble import Ensemble, numbers
from statmech_dsl.runs.exchange import Exchange
from statmech_dsl.runs.houdayer import Houdayer, refuse
from statmech_dsl.runs.ladder import first_ladder, read_ladder
from statmech_dsl.runs.pilots import PILOTS, tuned_ladder
from statmech_dsl.runs.progress import Advance, progress
from statmech_dsl.runs.sample import acceptance, run_chains
from statmech_dsl.runs.sectors import require_all_states, require_one_sector

EXPECTED = 16
"""Temperatures that a ladder is taken to have until it is tuned; it matters for speed alone."""


def temper(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    replicas_per_T: int = 1,
    houdayer: bool = False,
    thin: int = 1,
    seed: int | None = None,
    init: Init | xr.DataTree = "hot",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    store: str | Sequence[str] = (),
    progressbar: bool = True,
) -> xr.DataTree:
    """Sample states at many temperatures by replicas that swap their temperatures.

    A replica that is stuck in a valley warms up, forgets it, and cools into another one. After every
    ``thin`` sweeps neighboring temperatures swap with probability min(1, exp((b_i - b_j)(E_i - E_j))).

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    T : tuple of two floats, or sequence of float
        A tuple ``(low, high)`` is a range: how many temperatures lie in it, and where, is tuned. Anything
        else is a ladder, taken as it is.
    beta : tuple of two floats, or sequence of float, optional
        Inverse temperatures, instead of T; 0 is allowed.
    draws : int
        Recorded draws of each chain, at every temperature.
    tune : int
        Sweeps before recording. Half of them tune the ladder if it is a range, by four ladders of their
        own; the rest tune proposal widths and forget the first states.
    chains : int
        Independent ladders.
    replicas_per_T : int
        Replicas at each temperature of a ladder; with two or more their overlaps are recorded.
    houdayer : bool
        Whether two replicas of one temperature also exchange clusters, every tenth swap: it helps where
        clusters do not percolate, as in two-dimensional spin glasses.
    thin : int
        Sweeps from draw to draw, and from swap to swap.
    seed : int, optional
        The results are a function of it, whatever the number of threads and of other chains.
    init : {"hot", "cold", "both"}, dict or DataTree
        First states, as for `sample`. The results of an earlier run go on from its end: give its ladder as
        ``beta`` or ``T``, and ``tune=0``.
    updates : str, list or dict
        ``"auto"``, the name of an update, a list of names and of pairs ``(name, times)`` that make up a
        sweep, or ``{variable: either}``; ``"tuned"`` as in `sample`, measured without swaps.
    backend : {"auto", "numba", "reference"}
        What runs the sweeps.
    threads : int, optional
        Threads over replicas; all cores unless given.
    store : str or sequence of str
        Variables whose states are recorded at every draw.
    progressbar : bool
        Whether to show progress, with the number of round trips between the ends.

    Returns
    -------
    DataTree
        What `sample` returns for these temperatures, ascending in ``T``, with a dimension ``copy`` if there
        are several replicas at each. ``sample_stats`` also has ``swap_acceptance`` of neighbors,
        ``round_trips`` and ``round_trip_rate`` (in a swap), ``barrier`` (sum of the rejections from the
        highest temperature on), ``log_partition`` and its error, and ``temperature_index``: where each
        replica was at each draw. log Z is relative to the highest temperature; it is absolute if that is
        infinite (``beta=0``).

    Raises
    ------
    ArgumentError
        An argument is out of range.
    ModelError
        There is nothing to sample, or a coupling is random.
    ImproperDistributionError
        The weights cannot be normalized.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.ising(L=8)
    >>> data = sm.temper(model, T=(1.5, 4.0), draws=2000, seed=1, progressbar=False)
    >>> cold = data.posterior.isel(T=0)
    >>> bool(abs(cold.m.mean()) < 0.3 < 0.9 < abs(cold.m).mean())  # it sees both wells
    True
    """
    model = given_or_context(model)
    draws, tune = count("draws", draws, 1), count("tune", tune, 0)
    chains, thin = count("chains", chains, 1), count("thin", thin, 1)
    copies = count("replicas_per_T", replicas_per_T, 1)
    threads = None if threads is None else count("threads", threads, 1)
    seed = seed_of(seed)
    n_T = np.size(T if beta is None else beta)
    n_replicas = chains * copies * (EXPECTED if n_T == 2 else n_T)
    options = {"backend": backend, "threads": threads}
    first: Init = "hot" if isinstance(init, xr.DataTree) else init

    def start(sampler: Sampler) -> State:
        ladder, is_range = read_ladder(T, beta, sampler.tempered)
        exchange = Exchange(
            first_ladder(*ladder) if is_range else ladder, np.arange(chains), copies, seed
        )
        return start_ladders(sampler, exchange, copies, first, None)

    measured = {}
    if updates == TUNED:
        pilot = Pilot(model, n_replicas, thin, tune, options, start, run_chains)
        updates, measured = tuned_updates(pilot, progressbar)
    sampler = compile_model(model, n_replicas, updates=updates, **options)
    names = stored(store, sampler)
    ladder, is_range = read_ladder(T, beta, sampler.tempered)
    if chains >= (1 << CHAIN_BITS) - PILOTS or len(ladder) * copies > 1 << LADDER_BITS:
        raise ArgumentError("more than 2^20 chains or 2^12 replicas in one", mend="split the run")
    if houdayer:
        refuse(sampler.program.model, copies)
        require_all_states(sampler, "houdayer=True gives replicas values of each other")
    began = time.perf_counter()
    pilot_sweeps = tune // 2 if is_range else 0
    total = tune + draws * thin
    with progress(progressbar, f"tempering {chains} chains", total) as advance:
        widths = None
        if is_range:
            ladder, widths = tuned_ladder(sampler, ladder, thin, pilot_sweeps, seed, first, advance)
        exchange = Exchange(ladder, np.arange(chains), copies, seed)
        state = start_ladders(sampler, exchange, copies, first, widths)
        if isinstance(init, xr.DataTree):
            state = _resumed(sampler, init, state, exchange)
        require_one_sector(sampler, state, np.tile(np.arange(chains * copies), len(ladder)))
        moves = Houdayer(sampler, exchange, copies) if houdayer else None
        ensemble = Ensemble(sampler, state, exchange, thin, moves)
        recorder = Recorder(sampler, draws, state.n_replicas, names)
        overlaps = Overlaps(sampler, copies) if copies > 1 else None
        path = np.empty((draws, state.n_replicas), np.int16)
        _run(ensemble, recorder, overlaps, path, (tune - pilot_sweeps) // thin, advance)
    attrs = {"tune": tune, "thin": thin, "sampling_time": time.perf_counter() - began} | measured
    statistics = acceptance(sampler, ensemble.accepted, recorder.n * thin)
    statistics |= recorder.statistics()
    with np.errstate(divide="ignore"):
        T_all = 1.0 / ladder
    arrays, state = recorder.arrays(), ensemble.state()
    tree = to_tree(sampler, arrays, state, T_all, True, model, attrs, statistics, copies)
    passage = Passage(ladder, path[: recorder.n], exchange.round_trips, exchange.rows, copies)
    tree = add_ladder(tree, sampler, passage)
    if overlaps is not None:
        tree = add_variables(tree, "posterior", overlaps.arrays())
    if moves is not None:
        tree = add_variables(tree, "sample_stats", moves.statistics())
    return tree


def start_ladders(
    sampler: Sampler, exchange: Exchange, copies: int, init: Init, widths: np.ndarray | None
) -> State:
    """First states; those of a copy are a function of the numbers of its chain and of itself."""
    n_T, n_ladders = exchange.rows.shape
    level, ladder = np.divmod(np.arange(n_T * n_ladders), n_ladders)
    chain, copy = exchange.chain[ladder], exchange.copy[ladder]
    state = sampler.start(exchange.seed, chain, level + n_T * copy, exchange.beta[level], init)
    state.replicas = numbers(n_T, exchange.chain[::copies], copies)
    if widths is not None:
        state.params = widths[:, level]
    return state


def _resumed(sampler: Sampler, tree: xr.DataTree, start: State, exchange: Exchange) -> State:
    """The end of an earlier run; every replica gets back its place, its states and its random numbers."""
    state = final_state(sampler, tree, start)
    place = tree["final_state"].get("replica")
    if place is None:
        raise ArgumentError("init= is the result of a run that swapped no temperatures")
    n_T, copies = len(exchange.beta), place.sizes.get("copy", 1)
    first = (place.to_numpy().reshape(place.shape[0], n_T, copies) % n_T).transpose(1, 0, 2)
    exchange.rows[:] = exchange.rows[first.reshape(n_T, -1), np.arange(exchange.rows.shape[1])]
    exchange.seed = state.seed
    by_replica = np.argsort(exchange.rows.reshape(-1))
    state.values = {name: x[by_replica] for name, x in state.values.items()}
    state.params = state.params[:, by_replica]
    return state


def _run(
    ensemble: Ensemble,
    recorder: Recorder,
    overlaps: Overlaps | None,
    path: np.ndarray,
    tune: int,
    advance: Advance,
) -> None:
    """Burn in, then record; what is done until Ctrl-C is kept."""
    exchange, draws = ensemble.exchange, len(path)
    try:
        ensemble.burn(tune, advance)
        while recorder.n < draws:
            path[recorder.n] = exchange.levels
            ensemble.record(recorder, overlaps)
            advance(ensemble.thin, f"{exchange.round_trips.sum()} round trips")
    except KeyboardInterrupt:
        if recorder.n == 0:
            raise
        warnings.warn(
            f"interrupted after {recorder.n} of {draws} draws", InterruptedWarning, stacklevel=3
        )

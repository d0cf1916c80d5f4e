"""`sample`: independent chains at one temperature or at each of a list."""

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
from statmech_dsl.errors import ArgumentError, DivergenceWarning, InterruptedWarning
from statmech_dsl.ir.state import State
from statmech_dsl.ir.temperatures import temperatures
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results import Recorder, final_state, to_tree
from statmech_dsl.rng import CHAIN_BITS
from statmech_dsl.runs.arguments import count, seed_of, stored
from statmech_dsl.runs.progress import RESPONSE, Advance, progress
from statmech_dsl.runs.tuning import Tuner


def sample(
    model: pm.Model | None = None,
    *,
    T: ArrayLike = 1.0,
    beta: ArrayLike | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    thin: int = 1,
    seed: int | None = None,
    init: Init | xr.DataTree = "hot",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    store: str | Sequence[str] = (),
    progressbar: bool = True,
) -> xr.DataTree:
    """Sample states with weight ``exp(-E/T)`` by Markov chains.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    T : float or sequence of float
        Temperature in units of energy (k_B = 1). A list adds a dimension ``T`` to the results.
    beta : float or sequence of float, optional
        Inverse temperature, instead of T.
    draws : int
        Recorded draws of each chain.
    tune : int
        Sweeps before recording; proposal widths, steps and masses are tuned in them only.
    chains : int
        Chains at each temperature.
    thin : int
        Sweeps from draw to draw.
    seed : int, optional
        The results are a function of it, whatever the number of threads and of other chains.
    init : {"hot", "cold", "both"}, dict or DataTree
        First states: random, all sites alike, the two in turn, given by variable name, or the end of an
        earlier run of the same model, which then goes on as if it had never stopped (with ``tune=0``).
    updates : str, HMC, SwendsenWang, Wolff, list or dict
        ``"auto"``, an update by its name or as an object with options, a list of updates and of pairs
        ``(update, times)`` that make up a sweep, or ``{variable: any of these}``. ``"tuned"`` tries legal ones,
        each for at most ``tune`` sweeps, and takes what gives most effective samples a second of the slowest
        observable; the attribute ``updates`` of the results has it as a recipe, ``tuned`` what was measured.
    backend : {"auto", "numba", "cupy", "reference"}
        What runs the sweeps; "cupy" is an NVIDIA card, which "auto" takes for large work only.
    threads : int, optional
        Threads over replicas; all cores unless given.
    store : str or sequence of str
        Variables whose states are recorded at every draw.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    DataTree
        Groups ``posterior`` (``energy``: total; observables; stored variables), ``sample_stats``
        (acceptance of each update, and what improved estimators report), ``constant_data`` (couplings)
        and ``final_state``.

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
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", 8)
    ...     zeeman = sm.Energy("zeeman", -0.5 * s)
    ...     m = sm.Observable("m", s.mean())
    >>> data = sm.sample(model, T=2.0, draws=500, seed=1, progressbar=False)
    >>> round(float(data.posterior.m.mean()), 1)  # tanh(1/4)
    0.2
    """
    model = given_or_context(model)
    draws, tune = count("draws", draws, 1), count("tune", tune, 0)
    chains, thin = count("chains", chains, 1), count("thin", thin, 1)
    threads = None if threads is None else count("threads", threads, 1)
    seed = seed_of(seed)
    n_T = np.size(T if beta is None else beta)
    if chains >= 1 << CHAIN_BITS or n_T >= 1 << (32 - CHAIN_BITS):
        raise ArgumentError("more than 2^20 chains or 2^12 temperatures", mend="split the run")
    n_replicas, options = chains * max(n_T, 1), {"backend": backend, "threads": threads}
    first: Init = "hot" if isinstance(init, xr.DataTree) else init

    def start(sampler: Sampler) -> State:
        betas = np.atleast_1d(temperatures(T, beta, sampler.tempered).beta)
        index = np.repeat(np.arange(len(betas)), chains)
        return sampler.start(
            seed, np.tile(np.arange(chains), len(betas)), index, betas[index], first
        )

    found = {}
    if updates == TUNED:
        from statmech_dsl.runs.choosing import Pilot, tuned_updates  # brings all estimators

        pilot = Pilot(model, n_replicas, thin, tune, options, start, run_chains)
        updates, found = tuned_updates(pilot, progressbar)
    sampler = compile_model(model, n_replicas, updates=updates, **options)
    at = temperatures(T, beta, sampler.tempered)
    names = stored(store, sampler)
    values, many = np.atleast_1d(at.T), at.T.ndim == 1
    state = start(sampler)
    if isinstance(init, xr.DataTree):
        state = final_state(sampler, init, state)
    began = time.perf_counter()
    recorder = Recorder(sampler, draws, state.n_replicas, names)
    what = f"sampling {chains} chains" + (
        f" x {len(values)} temperatures" if len(values) > 1 else ""
    )
    with progress(progressbar, what, tune + draws * thin) as advance:
        state = run_chains(sampler, state, recorder, tune, draws, thin, advance)
    attrs = {"tune": tune, "thin": thin, "sampling_time": time.perf_counter() - began} | found
    statistics = acceptance(sampler, state.accepted, recorder.n * thin) | recorder.statistics()
    return to_tree(sampler, recorder.arrays(), state, values, many, model, attrs, statistics)


def run_chains(
    sampler: Sampler,
    state: State,
    recorder: Recorder,
    tune: int,
    draws: int,
    thin: int,
    advance: Advance,
) -> State:
    """Tune, then record; what is done until Ctrl-C is kept."""
    kernels = sampler.kernels
    packed = None
    try:
        state = tuned(sampler, state, tune, advance)
        packed = kernels.pack(state)
        n = 1
        while recorder.n < draws:
            began = time.perf_counter()
            n = min(n, draws - recorder.n, recorder.room)
            recorder.record(packed, n, thin)
            advance(n * thin)
            if time.perf_counter() - began < RESPONSE:
                n *= 2
    except KeyboardInterrupt:
        if recorder.n == 0 or packed is None:
            raise
        warnings.warn(
            f"interrupted after {recorder.n} of {draws} draws", InterruptedWarning, stacklevel=3
        )
    assert packed is not None
    return kernels.unpack(packed)


def tuned(sampler: Sampler, state: State, sweeps: int, advance: Advance) -> State:
    """Sweep, and adapt the widths of proposals meanwhile."""
    kernels, adapting, tuner = sampler.kernels, bool(sampler.params), Tuner(sampler, sweeps)
    packed, done, n = kernels.pack(state), 0, tuner.block if adapting else 1
    while done < sweeps:
        n = min(n, sweeps - done)
        began = time.perf_counter()
        kernels.sweep(packed, n)
        tuner.masses.observe({v: kernels.values(packed, v) for v in tuner.masses.rows})
        done += n
        advance(n)
        if adapting and n == tuner.block:
            state = kernels.unpack(packed)
            tuner.adapt(state.params, state.accepted, n)
            packed = kernels.pack(state)
        elif not adapting and time.perf_counter() - began < RESPONSE:
            n *= 2
    state = kernels.unpack(packed)
    tuner.finish(state.params)
    state.accepted[:] = 0
    return state


def acceptance(sampler: Sampler, accepted: np.ndarray, sweeps: int) -> dict[str, np.ndarray]:
    """Accepted fraction of the moves of each update, and what else moves count.

    Exact draws are always accepted.
    """
    found: dict[str, list[np.ndarray]] = {}
    for number, p in enumerate(sampler.program.steps):
        n = sampler.moves[number] * sweeps
        rate = accepted[number] / n if p.tallied else np.ones(accepted.shape[1])
        found.setdefault(f"{p.variable}_{p.update}_acceptance", []).append(rate)
    out = {name: np.mean(rates, axis=0) for name, rates in found.items()}
    rows = accepted[len(sampler.program.steps) :]
    for (move, what), count_of in zip(sampler.program.counts, rows, strict=True):
        name = f"{move.variable}_{move.update}_{what}"
        out[name] = out.get(name, 0) + count_of
        if what == "divergences" and count_of.any():
            tried = sweeps * move.times * accepted.shape[1]
            warnings.warn(
                f"{count_of.sum()} of {tried} trajectories of {move.variable!r} diverged: states that they "
                "lead to may be missing. A smaller step helps (more tuning sweeps, or sm.HMC(step=...))",
                DivergenceWarning,
                stacklevel=3,
            )
    return out

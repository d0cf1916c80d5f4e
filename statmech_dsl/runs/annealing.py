"""`anneal`: many independent reads from hot to cold, and the lowest energies that they reach."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.backends.base import Kernels
from statmech_dsl.engine.compile import compile_model
from statmech_dsl.engine.composition import Updates
from statmech_dsl.engine.sampler import Init, Sampler
from statmech_dsl.errors import ArgumentError, InterruptedWarning, ModelError
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.results.reads import to_reads
from statmech_dsl.results.recorder import raise_improper
from statmech_dsl.rng import CHAIN_BITS
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.energy_scales import beta_range
from statmech_dsl.runs.masses import refuse_masses
from statmech_dsl.runs.progress import Advance, progress
from statmech_dsl.runs.schedules import (
    KINDS,
    STEPS,
    Range,
    Schedule,
    constant_speed,
    given_betas,
    given_range,
    spaced,
    sweeps_of_steps,
)
from statmech_dsl.runs.tuning import retune

DEFAULT = "constant_speed"
PILOT_READS, PILOT_STEPS = 64, 32
"""Reads and temperatures that measure the fluctuations of the energy."""
PILOT_SHARE = 10
"""The pilot has a tenth of the sweeps."""
FROZEN = 1e12
"""Inverse temperature of the quench: no move up is ever made."""
QUENCH, MAX_QUENCH = 4, 250
"""Sweeps between two looks at the energy, and looks at most: continuous energies fall without end."""
RESOLVED = 1e-12
"""Changes of the energy that are no rounding, relative to it."""


def anneal(
    model: pm.Model | None = None,
    *,
    reads: int = 64,
    sweeps: int = 1000,
    schedule: Schedule | None = None,
    T: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    seed: int | None = None,
    init: Init = "hot",
    updates: Updates = "auto",
    backend: str = "auto",
    threads: int | None = None,
    progressbar: bool = True,
) -> xr.Dataset:
    """Search for states of low energy by simulated annealing.

    Each read is a system of its own. It is cooled along the schedule, then quenched: swept at zero
    temperature until its energy falls no more. It does not depend on the other reads.

    Parameters
    ----------
    model : Model
        Any `pm.Model` with variables of statmech_dsl; that of the ``with`` block unless given.
    reads : int
        Independent runs from hot to cold; 64 or 256 at a time cost the least for each.
    sweeps : int
        Sweeps of each read, without the quench.
    schedule : {"constant_speed", "geometric", "linear"} or sequence of float, optional
        How the inverse temperature rises: by equal factors, by equal steps (of T, if the range is given as
        T), or, by default, at constant thermodynamic speed: slowly where the energy falls, which a pilot of a
        tenth of the sweeps finds out. Or beta of each step, in any order; the sweeps are shared equally.
    T : (float, float), optional
        Range of temperatures. Unless given, the largest change of the energy by one site has odds of 1/2
        at the hot end, and at the cold end hardly a system has one of the smallest.
    beta : (float, float), optional
        Range of inverse temperatures, instead of T.
    seed : int, optional
        Read number r is a function of it and of r, whatever other reads and threads there are.
    init : {"hot", "cold", "both"} or dict
        First states: random, all sites alike, the two in turn, or given by variable name.
    updates : str, list or dict
        ``"auto"``, the name of an update, a list of names and of pairs ``(name, times)`` that make up a
        sweep, or ``{variable: either}``.
    backend : {"auto", "numba", "reference"}
        What runs the sweeps.
    threads : int, optional
        Threads over reads; all cores unless given.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    Dataset
        ``energy(read)``, the lowest of each read, and its state under the name of each variable.
        ``energy_mean(step)``, ``energy_min(step)``: over the reads, after each step of the schedule
        ``beta(step)``. The attribute ``sampling_time`` leaves out compiling.

    Raises
    ------
    ArgumentError
        An argument is out of range.
    ModelError
        There is nothing to anneal, or a coupling is random.

    References
    ----------
    S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671 (1983); P. Salamon, J. D. Nulton,
    J. R. Harland, J. Pedersen, G. Ruppeiner and L. Liao, Comput. Phys. Commun. 49, 423 (1988), for constant
    thermodynamic speed.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> model = sm.models.edwards_anderson(L=4, d=2, seed=1)
    >>> result = sm.anneal(model, reads=8, sweeps=100, seed=1, progressbar=False)
    >>> float(result.energy.min())  # the lowest there is: sm.exact(model, T=1).min_energy
    -20.0
    >>> state = result.s.sel(read=result.energy.idxmin())
    """
    model = given_or_context(model)
    reads, sweeps = count("reads", reads, 1), count("sweeps", sweeps, 1)
    threads = None if threads is None else count("threads", threads, 1)
    seed, ends = seed_of(seed), given_range(T, beta)
    if reads >= 1 << CHAIN_BITS:
        raise ArgumentError("more than 2^20 reads", mend="split the run")
    sampler = compile_model(model, reads, updates=updates, backend=backend, threads=threads)
    refuse_masses(sampler)
    if not sampler.tempered:
        raise ModelError(
            "the model has no Energy to lower", mend="declare what is to be low with sm.Energy"
        )
    betas, piloted = betas_of(sampler, schedule, ends, reads, sweeps, seed)
    packed = start(sampler, seed, np.arange(reads), betas[0], init)
    with progress(progressbar, f"annealing {reads} reads", sweeps) as advance:
        found = search(sampler, packed, betas, sweeps, advance)
    named = DEFAULT if schedule is None else schedule if isinstance(schedule, str) else "given"
    attrs = {"sweeps": sweeps, "schedule": named, "sampling_time": piloted + found.seconds}
    history = {"energy_mean": found.history.mean(axis=1), "energy_min": found.history.min(axis=1)}
    steps = {"beta": betas[: len(found.history)]} | history
    return to_reads(sampler, model, seed, found.energy, found.values, steps, attrs)


def betas_of(
    sampler: Sampler,
    schedule: Schedule | None,
    ends: Range | None,
    reads: int,
    sweeps: int,
    seed: int,
) -> tuple[np.ndarray, float]:
    """Inverse temperatures of the steps, and the seconds of the pilot."""
    kind = DEFAULT if schedule is None else schedule
    if not isinstance(kind, str):
        if ends is not None:
            raise ArgumentError("schedule= has temperatures of its own", mend="leave out the range")
        return given_betas(kind, sweeps), 0.0
    if kind not in KINDS:
        raise ArgumentError(
            f"there is no schedule {kind!r}",
            mend=f"use one of {', '.join(KINDS)}, or give a list of beta",
        )
    ends = ends or Range(*beta_range(sampler, reads))
    steps = min(sweeps, STEPS)
    if kind != "constant_speed":
        return spaced(kind, ends, steps), 0.0
    trial = spaced("geometric" if ends.hot > 0 else "linear", ends, PILOT_STEPS)
    energies, seconds = pilot(sampler, seed, trial, reads, sweeps)
    return constant_speed(trial, energies, steps), seconds


def pilot(
    sampler: Sampler, seed: int, betas: np.ndarray, reads: int, sweeps: int
) -> tuple[np.ndarray, float]:
    """Mean energies along a short run of reads 0 .. PILOT_READS - 1, and the seconds that it took."""
    found, seconds = [], 0.0
    counts = sweeps_of_steps(max(PILOT_STEPS, sweeps // PILOT_SHARE), len(betas))
    for first in range(0, PILOT_READS, reads):  # as many at a time as the kernels are compiled for
        packed = start(sampler, seed, np.arange(first, first + reads), betas[0], "hot")
        began = time.perf_counter()
        found.append(np.stack([energy for _, energy in _cool(sampler, packed, betas, counts)]))
        seconds += time.perf_counter() - began
    return np.concatenate(found, axis=1)[:, :PILOT_READS].mean(axis=1), seconds


# ---- the search ---------------------------------------------------------------------------------


@dataclass(eq=False)
class Found:
    """What reads have found: lowest energies and their states, energies [step, read], seconds."""

    energy: np.ndarray
    values: dict[str, np.ndarray]
    history: np.ndarray
    seconds: float

    def keep(self, kernels: Kernels, packed: Any, energy: np.ndarray, which: np.ndarray) -> None:
        """Keep the present states of some reads."""
        if which.any():
            self.energy[which] = energy[which]
            for name, x in self.values.items():
                x[which] = kernels.values(packed, name)[which]


def start(sampler: Sampler, seed: int, reads: np.ndarray, beta: float, init: Init) -> Any:
    """Reads of some numbers before their first sweep, packed; their kernels are compiled."""
    zeros, kernels = np.zeros(len(reads), int), sampler.kernels
    packed = kernels.pack(sampler.start(seed, reads, zeros, np.full(len(reads), beta), init))
    kernels.sweep(packed, 0)
    kernels.energy(packed)
    return packed


def search(
    sampler: Sampler,
    packed: Any,
    betas: np.ndarray,
    sweeps: int,
    advance: Advance = lambda n, note: None,
) -> Found:
    """Cool all reads along a schedule, then quench them; what is done until Ctrl-C is kept.

    States are kept wherever the schedule turns from cooling to heating, and in the quench.
    """
    began, kernels, history = time.perf_counter(), sampler.kernels, []
    values = {
        v.name: np.array(kernels.values(packed, v.name)) for v in sampler.program.model.variables
    }
    n_reads = len(next(iter(values.values())))
    found = Found(np.full(n_reads, np.inf), values, np.empty((0, n_reads)), 0.0)
    counts = sweeps_of_steps(sweeps, len(betas))
    turns = np.append(np.diff(betas) < 0, False)
    try:
        for cooled, energy in _cool(sampler, packed, betas, counts):
            packed = cooled
            if turns[len(history)]:
                found.keep(kernels, packed, energy, energy < found.energy)
            advance(counts[len(history)], f"lowest energy {energy.min():.6g}")
            history.append(energy)
    except KeyboardInterrupt:
        if not history:
            raise
        done = counts[: len(history)].sum()
        text = f"interrupted after {done} of {sweeps} sweeps, and quenched"
        warnings.warn(text, InterruptedWarning, stacklevel=3)
    found.history = np.stack(history)
    if not np.isfinite(found.history).all():
        raise_improper(sampler)
    _quench(kernels, packed, found)
    found.seconds = time.perf_counter() - began
    return found


def _cool(
    sampler: Sampler, packed: Any, betas: np.ndarray, counts: np.ndarray
) -> Iterator[tuple[Any, np.ndarray]]:
    """The reads and their energies after each step."""
    kernels = sampler.kernels
    n_reads = len(kernels.energy(packed)[0])
    for step, (beta, n) in enumerate(zip(betas, counts, strict=True)):
        kernels.set_beta(packed, np.full(n_reads, beta))
        kernels.sweep(packed, n)
        yield packed, kernels.energy(packed)[0]
        if sampler.params:
            packed = retune(sampler, packed, n, step)


def _quench(kernels: Kernels, packed: Any, found: Found) -> None:
    """Sweep at zero temperature; a read is done when its energy has not fallen between two looks.

    Afterwards it may fall again, as moves that cost nothing go on while others are not done; that does not
    count, so that a read does not depend on the others.
    """
    energy = kernels.energy(packed)[0]
    found.keep(kernels, packed, energy, energy < found.energy)
    falling = np.ones(len(energy), bool)
    kernels.set_beta(packed, np.full(len(energy), FROZEN))
    for _ in range(MAX_QUENCH):
        last = energy
        kernels.sweep(packed, QUENCH)
        energy = kernels.energy(packed)[0]
        falling &= energy < last - RESOLVED * np.maximum(1.0, abs(last))
        found.keep(kernels, packed, energy, falling & (energy < found.energy))
        if not falling.any():
            return

"""`calibrate`: whether posteriors are right on average, by simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.step_methods.compound import flatten_steps
from scipy.special import chdtrc

from statmech_dsl.errors import ModelError
from statmech_dsl.inference.infer import choose
from statmech_dsl.inference.methods.base import Prepared, Run
from statmech_dsl.inference.problem.observations import observe
from statmech_dsl.inference.problem.posed import Posed, marks_of, pose
from statmech_dsl.inference.states.simulated import simulated
from statmech_dsl.lang.model import given_or_context
from statmech_dsl.runs.arguments import count, seed_of
from statmech_dsl.runs.progress import progress

BINS = 20
"""Bins of ranks, at most."""
EXPECTED = 5
"""Ranks expected in a bin, at least: the law of chi squared holds then."""


def calibrate(
    model: pm.Model | None = None,
    *,
    method: str = "auto",
    states: int = 1,
    simulations: int = 300,
    draws: int = 99,
    thin: int = 10,
    tune: int = 500,
    seed: int | None = None,
    threads: int | None = None,
    progressbar: bool = True,
) -> xr.Dataset:
    r"""Check a method of inference by simulation, for a model and a number of states.

    Parameters are drawn from the prior, states from the model at these parameters, and the posterior is
    sampled from the states, many times. If all is right, the rank of the true parameter among the draws of its
    posterior is uniform [1]_. Ranks at both ends tell of posteriors that are too narrow, ranks in
    the middle of ones that are too wide.

    Parameters
    ----------
    model : Model
        A model with random couplings; that of the ``with`` block unless given. All its variables are seen.
    method : str
        As in `infer`.
    states : int
        Independent states from which each posterior is inferred.
    simulations : int
        Posteriors.
    draws, thin, tune : int
        Draws of each posterior, steps from draw to draw, and steps before. Ranks are uniform if draws are
        nearly independent.
    seed : int, optional
        Makes the result reproducible.
    threads : int, optional
        Threads of kernels; all cores unless given.
    progressbar : bool
        Whether to show progress.

    Returns
    -------
    Dataset
        ``rank``, ``true``, ``mean`` and ``sd`` (simulation, parameter), and the probability ``p_value``
        (parameter) of ranks that are no more uniform, by chi squared.

    Raises
    ------
    ModelError
        There is nothing to infer, or a likelihood in the model ties parameters to states.

    References
    ----------
    .. [1] S. Talts et al., Validating Bayesian inference algorithms with simulation-based calibration,
       arXiv:1804.06788.

    Examples
    --------
    >>> import pymc as pm
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     h = pm.Normal("h", 0, 1)
    ...     s = sm.Spin("s", 4)
    ...     zeeman = sm.Energy("zeeman", -h * s)
    >>> found = sm.calibrate(model, states=2, simulations=20, draws=19, seed=1, progressbar=False)
    >>> dict(found["rank"].sizes)
    {'simulation': 20, 'parameter': 1}
    >>> bool(found.p_value.sel(parameter="h") > 0.01)
    True
    """
    model = given_or_context(model)
    simulations, draws = count("simulations", simulations, 1), count("draws", draws, 1)
    thin, tune, n = count("thin", thin, 1), count("tune", tune, 0), count("states", states, 1)
    seed = seed_of(seed)
    posed = _blank(model, n)
    if posed.recovered.random - set(posed.couplings):
        raise ModelError(
            "a term that is no energy ties parameters to states: such data are not simulated",
            mend="calibrate the energies without it",
        )
    run = Run(draws * thin, tune, 1, seed, threads, False)
    chosen, _ = choose(posed, method)
    prepared: Prepared | None = None
    found: dict[str, list[np.ndarray]] = {"rank": [], "true": [], "mean": [], "sd": []}
    streams = np.random.default_rng(seed).spawn(simulations)
    with progress(progressbar, f"{simulations} simulations", simulations) as advance:
        cases = simulated(posed, simulations, seed, threads)
        for stream, (true, x) in zip(streams, cases, strict=True):
            posed = _with(posed, x)
            if prepared is None:
                prepared = chosen.prepare(posed, run)
                chain = _Chain(prepared)
            prepared.take(posed)
            sampled = chain(draws, thin, tune, stream)
            flat = np.concatenate([np.ravel(true[name]) for name in chain.names])
            found["rank"].append((sampled < flat).sum(axis=0))
            found["true"].append(flat)
            found["mean"].append(sampled.mean(axis=0))
            found["sd"].append(sampled.std(axis=0))
            advance(1)
    columns = {name: (("simulation", "parameter"), np.array(x)) for name, x in found.items()}
    p = [uniformity(ranks, draws) for ranks in columns["rank"][1].T]
    return xr.Dataset(
        columns | {"p_value": ("parameter", p)},
        coords={"parameter": _labels(true, chain.names)},
        attrs={"method": chosen.name, "draws": draws, "states": n, "seed": str(seed)},
    )


def uniformity(ranks: np.ndarray, draws: int) -> float:
    """Probability of ranks 0 ... draws that are no more uniform, by chi squared.

    Examples
    --------
    >>> print(f"{uniformity(np.arange(100), 99):.1f} {uniformity(np.zeros(100, int), 99):.1f}")
    1.0 0.0
    """
    bins = max(2, min(BINS, draws + 1, len(ranks) // EXPECTED))
    of_rank = np.arange(draws + 1) * bins // (draws + 1)
    expected = len(ranks) * np.bincount(of_rank, minlength=bins) / (draws + 1)
    observed = np.bincount(of_rank[ranks], minlength=bins)
    return float(chdtrc(bins - 1, ((observed - expected) ** 2 / expected).sum()))


class _Chain:
    """One chain of a method that is compiled."""

    def __init__(self, prepared: Prepared) -> None:
        model = prepared.model
        self._step, self._start = prepared.step, model.initial_point()
        self._fresh = self._step.sampling_state
        self.names = [str(v.name) for v in model.free_RVs]
        outputs = model.replace_rvs_by_values(model.free_RVs)
        self._natural = model.compile_fn(outputs, inputs=model.value_vars, point_fn=True)

    def __call__(
        self, draws: int, thin: int, tune: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Draws of all parameters, [draw, parameter]."""
        step, point = self._step, self._start
        step.sampling_state = self._fresh
        step.setup_chain(generator, tune, draws * thin)
        for part in flatten_steps(step):
            part.tune = tune > 0
        out = []
        for k in range(tune + draws * thin):
            if k == tune:
                step.stop_tuning()
            point, _ = step.step(point)
            if k >= tune and (k - tune) % thin == thin - 1:
                out.append(np.concatenate([np.ravel(x) for x in self._natural(point)]))
        return np.array(out)


def _blank(model: pm.Model, n: int) -> Posed:
    """The model with states of no meaning for all its variables."""
    marks = {m.name: m for m in marks_of(model).values()}
    cold = {}
    for name, m in marks.items():
        x = np.asarray(m.domain.cold(m.n_sites)).reshape(m.shape)
        cold[name] = np.broadcast_to(x, (n, *m.shape))
    return pose(model, cold)


def _with(posed: Posed, states: Mapping[str, np.ndarray]) -> Posed:
    marks = {name: x.mark for name, x in posed.data.items()}
    data: dict[str, Any] = {name: states[name].T.reshape(-1, *m.shape) for name, m in marks.items()}
    return replace(posed, data=observe(marks, data))


def _labels(parameters: Mapping[str, np.ndarray], names: list[str]) -> list[str]:
    out = []
    for name in names:
        shape = np.shape(parameters[name])
        out += [f"{name}[{', '.join(map(str, at))}]" if at else name for at in np.ndindex(shape)]
    return out
